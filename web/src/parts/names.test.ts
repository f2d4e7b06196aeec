import { expect, test } from "vitest";
import { masked } from "./names";

test("a masked name tells people apart, and does not name them", () => {
  for (const [principal, want] of [
    ["alice/claude", /^A·[0-9a-f]{2}\/claude$/],
    ["anna.lee/python3.12", /^AL·[0-9a-f]{2}\/python3\.12$/],
    ["key:ci", /^key C·[0-9a-f]{2}$/],
    ["tester", /^T·[0-9a-f]{2}$/],
    ["/", /^\?·[0-9a-f]{2}\/$/],
    ["", /^\?·[0-9a-f]{2}$/],
  ] as const) expect(masked(principal)).toMatch(want);
  expect(masked("alice")).not.toBe(masked("anton"));
  expect(masked("alice/claude").slice(0, 4)).toBe(masked("alice/codex").slice(0, 4));
});
