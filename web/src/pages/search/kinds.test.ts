import { expect, test } from "vitest";
import { hiddenIn, kindOf, kinds, shownOf, showOf } from "./kinds";

test("a hit is of one kind", () => {
  for (const [kind, role, want] of [
    ["text", "user", "people"], ["text", "assistant", "model"], ["text", "model", "model"], ["thinking", "assistant", "model"], ["tool_call", "assistant", "calls"],
    ["tool_result", "user", "results"], ["tool_definition", "", "definitions"], ["text", "system", "system"], ["text", "developer", "system"], ["media", "user", "people"],
  ] as const) expect(kindOf({ kind, role }), `${kind} of ${role}`).toBe(want);
});

test("the address says which are shown", () => {
  expect([...shownOf(undefined)]).toEqual(["people", "model", "calls", "results"]);
  expect([...shownOf("definitions,people,<b>")]).toEqual(["people", "definitions"]);
  expect([...shownOf("<b>")]).toEqual([...shownOf(undefined)]);
  expect([...shownOf("none")]).toEqual([]);
  for (const show of [undefined, "none", "people", "people,model,calls,results,system,definitions"]) expect(showOf(shownOf(show))).toBe(show);
});

test("what is hidden is told", () => {
  const hits = [{ kind: "text", role: "user" }, { kind: "tool_definition", role: "" }, { kind: "tool_definition", role: "" }, { kind: "text", role: "system" }];
  expect(hiddenIn(hits, shownOf(undefined))).toBe("3 more in system prompts and tool definitions");
  expect(hiddenIn(hits, new Set(kinds.map((k) => k.kind)))).toBe("");
  expect(hiddenIn(hits.slice(0, 1), shownOf("none"))).toBe("1 more in what people said");
});
