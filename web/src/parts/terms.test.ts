import { expect, test } from "vitest";
import { both, moment, term } from "./terms";

test("a value is one, whatever stands in it", () => {
  const cases: [string, string][] = [
    ["claude-sonnet-4-5", "model:claude-sonnet-4-5"],
    ["", "model:unknown"],
    ["unknown", 'model:"unknown"'],
    ["a b OR c", 'model:"a b OR c"'],
    ['quo"te\\', 'model:"quo\\"te\\\\"'],
    ["star*", 'model:"star*"'],
    ["3..9", "model:3..9"],
  ];
  for (const [value, want] of cases) expect(term("model", value)).toBe(want);
});

test("filters are joined so that each holds", () => {
  expect(both("", undefined, "a:b")).toBe("a:b");
  expect(both("a:b OR c:d", "")).toBe("a:b OR c:d");
  expect(both("a:b OR c:d", "e:f")).toBe("(a:b OR c:d) e:f");
  expect(moment(new Date("2026-11-26T00:00:00+01:00"))).toBe("2026-11-25T23:00:00Z");
});
