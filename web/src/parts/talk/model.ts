// Windows of a conversation, put together as they are read: branches behind the
// calls that started them, calls with their results.
import type { Branch, Conversation, Part, Round, Turn } from "../../api/conversation";

/** A part, and the turn that holds it. */
export interface Held {
  turn: Turn;
  part: Part;
}

export interface Call extends Held {
  result?: Held;
  branches: string[]; // sub-agents that it started
}

export type Item =
  | { kind: "round"; key: string; depth: number; round: Round }
  | { kind: "branch"; key: string; depth: number; branch: Branch; by?: Call }
  | { kind: "compaction"; key: string; depth: number; turn: Turn }
  | { kind: "turn"; key: string; depth: number; turn: Turn; round: Round; branch: Branch };

export interface Talk {
  items: Item[];
  at: Map<string, number>; // of flows, in items
  calls: Map<string, Call>; // by id, or by placeOf where an API gives calls none
  results: Map<string, Call>; // of parts, by placeOf: the call that shows them
  names: Map<string, string>; // titles of calls, by id, also of those that only were sent back
  echoes: Set<string>; // parts, by placeOf, that send the answer before back
  most: number; // tokens of the longest turn
  turns: Map<string, Turn>; // all that are loaded, by flow
}

/** The name of a part within a session. */
export const placeOf = (flow: string, n: number) => `${flow}/${n}`;

/** closed: the sub-agents of which only the heading is laid out. */
export function talkOf(windows: Conversation[], closed: ReadonlySet<string> = new Set()): Talk {
  const branches = merged(windows);
  const talk: Talk = { items: [], at: new Map(), calls: new Map(), results: new Map(), names: new Map(), echoes: new Set(), most: 1, turns: new Map() };
  const turns = [...branches.values()].flatMap((b) => b.rounds.flatMap((r) => r.turns)).sort(byTime);
  for (const turn of turns) {
    talk.turns.set(turn.flow, turn);
    addEchoes(talk, turn);
    addCalls(talk, turn);
    talk.most = Math.max(talk.most, tokensOf(turn));
  }
  for (const turn of turns) addResults(talk, turn);
  for (const branch of branches.values()) pairNameless(talk, branch);
  lay(talk, branches, closed);
  return talk;
}

export function tokensOf({ usage: u }: Turn): number {
  return u.input + u.cache_read + u.cache_write + u.output;
}

/** Joins what the windows cut. They may overlap: each flow is taken once. */
function merged(windows: Conversation[]): Map<string, Branch> {
  const all = new Map<string, Branch>();
  const seen = new Set<string>();
  for (const branch of windows.flatMap((w) => w.branches)) {
    const whole = all.get(branch.subagent) ?? { ...branch, rounds: [] };
    all.set(branch.subagent, { ...branch, ...whole });
    for (const [i, round] of branch.rounds.entries()) {
      const turns = round.turns.filter((t) => !seen.has(t.flow));
      for (const t of turns) seen.add(t.flow);
      const goesOn = turns.length < round.turns.length || (i === 0 && round.prompt === "" && round.n === null);
      if (turns.length > 0) join(whole.rounds, { ...round, turns }, goesOn);
    }
  }
  return all;
}

function join(rounds: Round[], next: Round, goesOn: boolean) {
  const last = rounds.at(-1);
  if (last && goesOn) last.turns = [...last.turns, ...next.turns];
  else rounds.push({ ...next, n: next.prompt === "" ? next.n : (numberAfter(rounds) ?? next.n) });
}

/** Rounds are counted within a window; the next window goes on. */
function numberAfter(rounds: Round[]): number | null {
  const last = rounds.findLast((r) => r.n !== null)?.n;
  return last ? last + 1 : null;
}

/** The server tells echoes within a window; here they are told over its begin. */
function addEchoes(talk: Talk, turn: Turn) {
  const answer = talk.turns.get(turn.before ?? "")?.answer ?? [];
  for (const p of turn.added) {
    const said = p.role === "assistant" || p.role === "model";
    const again = () => said && answer.some((a) => (p.id && a.id ? a.kind === p.kind && a.id === p.id : same(a, p)));
    if (p.echo || again()) talk.echoes.add(placeOf(turn.flow, p.n));
  }
}

/** Agents write the arguments of a call anew, as their JSON does. */
function same(a: Part, b: Part): boolean {
  if (a.kind !== b.kind || (a.name ?? "") !== (b.name ?? "")) return false;
  return a.text === b.text || (a.kind === "tool_call" && plain(a) === plain(b));
}

const plains = new WeakMap<Part, string>();

