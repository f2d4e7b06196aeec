import { expect, test } from "vitest";
import { daysOf, onDay, timed, within } from "./period";

const now = new Date(2026, 10, 26, 15, 30);
const z = (d: number) => `${new Date(2026, 10, d).toISOString().slice(0, 19)}Z`;

test("a period begins with a day, and leaves a filter's own time alone", () => {
  expect(within("", "1d", now)).toBe(`since:${z(26)}`);
  expect(within("a:b OR c:d", "7d", now)).toBe(`(a:b OR c:d) since:${z(20)}`);
  expect(within("model:x since:2h", "7d", now)).toBe("model:x since:2h");
  expect(within("model:x", "all", now)).toBe("model:x");
  expect(timed('"since:x"')).toBe(false);
  expect(onDay("2026-11-26")).toBe(`since:${z(26)} until:${z(27)}`);
});

test("a chart has every day of its period", () => {
  expect(daysOf("", "7d", ["2026-11-26"], now)).toHaveLength(7);
  expect(daysOf("", "all", ["2026-11-26", "2026-10-31"], now)).toHaveLength(27);
  expect(daysOf("since:2d", "7d", ["2026-11-25"], now)).toEqual(["2026-11-25"]);
  expect(daysOf("", "all", [], now)).toEqual([]);
});
