import { expect, test } from "vitest";
import type { Branch, Conversation, Part, Turn } from "../../api/conversation";
import { givenByTools, itemOf, marksOf, nameOf, shownIn, speaker, talkOf } from "./model";

const part = (n: number, kind: Part["kind"], more: Partial<Part> = {}): Part => ({ n, side: n >= 100 ? "answer" : "request", kind, role: "", text: "", bytes: 0, ...more });

function turn(flow: string, added: Part[], answer: Part[], more: Partial<Turn> = {}): Turn {
  return {
    flow, turn: 1, api: "anthropic.messages", method: "POST", path: "/v1/messages", state: "done", status: 200, verdict: "pass", why: "", model: "m", entrance: "redirect", started: `2026-01-01T00:00:${flow.slice(1)}Z`,
    first_byte_ms: 1, duration_ms: 2, usage: { input: 1, output: 2, cache_read: 3, cache_write: 4, reasoning: 0, estimated: false }, cost_usd: null, request_bytes: 1, response_bytes: 1, redacted: false,
    change: { kept: 0, added: 0, removed: 0, system: false, tools: false, model: false, first: false }, cache: { read: 0, expected: 0, reason: "", text: "" }, added, answer, findings: [], ...more,
  };
}

const window = (branches: Branch[], more: Partial<Conversation> = {}): Conversation => ({
  session: "s", principal: "p", models: ["m"], custody: "same-user", first: "", last: "", turns_total: 0, branches, ...more,
});

const main = (...rounds: Branch["rounds"]): Branch => ({ subagent: "", rounds });
const keys = (windows: Conversation[]) => talkOf(windows).items.map((i) => "  ".repeat(i.depth) + i.key);

test("a result stands with its call, also from the next turn", () => {
  const call = part(100, "tool_call", { id: "c1", title: "Bash ls" });
  const one = turn("f01", [part(1, "text", { role: "user" })], [call]);
  const two = turn("f02", [part(2, "tool_call", { id: "c1", echo: true }), part(3, "tool_result", { id: "c1", marks: [{ start: 0, end: 1, rule: "secret.x", shown: "masked", from: 0, to: 1 }] })], []);
  const talk = talkOf([window([main({ n: 1, prompt: "x", turns: [one, two] })])]);
  expect(talk.calls.get("c1")?.result?.turn.flow).toBe("f02");
  expect(shownIn(talk, one).map((h) => [h.turn.flow, h.part.n])).toEqual([["f01", 1], ["f01", 100], ["f02", 3]]);
  expect(shownIn(talk, two)).toEqual([]);
  expect(itemOf(talk, "f02", 3)).toBe(talk.at.get("f01"));
  expect(marksOf(talk)).toEqual([{ flow: "f02", n: 3, i: 0, item: 1 }]);
});

test("what is sent back is told over the begin of a window", () => {
  const one = turn("f01", [], [part(100, "text", { text: "so" }), part(101, "tool_call", { id: "c1" })]);
  const two = turn("f02", [part(1, "text", { text: "so", role: "assistant" }), part(2, "tool_call", { id: "c1", role: "assistant" }), part(3, "text", { text: "so", role: "user" })], [], { before: "f01" });
  const talk = talkOf([window([main({ n: 1, prompt: "x", turns: [one] })]), window([main({ n: null, prompt: "", turns: [two] })])]);
  expect([...talk.echoes]).toEqual(["f02/1", "f02/2"]);
  expect(shownIn(talk, two).map((h) => h.part.n)).toEqual([3]);
});

test("sub-agents stand behind the calls that started them", () => {
  const one = turn("f01", [], [part(100, "tool_call", { id: "task" })]);
  const two = turn("f03", [], [], { compacts: "f01" });
  const sub: Branch = { subagent: "a", started_by: "task", rounds: [{ n: 1, prompt: "look", turns: [turn("f02", [], [])] }] };
  const lost: Branch = { subagent: "b", rounds: [{ n: 1, prompt: "y", turns: [turn("f04", [], [])] }] };
  const deep: Branch = { subagent: "c", parent: "a", rounds: [{ n: null, prompt: "", turns: [turn("f05", [], [])] }] };
  const windows = [window([main({ n: 1, prompt: "x", turns: [one, two] }), sub, lost, deep])];
  expect(keys(windows)).toEqual([
    "round f01", "f01", "  branch a", "  round f02", "  f02", "    branch c", "    f05", "compaction f03", "f03", "  branch b", "  round f04", "  f04",
  ]);
  expect(talkOf(windows).calls.get("task")?.branches).toEqual(["a"]);
});

test("branches without a beginning are shown", () => {
  const a: Branch = { subagent: "a", parent: "b", rounds: [{ n: 1, prompt: "", turns: [turn("f01", [], [])] }] };
  const b: Branch = { subagent: "b", parent: "a", rounds: [{ n: 1, prompt: "", turns: [turn("f02", [], [])] }] };
  expect(keys([window([main(), a, b])])).toEqual(["  branch a", "  round f01", "  f01", "    branch b", "    round f02", "    f02"]);
});

