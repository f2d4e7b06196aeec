// A session as it is read: outline, conversation, and what the keys do.
import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { Conversation } from "../../api/conversation";
import { flow as flowQuery, rows, type Asked } from "../../api/queries";
import { readerOf } from "../../api/reader";
import type { Session } from "../../api/types";
import { Dialog } from "../../parts/Dialog";
import { Bytes, type Tab } from "../../parts/talk/Bytes";
import { Desk, DeskContext, type Target } from "../../parts/talk/desk";
import { FindingNote } from "../../parts/talk/FindingNote";
import { itemOf, talkOf, type Talk } from "../../parts/talk/model";
import { foldsWith, show, shownAt, toggled, useArrival, useTalkKeys, type Place } from "../../parts/talk/moves";
import { FindBox } from "../../parts/talk/FindBox";
import { Outline } from "../../parts/talk/Outline";
import type { Places } from "../../parts/talk/Parts";
import { Reading, type Reach } from "../../parts/talk/Reading";
import { turnName } from "../../parts/talk/TurnView";
import { only } from "./only";
import { Export } from "./Export";
import { Head } from "./Head";
import { useNewer } from "./newer";

const route = getRouteApi("/sessions/$session");

interface Props {
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
  useTalkKeys({
    talk, desk, flow: current, toFlow,
    more: [
      { keys: "r", does: "bytes and headers", run: () => current && setBytesOf(current) },
      { keys: "y", does: "copy a link to the turn", run: () => current && void navigator.clipboard.writeText(linkTo(about, current)) },
    ],
  });
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
            <FindBox talk={talk} onPlace={toPlace} {...(before || after ? { more: (words: string) => <InAll about={about} words={words} /> } : {})} />
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

function titleOf(talk: Talk, flow: string): string {
  const turn = talk.turns.get(flow);
  return `Bytes and headers${turn ? `, ${turnName(turn).toLowerCase()}` : ""}`;
}

function linkTo(about: Session, flow: string, n?: number): string {
  const query = new URLSearchParams({ principal: about.principal, flow, ...(n === undefined ? {} : { part: String(n) }) });
  return `${location.origin}/sessions/${encodeURIComponent(about.session)}?${query}`;
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

function BytesOf({ flow, title, onClose }: { flow: string; title: string; onClose(): void }) {
  const [tab, setTab] = useState<Tab>("headers");
  const record = useQuery(flowQuery(flow));
  return (
    <Dialog title={title} onClose={onClose} wide="very">
      <Bytes flow={flow} record={record.data} tab={tab} onTab={setTab} />
    </Dialog>
  );
}

/** A search for what is not loaded, too. */
function InAll({ about, words }: { about: Session; words: string }) {
  return (
    <Link to="/search" search={{ q: `${only(about.session, about.principal)} ${words}` }} className="text-sm underline underline-offset-3">
      in all of it
    </Link>
  );
}
