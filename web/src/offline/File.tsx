// The session of a file, as it is read: as in the console, less all that would
// need the gateway.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { flushSync } from "react-dom";
import type { Conversation, Turn } from "../api/conversation";
import { Line } from "../parts/Captured";
import { exact, num, used } from "../parts/format";
import { pressed, useKeys } from "../parts/keys";
import { Keys } from "../parts/shell/Keys";
import { About, Kinds, type Told } from "../parts/talk/About";
import { Desk, DeskContext, type Target } from "../parts/talk/desk";
import { FindBox } from "../parts/talk/FindBox";
import { FindingNote } from "../parts/talk/FindingNote";
import { itemOf, talkOf } from "../parts/talk/model";
import { foldsWith, show, shownAt, toggled, useArrival, useTalkKeys, type Place } from "../parts/talk/moves";
import { Outline } from "../parts/talk/Outline";
import type { Places } from "../parts/talk/Parts";
import { Paper, Reading, type Reach } from "../parts/talk/Reading";

/** What internal/console writes into a file. */
export interface Data {
  conversation: Conversation;
  redact: "values" | "none";
  made: string;
  version: string; // of the gateway
}

const nothing = () => undefined;

export function File({ data }: { data: Data }) {
  const { conversation } = data;
  const desk = useMemo(() => new Desk(), []);
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const talk = useMemo(() => talkOf([conversation], closed), [conversation, closed]);
  const told = useMemo(() => toldOf(conversation, [...talk.turns.values()]), [conversation, talk]);
  const reach = useRef<Reach>(null);
  const goal = useRef<Place>(undefined);
  const [place, setPlace] = useState<Place>();
  const [keys, setKeys] = useState(false);
  const printing = usePrinting();
  const toFlow = useCallback(
    (to: string, n?: number, mark?: number) => {
      if (!talk.turns.has(to)) return; // in another file of the session
      const index = itemOf(talk, to, n);
      setPlace({ flow: to, n });
      if (index !== undefined) return show(talk, reach.current, index, to, n, mark);
      goal.current = { flow: to, n }; // in a sub-agent that is folded
      setClosed(new Set());
    },
    [talk],
  );
  useArrival(talk, reach, goal, place);
  const places: Places = useMemo(() => ({
    toFlow,
    toBranch: (id) => {
      setClosed((old) => new Set([...old].filter((c) => c !== id)));
      const index = talk.items.findIndex((i) => i.kind === "branch" && i.branch.subagent === id);
      if (index >= 0) reach.current?.show(index);
    },
  }), [toFlow, talk]);
  const current = shownAt(talk, place);
  useTalkKeys({ talk, desk, flow: current, toFlow });
  useKeys("Everywhere", [{ keys: "?", does: "these keys", run: () => setKeys(true) }]);
  useEffect(() => {
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
  const toPlace = (to: string, target: Target) => {
    const n = Number(target.place.split("/")[1]);
    const index = itemOf(talk, to, n);
    if (index !== undefined) reach.current?.showPart(index, target, foldsWith(talk, to, n));
  };

  return (
    <DeskContext value={desk}>
      {/* It keeps its size on paper: what was measured stays measured. */}
      <div className="flex h-dvh min-h-0 flex-col print:invisible print:fixed print:inset-0">
        <Head data={data} told={told} talk={talk} />
        <div className="flex min-h-0 flex-1">
          <nav aria-label="Turns" className="flex w-84 shrink-0 flex-col border-r border-line bg-panel max-lg:hidden">
            <FindBox talk={talk} onPlace={toPlace} />
            <Outline talk={talk} current={current} onFlow={toFlow} onItem={(i) => reach.current?.show(i)} />
          </nav>
          <main className="flex min-w-0 flex-1 flex-col">
            <Reading talk={talk} places={places} current={current} closed={closed} onBranch={(id) => setClosed((old) => toggled(old, id))} onEdge={nothing} reach={reach} />
          </main>
        </div>
      </div>
      {printing && (
        <div className="hidden print:block">
          <Head data={data} told={told} talk={talk} />
          <Paper talk={talk} places={places} closed={closed} />
        </div>
      )}
      <FindingNote turnOf={(f) => talk.turns.get(f)} />
      {keys && <Keys onClose={() => setKeys(false)} />}
    </DeskContext>
  );
}

function Head({ data, told, talk }: { data: Data; told: Told; talk: ReturnType<typeof talkOf> }) {
  const { conversation: c } = data;
  return (
    <header className="border-b border-line bg-panel px-4 py-1.5">
      <h1 className="sr-only">Session {c.session}</h1>
      <div className="flex flex-wrap items-center gap-x-3.5 gap-y-1">
        <About about={told} who={<Line text={c.principal} />} talk={talk} />
        <div className="ml-auto flex items-center gap-2 print:hidden">
          <Kinds />
        </div>
      </div>
      <p className="text-sm text-muted">
        Written by Gatehouse {data.version} on {exact(data.made)}.{" "}
        {data.redact === "values" ? "Values that rules found are masked; what no rule found is there." : "Nothing is masked."} This file asks for nothing; what is not in it, the gateway's record has.
      </p>
      {(c.next || c.prev) && (
        <p role="note" className="text-ask">
          {talk.turns.size === 1 ? "One call is" : `${num(talk.turns.size)} calls are`} here: the session {c.prev ? (c.next ? "begins before this file and goes on behind it" : "begins before this file") : "goes on behind this file"}
          {c.next ? `, with flow ${c.next}` : ""}.
        </p>
      )}
    </header>
  );
}

/** What the turns of a file add up to. */
function toldOf(c: Conversation, turns: Turn[]): Told {
  const sum = (of: (t: Turn) => number) => turns.reduce((n, t) => n + of(t), 0);
  const priced = turns.filter((t) => t.cost_usd !== null);
  return {
    session: c.session, agent: c.agent, models: c.models, first: c.first, ended: endOf(c, turns), turns: c.turns_total,
    usage: { input: sum((t) => t.usage.input), output: sum((t) => t.usage.output), cache_read: sum((t) => t.usage.cache_read), cache_write: sum((t) => t.usage.cache_write), reasoning: sum((t) => t.usage.reasoning), estimated: turns.some((t) => t.usage.estimated) },
    cost_usd: priced.length === 0 ? null : sum((t) => t.cost_usd ?? 0),
    partial: turns.some((t) => t.state !== "open" && t.cost_usd === null && used(t)), // as the gateway's own sums
  };
}

/** When the last of a file's turns ended; of a session that goes on behind it, when its last call began. */
function endOf(c: Conversation, turns: Turn[]): string {
  const ends = turns.map((t) => Date.parse(t.started) + (t.duration_ms ?? 0));
  return new Date(Math.max(Date.parse(c.last), ...ends)).toISOString();
}

/** Whether the page is being printed: what is out of sight is drawn then, too. */
function usePrinting(): boolean {
  const [printing, setPrinting] = useState(false);
  useEffect(() => {
    const [begin, end] = [() => flushSync(() => setPrinting(true)), () => setPrinting(false)];
    window.addEventListener("beforeprint", begin);
    window.addEventListener("afterprint", end);
    return () => (window.removeEventListener("beforeprint", begin), window.removeEventListener("afterprint", end));
  }, []);
  return printing;
}