test("a round goes on over the end of a window, and rounds are counted on", () => {
  const first = window([main({ n: 1, prompt: "x", turns: [turn("f01", [], [])] })]);
  const second = window([main({ n: null, prompt: "", turns: [turn("f02", [], [])] }, { n: null, prompt: "y", turns: [turn("f03", [], [])] })]);
  const talk = talkOf([first, second]);
  expect(talk.items.map((i) => (i.kind === "round" ? `round ${i.round.n}` : i.key))).toEqual(["round 1", "f01", "f02", "round 2", "f03"]);
  expect(talkOf([second]).items.map((i) => (i.kind === "round" ? `round ${i.round.n}` : i.key))).toEqual(["f02", "round null", "f03"]);
  const overlaps = window([main({ n: null, prompt: "x", turns: [turn("f01", [], []), turn("f02", [], [])] }, { n: null, prompt: "y", turns: [turn("f03", [], [])] })]);
  expect(talkOf([first, overlaps]).items.map((i) => (i.kind === "round" ? `round ${i.round.n}` : i.key))).toEqual(["round 1", "f01", "f02", "round 2", "f03"]);
  expect(first.branches[0]?.rounds[0]?.turns).toHaveLength(1);
});

test("who speaks", () => {
  const says = (more: Partial<Part>) => speaker(part(1, "text", more));
  expect(says({ role: "user", text: "Fix it", prompt: 0 })).toBe("Person");
  expect(says({ role: "user", text: "<context>x</context>\nFix it", prompt: 21 })).toBe("Person");
  expect(says({ role: "user", text: "<system-reminder>\nx" })).toBe("Agent");
  expect(says({ role: "system", text: "You are" })).toBe("Agent");
  expect(says({ role: "assistant" })).toBe("Model");
  expect(says({ side: "answer" })).toBe("Model");
  expect(says({ side: "answer", kind: "unknown" })).toBe("Provider");
  expect(speaker(part(1, "tool_result", { role: "user" }))).toBe("Tool");
});

test("a turn is called by what the model did", () => {
  expect(nameOf(turn("f01", [], [part(100, "thinking", { text: "hm" }), part(101, "tool_call", { title: "Bash ls" }), part(102, "tool_call", {})]))).toBe("Bash ls +1");
  expect(nameOf(turn("f01", [], [part(100, "thinking", { text: "hm" }), part(101, "text", { text: "\nDone." })]))).toBe("Done.");
  expect(nameOf(turn("f01", [], [], { error: "overloaded_error" }))).toBe("overloaded_error");
});

test("a whole request has the order of the conversation, and each result stands with its call", () => {
  const ids = turn("f01", [part(1, "text", { role: "user" }), part(2, "tool_call", { id: "c1" }), part(3, "tool_call", { id: "c2" }), part(4, "tool_result", { id: "c2" }), part(5, "tool_result", { id: "c1" }), part(6, "text", { role: "user" })], []);
  const names = turn("f01", [
    part(1, "text", { role: "user" }), part(2, "tool_call", { name: "read" }), part(3, "tool_call", { name: "list" }), part(4, "tool_result", { name: "list" }), part(5, "tool_result", { name: "read" }), part(6, "tool_result", { name: "read" }), part(7, "tool_call", { name: "read" }),
  ], []);
  for (const [it, want] of [[ids, [1, 2, 5, 3, 4, 6]], [names, [1, 2, 5, 3, 4, 6, 7]]] as const) {
    const talk = talkOf([window([main({ n: 1, prompt: "x", turns: [it] })])]);
    expect(shownIn(talk, it).map((h) => h.part.n)).toEqual(want);
  }
});

test("calls whose ids only their agent knows are paired with their results", () => {
  const shell = (n: number, text: string, more: Partial<Part> = {}) => part(n, "tool_call", { name: "shell", text, ...more });
  const one = turn("f01", [], [shell(100, "a"), shell(101, "b")]);
  const echoes = [shell(1, "a", { id: "made-up-a", echo: true }), shell(2, "b", { id: "made-up-b", echo: true })];
  const results = [part(3, "tool_result", { name: "shell", id: "made-up-b" }), part(4, "tool_result", { name: "shell", id: "made-up-a" })];
  const two = turn("f02", [...echoes, ...results], [], { before: "f01" });
  const again = turn("f03", [shell(1, "a", { id: "made-up-a" })], [], { before: "f02" }); // a history that was written anew
  const talk = talkOf([window([main({ n: 1, prompt: "x", turns: [one, two, again] })])]);
  expect(shownIn(talk, one).map((h) => [h.turn.flow, h.part.n])).toEqual([["f01", 100], ["f02", 4], ["f01", 101], ["f02", 3]]);
  expect(shownIn(talk, two)).toEqual([]);
  expect(shownIn(talk, again).map((h) => h.part.n)).toEqual([1]);
});