function plain(call: Part): string {
  let said = plains.get(call);
  if (said === undefined) plains.set(call, (said = parsed(call.text)));
  return said;
}

function parsed(args: string): string {
  try {
    return JSON.stringify(JSON.parse(args));
  } catch {
    return args;
  }
}

function addCalls(talk: Talk, turn: Turn) {
  const before = talk.turns.get(turn.before ?? "");
  const nameless = before?.answer.filter((p) => p.kind === "tool_call" && !p.id) ?? [];
  for (const part of [...turn.added, ...turn.answer]) {
    if (part.kind !== "tool_call" || !part.id) continue;
    talk.names.set(part.id, part.title || part.name || "");
    if (talk.calls.has(part.id)) continue;
    if (!talk.echoes.has(placeOf(turn.flow, part.n))) {
      talk.calls.set(part.id, { turn, part, branches: [] });
      continue;
    }
    // Gemini's answers give calls no ids, and its agent makes some up.
    const at = nameless.findIndex((p) => same(p, part));
    const [own] = at < 0 ? [] : nameless.splice(at, 1);
    if (!before || !own) continue;
    const call: Call = { turn: before, part: own, branches: [] };
    talk.calls.set(part.id, call).set(placeOf(before.flow, own.n), call);
  }
}

function addResults(talk: Talk, turn: Turn) {
  for (const part of turn.added) {
    const call = part.kind === "tool_result" && part.id ? talk.calls.get(part.id) : undefined;
    if (!call || call.result) continue;
    call.result = { turn, part };
    talk.results.set(placeOf(turn.flow, part.n), call);
  }
}

/** Pairs calls and results that have no ids (Gemini's), or of which only the results
 * have some: in their order, by name. A result answers a call of the answer just before
 * it. */
function pairNameless(talk: Talk, branch: Branch) {
  let waiting: Call[] = [];
  for (const turn of branch.rounds.flatMap((r) => r.turns).toSorted(byTime)) {
    let from: string | undefined; // where the calls that wait stand: nothing else is between them
    for (const part of [...turn.added, ...turn.answer]) {
      const place = placeOf(turn.flow, part.n);
      if (talk.echoes.has(place)) continue;
      if (part.kind !== "tool_call" && speaker(part) !== "Model") from = undefined;
      if (talk.results.has(place) || (part.id && talk.calls.has(part.id))) continue;
      if (part.kind === "tool_call" && !part.id) {
        if (talk.calls.has(place)) continue;
        if (from !== part.side) waiting = [];
        from = part.side;
        const call: Call = { turn, part, branches: [] };
        talk.calls.set(place, call);
        waiting.push(call);
      } else if (part.kind === "tool_result") {
        const at = waiting.findIndex((c) => !part.name || !c.part.name || c.part.name === part.name);
        const [call] = at < 0 ? [] : waiting.splice(at, 1);
        if (!call) continue;
        call.result = { turn, part };
        talk.results.set(place, call);
      }
    }
  }
}

/** The call that a part is; of one that was sent again, what is known is with the first. */
export function callOf(talk: Talk, turn: Turn, part: Part): Call | undefined {
  const call = part.kind === "tool_call" ? talk.calls.get(part.id || placeOf(turn.flow, part.n)) : undefined;
  return call?.turn.flow === turn.flow && call.part.n === part.n ? call : undefined;
}

/** Lays the branches out, each behind the turn that started it. */
function lay(talk: Talk, branches: Map<string, Branch>, closed: ReadonlySet<string>) {
  const after = new Map<string, Branch[]>();
  for (const branch of branches.values()) {
    if (branch.subagent === "") continue;
    const by = branch.started_by ? talk.calls.get(branch.started_by) : undefined;
    by?.branches.push(branch.subagent);
    const anchor = by?.turn ?? turnBefore(branch, branches.get(branch.parent ?? "") ?? branches.get(""));
    const key = anchor?.flow ?? "";
    after.set(key, [...(after.get(key) ?? []), branch]);
  }
  const write = (branch: Branch, depth: number) => {
    for (const round of branch.rounds) {
      // A beginning that no window has gets no heading: what is in sight is found again when it comes.
      if (round.prompt !== "" || round.n !== null) talk.items.push({ kind: "round", key: `round ${round.turns[0]?.flow ?? branch.subagent}`, depth, round });
      for (const turn of round.turns) {
        if (turn.compacts) talk.items.push({ kind: "compaction", key: `compaction ${turn.flow}`, depth, turn });
        talk.at.set(turn.flow, talk.items.length);
        talk.items.push({ kind: "turn", key: turn.flow, depth, turn, round, branch });
        started(turn.flow, depth + 1);
      }
    }
  };
  const started = (flow: string, depth: number) => {
    const list = after.get(flow) ?? [];
    after.delete(flow); // each is written once, also where their parents name each other
    for (const branch of list) {
      const by = branch.started_by ? talk.calls.get(branch.started_by) : undefined;
      talk.items.push({ kind: "branch", key: `branch ${branch.subagent}`, depth, branch, ...(by ? { by } : {}) });
      if (!closed.has(branch.subagent)) write(branch, depth);
    }
  };
  started("", 1);
  const main = branches.get("");
  if (main) write(main, 0);
  if (closed.size === 0) for (const flow of [...after.keys()]) started(flow, 1); // parents that name each other
}

