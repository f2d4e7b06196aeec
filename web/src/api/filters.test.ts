import { expect, test } from "vitest";
import { fields } from "./fields";
import { complete, fieldAt, taken } from "./filters";

const texts = (typed: string, known = {}) => complete(typed, typed.length, fields, known).choices.map((c) => c.text);

test("what is typed is completed", () => {
  const cases: [string, string[]][] = [
    ["verd", ["verdict:"]],
    ["model:claude* -verdict:bl", ["block"]],
    ["verdict:block,re", ["redact"]],
    ["(is:o", ["open"]],
    ["co", ["cost>"]],
    ["cost>", ["0.5"]],
    ["since:1", ["15m", "1h", "12h", "1d"]],
    ["severity>=h", ["high"]],
    ['"verd', []],
    ["", []],
    ["verdict:block", []],
    ["nothing:x", []],
  ];
  for (const [typed, want] of cases) expect(texts(typed), typed).toEqual(want);
  expect(texts("s")[0]).toBe("since:");
});

test("values that were recorded, quoted where the language needs it", () => {
  expect(texts("model:", { model: ["gpt-5", 'odd "one", (two)'] })).toEqual(["gpt-5", '"odd \\"one\\", (two)"', "unknown"]);
});

test("a choice replaces what was typed of it", () => {
  const typed = "verd cost>1";
  const c = complete(typed, 4, fields);
  expect(taken(typed, c, c.choices[0]!)).toEqual({ text: "verdict: cost>1", caret: 8 });
  const v = complete("verdict:block,re", 16, fields);
  expect(taken("verdict:block,re", v, v.choices[0]!)).toEqual({ text: "verdict:block,redact ", caret: 21 });
});

test("the field of the caret's term", () => {
  expect(fieldAt("agent:x model:", 14)).toBe("model");
  expect(fieldAt("agent:x model:", 7)).toBe("agent");
  expect(fieldAt("words", 5)).toBe("");
});
