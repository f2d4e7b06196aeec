// A session as it is read: outline, conversation, and what the keys do.
import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { Conversation } from "../../api/conversation";
import { flow as flowQuery, rows, type Asked } from "../../api/queries";
import { readerOf } from "../../api/reader";
import type { Session } from "../../api/types";
import { Dialog } from "../../parts/Dialog";
import { useKeys } from "../../parts/keys";
import { Bytes, type Tab } from "../../parts/talk/Bytes";
import { Desk, DeskContext, type Target } from "../../parts/talk/desk";
import { FindingNote } from "../../parts/talk/FindingNote";
import { itemOf, marksOf, placeOf, talkOf, type Talk } from "../../parts/talk/model";
import { Outline } from "../../parts/talk/Outline";
import { foldsOf, type Places } from "../../parts/talk/Parts";
import { Reading, type Reach } from "../../parts/talk/Reading";
import { turnName } from "../../parts/talk/TurnView";
import { only } from "./only";
import { Export } from "./Export";
import { FindBox, Head } from "./Head";
import { useNewer } from "./newer";

const route = getRouteApi("/sessions/$session");

export interface Props {
  about: Session;
  windows: Conversation[];
  latest: boolean; // the end is shown first
  error: unknown;
  busy: boolean;
  before: boolean; // there are windows before the first
  after: boolean;
  onBefore(): void;
  onAfter(): void;
  onStart(asked: Asked): void; // reads from elsewhere
}

export function Room(props: Props) {
  const { about, windows, busy, before, after, onBefore, onAfter, onStart } = props;
  const client = useQueryClient();
  const desk = useMemo(() => new Desk(readerOf((query) => client.fetchQuery(query))), [client]);
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const talk = useMemo(() => talkOf(windows, closed), [windows, closed]);
  const reach = useRef<Reach>(null);
  const [exporting, setExporting] = useState(false);
  const [bytesOf, setBytesOf] = useState<string>();
  const navigate = route.useNavigate();
  const goal = useRef<Place>(undefined);
  const [place, at] = usePlace(goal);

  const toFlow = useCallback(
    (to: string, n?: number, mark?: number) => {
      if (!talk.turns.has(to)) return at(to, n), onStart({ from: to });
      const index = itemOf(talk, to, n);
      if (index === undefined) return (goal.current = { flow: to, n }), setClosed(new Set()), at(to, n); // in a sub-agent that is folded
      at(to, n);
      show(talk, reach.current, index, to, n, mark);
    },
    [talk, at, onStart],
  );
  useArrival(talk, reach, goal, place);
  useLatest(props.latest, talk, reach);
  const places: Places = useMemo(() => ({
    toFlow,
    toBranch: (id) => {
      setClosed((old) => new Set([...old].filter((c) => c !== id)));
      const index = talk.items.findIndex((i) => i.kind === "branch" && i.branch.subagent === id);
      if (index >= 0) reach.current?.show(index);
    },
    linkTo: (to, n) => linkTo(about, to, n),
  }), [toFlow, talk, about]);
  const onEdge = useCallback((edge: "first" | "last") => {
    if (busy) return;
    if (edge === "first" && before) onBefore();
    if (edge === "last" && after) onAfter();
  }, [busy, before, after, onBefore, onAfter]);
  const current = shownAt(talk, place);
  useRoomKeys({ talk, desk, flow: current, toFlow, onBytes: setBytesOf, link: (to) => linkTo(about, to) });
  const newer = useNewer(about, talk);
  const toPlace = (to: string, target: Target) => {
    const n = Number(target.place.split("/")[1]);
    const index = itemOf(talk, to, n);
    if (index !== undefined) reach.current?.showPart(index, target, foldsWith(talk, to, n));
  };
  const toLatest = () => void navigate({ search: ({ flow: _f, part: _p, ...old }) => old, replace: true }).then(() => onStart({ end: 1 }));
  const toTurn = async (n: number) => {
    const [row] = (await rows(`${only(about.session, about.principal)} turn:${n}`, 1)).rows;
    if (row) toFlow(row.id);
    return row !== undefined;
  };

  return (
    <DeskContext value={desk}>
      <div className="flex h-full min-h-0 flex-col">
        <Head {...props} talk={talk} newer={newer} onLatest={toLatest} onTurn={toTurn} onExport={() => setExporting(true)} />
        <div className="flex min-h-0 flex-1">
          <nav aria-label="Turns" className="flex w-84 shrink-0 flex-col border-r border-line bg-panel max-lg:hidden">
            <FindBox {...props} talk={talk} onPlace={toPlace} />
            <Outline talk={talk} current={current} onFlow={toFlow} onItem={(i) => reach.current?.show(i)} />
          </nav>
          <div className="flex min-w-0 flex-1 flex-col">
            <Reading talk={talk} places={places} current={current} closed={closed} onBranch={(id) => setClosed((old) => toggled(old, id))} onBytes={setBytesOf} onEdge={onEdge} reach={reach} />
          </div>
        </div>
      </div>
      <FindingNote turnOf={(f) => talk.turns.get(f)} />
      {exporting && <Export about={about} onClose={() => setExporting(false)} />}
      {bytesOf !== undefined && <BytesOf flow={bytesOf} title={titleOf(talk, bytesOf)} onClose={() => setBytesOf(undefined)} />}
    </DeskContext>
  );
}