function turnBefore(branch: Branch, parent: Branch | undefined): Turn | undefined {
  const began = branch.rounds[0]?.turns[0]?.started ?? "";
  return parent?.rounds.flatMap((r) => r.turns).findLast((t) => t.started <= began);
}

function byTime(a: Turn, b: Turn): number {
  return a.started < b.started ? -1 : a.started > b.started ? 1 : a.flow < b.flow ? -1 : 1;
}

export type Speaker = "Person" | "Task" | "Agent" | "Model" | "Provider" | "Tool";

/** Who speaks in a part, in a word. sub: to a sub-agent, whose prompts are no person's. */
export function speaker(part: Part, sub = false): Speaker {
  if (part.side === "answer" && part.kind === "unknown") return "Provider"; // an error's body, a block of its own
  if (part.side === "answer" || part.role === "assistant" || part.role === "model") return "Model";
  if (part.kind === "tool_result") return "Tool";
  if (part.role === "user" && (part.kind === "media" || part.prompt !== undefined)) return sub ? "Task" : "Person";
  return "Agent";
}

/** The numbers of the pictures and files that tools gave: they stand right behind a
 * result, in a person's name. */
export function givenByTools(parts: Part[]): ReadonlySet<number> {
  const given = new Set<number>();
  let tool = false;
  for (const part of parts) {
    const who = speaker(part);
    if (part.kind === "media" && who === "Person") {
      if (tool) given.add(part.n);
    } else if (who !== "Agent") tool = who === "Tool";
  }
  return given;
}

/** A call beside the conversation, in a few words. */
export function sideName({ method, path }: Turn): string {
  return method === "MESSAGE" ? "opens the conversation, asks nothing" : `${method} ${path}`;
}

/** What an outline calls a turn: what the model did in it. */
export function nameOf(turn: Turn): string {
  const call = turn.answer.find((p) => p.kind === "tool_call");
  const calls = turn.answer.filter((p) => p.kind === "tool_call").length;
  if (call) return (call.title || call.name || "a tool call") + (calls > 1 ? ` +${calls - 1}` : "");
  const words = turn.answer.find((p) => p.kind === "text" && p.text.trim() !== "");
  if (!words && turn.status >= 400) return `HTTP ${turn.status} ${turn.error ?? ""}`.trim(); // not its body, which no model wrote
  const said = words ?? turn.answer[0];
  return said?.text.trim().slice(0, 120) || turn.error || (turn.side && sideName(turn)) || turn.stop || turn.state;
}

/** Where findings stand, in the order in which they are read. */
export function marksOf(talk: Talk): { flow: string; n: number; i: number; item: number }[] {
  const out: { flow: string; n: number; i: number; item: number }[] = [];
  for (const [item, it] of talk.items.entries()) {
    if (it.kind !== "turn") continue;
    for (const { turn, part } of shownIn(talk, it.turn)) {
      for (const i of (part.marks ?? []).keys()) out.push({ flow: turn.flow, n: part.n, i, item });
    }
  }
  return out;
}

/** The parts that a turn shows, in order: results stand with their calls. */
export function shownIn(talk: Talk, turn: Turn): Held[] {
  const out: Held[] = [];
  for (const part of [...turn.added, ...turn.answer]) {
    if (talk.echoes.has(placeOf(turn.flow, part.n)) || talk.results.has(placeOf(turn.flow, part.n))) continue;
    out.push({ turn, part });
    const call = callOf(talk, turn, part);
    if (call?.result) out.push(call.result);
  }
  return out;
}

/** The item that shows a part: of a result, its call's. */
export function itemOf(talk: Talk, flow: string, n?: number): number | undefined {
  const call = n === undefined ? undefined : talk.results.get(placeOf(flow, n));
  return talk.at.get(call?.turn.flow ?? flow);
}
