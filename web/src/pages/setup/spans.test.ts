import { expect, test } from "vitest";
import type { Entry } from "../../api/answers";
import { spansOf } from "./spans";

const at = (s: number) => new Date(s * 1_000).toISOString();
const entry = (s: number, kind: string, mode?: string): Entry => ({ entry: s, at: at(s), kind, ...(mode ? { attrs: { mode } } : {}) });
const told = (entries: Entry[], now: number) => spansOf(entries, now * 1_000).map((s) => `${s.from / 1_000}-${s.to / 1_000} ${s.state}`);

test("modes and the time between runs", () => {
  expect(told([entry(1, "start", "report"), entry(5, "policy.load", "enforce"), entry(6, "verify"), entry(9, "stop"), entry(12, "start", "enforce")], 20)).toEqual(["1-5 report", "5-9 enforce", "9-12 down", "12-20 enforce"]);
});

test("a run that never said that it stops has an end that nobody knows", () => {
  expect(told([entry(1, "start", "enforce"), entry(4, "verify"), entry(9, "start", "enforce")], 10)).toEqual(["1-4 enforce", "4-9 lost", "9-10 enforce"]);
});

test("the same mode again is one span; without a policy nothing passes", () => {
  expect(told([entry(1, "start", "enforce"), entry(3, "policy.load", "enforce"), entry(5, "policy.load", "")], 8)).toEqual(["1-5 enforce", "5-8 none"]);
  expect(told([], 8)).toEqual([]);
});