interface Place {
  flow: string;
  n?: number | undefined; // of a part
}

/** Where the reader is. The address follows: keys come faster than it changes. An
 * address that changes by itself is a goal. */
function usePlace(goal: React.RefObject<Place | undefined>): [place: Place | undefined, at: (flow: string, n?: number) => void] {
  const { flow, part } = route.useSearch();
  const navigate = route.useNavigate();
  const [place, setPlace] = useState<Place>();
  const written = useRef(new Set<string>()); // addresses of ours that have not come yet
  const at = useCallback(
    (to: string, n?: number) => {
      setPlace({ flow: to, n });
      written.current.add(`${to} ${n ?? ""}`);
      void navigate({ search: ({ part: _, ...old }) => ({ ...old, flow: to, ...(n === undefined ? {} : { part: String(n) }) }), replace: true, resetScroll: false });
    },
    [navigate],
  );
  useEffect(() => {
    if (flow === undefined || written.current.delete(`${flow} ${part ?? ""}`)) return;
    goal.current = { flow, ...(part === undefined ? {} : { n: Number(part) }) };
    setPlace(goal.current);
  }, [goal, flow, part]);
  return [place, at];
}

/** The turn that shows the place. */
function shownAt(talk: Talk, place: Place | undefined): string | undefined {
  const index = place && itemOf(talk, place.flow, place.n);
  const item = index === undefined ? undefined : talk.items[index];
  return item?.kind === "turn" ? item.turn.flow : place?.flow;
}

function titleOf(talk: Talk, flow: string): string {
  const turn = talk.turns.get(flow);
  return `Bytes and headers${turn ? `, ${turnName(turn).toLowerCase()}` : ""}`;
}

function toggled(set: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(id)) next.add(id);
  return next;
}

function linkTo(about: Session, flow: string, n?: number): string {
  const query = new URLSearchParams({ principal: about.principal, flow, ...(n === undefined ? {} : { part: String(n) }) });
  return `${location.origin}/sessions/${encodeURIComponent(about.session)}?${query}`;
}

/** The folds that hide a part: of a result, its call's, too. */
function foldsWith(talk: Talk, flow: string, n: number): string[] {
  const call = talk.results.get(placeOf(flow, n));
  const turn = talk.turns.get(flow);
  const part = turn && [...turn.added, ...turn.answer].find((p) => p.n === n);
  return [
    ...(call ? foldsOf(call.turn.flow, call.part) : []),
    ...(part ? foldsOf(flow, part) : []),
    ...(turn?.side ? [`${flow}/side:side`] : []),
    ...(part?.kind === "tool_definition" ? [`${flow}/tools:system`, `${flow}/tool ${n} ${part.name ?? ""}:plain`] : []),
    `${flow}/rest:plain`,
  ];
}

