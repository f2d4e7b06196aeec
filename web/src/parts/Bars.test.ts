import { expect, test } from "vitest";
import { ticksOf } from "./Bars";

test("an axis has few round numbers and room for the largest", () => {
  expect(ticksOf(0)).toEqual([0, 1]);
  expect(ticksOf(4)).toEqual([0, 1, 2, 3, 4]);
  expect(ticksOf(9, true)).toEqual([0, 3, 6, 9]);
  expect(ticksOf(2, true)).toEqual([0, 1, 2]);
  expect(ticksOf(97)).toEqual([0, 25, 50, 75, 100]);
  for (const most of [0.0003, 0.7, 3, 11, 999, 123_456]) {
    const t = ticksOf(most);
    expect(t.at(-1)).toBeGreaterThanOrEqual(most * (1 - 1e-9));
    expect(t.length).toBeLessThanOrEqual(6);
  }
});
