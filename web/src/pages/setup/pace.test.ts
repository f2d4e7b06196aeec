import { expect, test } from "vitest";
import { paceOf } from "./pace";

const day = 86_400_000;
const at = (n: number) => new Date(n * day).toISOString();

test("growth is of the last week", () => {
  expect(paceOf([], 5)).toBeUndefined();
  expect(paceOf([{ from: at(1), bytes: 9 }], day + 1_000)).toBeUndefined();
  expect(paceOf([{ from: at(1), bytes: 100 }], 3 * day)).toBe(50);
  expect(paceOf([{ from: at(0), bytes: 700 }, { from: at(14), bytes: 70 }], 21 * day)).toBe(10);
  expect(paceOf([{ from: at(0), bytes: 1_400 }], 14 * day)).toBe(100);
});