function show(talk: Talk, reach: Reach | null, index: number, flow: string, n?: number, mark?: number) {
  if (n === undefined) reach?.show(index);
  else reach?.showPart(index, { place: placeOf(flow, n), ...(mark === undefined ? {} : { mark }) }, foldsWith(talk, flow, n));
}

/** Goes to what could not be shown at once, when it is there. */
function useArrival(talk: Talk, reach: React.RefObject<Reach | null>, goal: React.RefObject<Place | undefined>, place: Place | undefined) {
  useEffect(() => {
    const to = goal.current;
    const index = to && itemOf(talk, to.flow, to.n);
    if (to === undefined || index === undefined) return;
    goal.current = undefined;
    show(talk, reach.current, index, to.flow, to.n);
  }, [talk, reach, goal, place]);
}

/** Shows the end, once. */
function useLatest(latest: boolean, talk: Talk, reach: React.RefObject<Reach | null>) {
  const done = useRef(!latest);
  useEffect(() => {
    if (done.current) return;
    done.current = true;
    reach.current?.show(talk.items.length - 1);
  }, [talk, reach]);
}

interface KeysOf {
  talk: Talk;
  desk: Desk;
  flow: string | undefined;
  toFlow(flow: string, n?: number, mark?: number): void;
  onBytes(flow: string): void;
  link(flow: string): string;
}

function useRoomKeys({ talk, desk, flow, toFlow, onBytes, link }: KeysOf) {
  const mark = useRef(-1);
  const now = flow === undefined ? -1 : (talk.at.get(flow) ?? -1);
  const go = (step: 1 | -1, round: boolean) => {
    let i = now + step;
    if (round && step < 0) {
      const begin = roundOf(talk, now);
      i = now > begin + 1 ? begin : begin - 1; // to its begin first
    }
    for (; i >= 0 && i < talk.items.length; i += step) {
      const item = talk.items[i];
      if (!round && item?.kind === "turn") return toFlow(item.turn.flow);
      if (round && item?.kind === "round" && item.round.turns[0]) return toFlow(item.round.turns[0].flow);
    }
  };
  const finding = (step: 1 | -1) => {
    const all = marksOf(talk);
    if (all.length === 0) return;
    const start = all[mark.current] ? mark.current : step > 0 ? all.findIndex((m) => m.item >= now) - 1 : all.findLastIndex((m) => m.item <= now) + 1;
    mark.current = (start + step + all.length) % all.length;
    const to = all[mark.current]!;
    toFlow(to.flow, to.n, to.i);
  };
  useKeys("Session", [
    { keys: "j", also: "ArrowDown", does: "next turn", run: () => go(1, false) },
    { keys: "k", also: "ArrowUp", does: "turn before", run: () => go(-1, false) },
    { keys: "n", does: "next round", run: () => go(1, true) },
    { keys: "p", does: "round before", run: () => go(-1, true) },
    { keys: "o", also: "Enter", does: "open or fold all of a turn", run: () => flow && desk.foldTurn(flow) },
    { keys: "t", does: "thinking: open or fold", run: () => desk.foldKind("thinking") },
    { keys: "u", does: "tool calls: open or fold", run: () => desk.foldKind("tool") },
    { keys: "r", does: "bytes and headers", run: () => flow && onBytes(flow) },
    { keys: "]", does: "next finding", run: () => finding(1) },
    { keys: "[", does: "finding before", run: () => finding(-1) },
    { keys: "f", does: "find in the session", run: () => document.getElementById("find-in-session")?.focus() },
    { keys: "y", does: "copy a link to the turn", run: () => flow && void navigator.clipboard.writeText(link(flow)) },
  ]);
}

/** The item of the round that an item is in. */
function roundOf(talk: Talk, index: number): number {
  return talk.items.findLastIndex((item, i) => i <= index && item.kind === "round");
}

function BytesOf({ flow, title, onClose }: { flow: string; title: string; onClose(): void }) {
  const [tab, setTab] = useState<Tab>("headers");
  const record = useQuery(flowQuery(flow));
  return (
    <Dialog title={title} onClose={onClose} wide="very">
      <Bytes flow={flow} record={record.data} tab={tab} onTab={setTab} />
    </Dialog>
  );
}
