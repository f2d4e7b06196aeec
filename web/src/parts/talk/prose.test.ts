import { expect, test } from "vitest";
import { edits } from "./changes";
import { cutAt, hexLines } from "./hex";
import { segments } from "./prose";

const shown = (text: string) => segments(text).map((s) => `${s.look}:${text.slice(s.start, s.end)}`);

test("headings and code are told from text, and nothing is lost", () => {
  const cases: [string, string[]][] = [
    ["", []],
    ["plain\ntext", ["text:plain\ntext"]],
    ["# One\n## Two\nx", ["heading:# One\n", "heading:## Two\n", "text:x"]],
    ["#no heading", ["text:#no heading"]],
    ["use `npm` and `x`", ["text:use ", "code:`npm`", "text: and ", "code:`x`"]],
    ["a\n```ts\nb `c`\n# d\n```\ne", ["text:a\n", "fence:```ts\nb `c`\n# d\n```\n", "text:e"]],
    ["````\n```\n````\nz", ["fence:````\n```\n````\n", "text:z"]],
    ["```\nnever closed", ["fence:```\nnever closed"]],
    ["```\na\n```\n```\nb\n```", ["fence:```\na\n```\n", "fence:```\nb\n```"]],
  ];
  for (const [text, want] of cases) expect(shown(text), text).toEqual(want);
});

test("edits are found where values were replaced", () => {
  const rest = " and so on, long enough to be told again";
  const a = `begin SECRET${rest} token middle${rest}`;
  const b = `begin P1${rest} another middle${rest}`;
  const got = edits(a, b);
  expect(got.whole).toBe(true);
  expect(got.edits.map((e) => [e.was, e.is])).toEqual([["SECRET", "P1"], ["token", "another"]]);
  expect(edits("same", "same")).toEqual({ edits: [], whole: true });
  expect(edits("the end is x", "the end is yz").edits).toEqual([{ at: 11, was: "x", is: "yz" }]);
  expect(edits("", "new")).toEqual({ edits: [{ at: 0, was: "", is: "new" }], whole: true });
});

test("bytes are cut between characters", () => {
  const bytes = new TextEncoder().encode("aé👍z");
  expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 99].map((n) => cutAt(bytes, n))).toEqual([0, 1, 1, 3, 3, 3, 3, 7, 8, 8]);
  expect(hexLines(bytes, 0, 16)).toEqual([{ at: "00000000", hex: "61 c3 a9 f0 9f 91 8d 7a".padEnd(47), text: "a······z" }]);
});