test("a call is known again when its agent writes its arguments anew", () => {
  const one = turn("f01", [], [part(100, "tool_call", { name: "shell", text: '{"cmd": "a \\u003c b"}' }), part(101, "tool_call", { name: "shell", text: '{"n": 1}' })]);
  const echoes = [part(1, "tool_call", { name: "shell", role: "model", text: '{"cmd":"a < b"}', id: "made-up" }), part(2, "tool_call", { name: "shell", role: "model", text: '{"n":2}' })];
  const two = turn("f02", [...echoes, part(3, "tool_result", { name: "shell", id: "made-up" })], [], { before: "f01" });
  const talk = talkOf([window([main({ n: 1, prompt: "x", turns: [one, two] })])]);
  expect(shownIn(talk, one).map((h) => [h.turn.flow, h.part.n])).toEqual([["f01", 100], ["f02", 3], ["f01", 101]]);
  expect(shownIn(talk, two).map((h) => h.part.n)).toEqual([2]);
});

test("a result is of the call just before it, not of one that nothing answered", () => {
  const shell = (n: number, role = "model") => part(n, "tool_call", { name: "shell", role, text: `${n}` });
  const one = turn("f01", [], [shell(100)]);
  const two = turn("f02", [part(1, "text", { role: "user", text: "not that" })], [shell(100), shell(101)]);
  const three = turn("f03", [part(1, "tool_result", { name: "shell" }), part(2, "tool_result", { name: "shell" })], []);
  const talk = talkOf([window([main({ n: 1, prompt: "x", turns: [one, two, three] })])]);
  expect(shownIn(talk, one).map((h) => h.turn.flow)).toEqual(["f01"]);
  expect(shownIn(talk, two).map((h) => [h.turn.flow, h.part.n])).toEqual([["f02", 1], ["f02", 100], ["f03", 1], ["f02", 101], ["f03", 2]]);
  const whole = turn("f04", [shell(1), part(2, "text", { role: "user", text: "not that" }), shell(3), part(4, "tool_result", { name: "shell" })], []);
  expect(shownIn(talkOf([window([main({ n: 1, prompt: "x", turns: [whole] })])]), whole).map((h) => h.part.n)).toEqual([1, 2, 3, 4]);
  expect(talkOf([window([main({ n: 1, prompt: "x", turns: [whole] })])]).calls.get("f04/1")?.result).toBeUndefined();
});

test("a result whose call's id nobody saw is paired by its name", () => {
  const one = turn("f01", [], [part(100, "tool_call", { name: "shell" })]);
  const two = turn("f02", [part(2, "tool_result", { name: "shell", id: "made-up" })], []);
  const talk = talkOf([window([main({ n: 1, prompt: "x", turns: [one, two] })])]);
  expect(shownIn(talk, one).map((h) => [h.turn.flow, h.part.n])).toEqual([["f01", 100], ["f02", 2]]);
});

test("calls without ids are paired over turns, and never over a branch", () => {
  const one = turn("f01", [], [part(100, "tool_call", { name: "a" })]);
  const other = turn("f02", [], [part(100, "tool_call", { name: "a" })]);
  const two = turn("f03", [part(1, "tool_call", { name: "a", echo: true }), part(2, "tool_result", { name: "a" })], []);
  const talk = talkOf([window([main({ n: 1, prompt: "x", turns: [one, two] }), { subagent: "s", rounds: [{ n: 1, prompt: "y", turns: [other] }] }])]);
  expect(talk.results.get("f03/2")?.turn.flow).toBe("f01");
  expect(talk.calls.get("f02/100")?.result).toBeUndefined();
});

test("a picture behind a result is the tool's, and each other one its speaker's", () => {
  const media = (n: number, role = "user") => part(n, "media", { role });
  const text = (n: number, words: string) => part(n, "text", { role: "user", text: words, ...(words.startsWith("<") ? {} : { prompt: 0 }) });
  const result = (n: number) => part(n, "tool_result", { role: "user" });
  const whole = [media(1), text(2, "look"), part(3, "tool_call", { role: "model" }), result(4), result(5), media(6), media(7), text(8, "<system-reminder>\nx"), media(9), media(10, "model"), media(11), result(12), text(13, "and this"), media(14)];
  expect([...givenByTools(whole)]).toEqual([6, 7, 9]);
});

test("an outline calls a call that failed by its status, not by the body of the error", () => {
  const body = [part(100, "unknown", { text: '{"error":{"code":500}}' })];
  expect(nameOf(turn("f01", [], body, { status: 500, error: "INTERNAL" }))).toBe("HTTP 500 INTERNAL");
  expect(nameOf(turn("f01", [], body, { status: 500 }))).toBe("HTTP 500");
  expect(nameOf(turn("f01", [], [part(100, "text", { text: "Half" })], { status: 500 }))).toBe("Half");
  expect(nameOf(turn("f01", [], body))).toContain("error");
});
