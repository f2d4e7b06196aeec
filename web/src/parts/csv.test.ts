import { expect, test } from "vitest";
import { csv } from "./csv";

test("what a spreadsheet would run is text", () => {
  for (const bad of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]) expect(csv([[bad]]), bad).toMatch(/^"?'/);
  expect(csv([[-1, 0.25, null]])).toBe("-1,0.25,unknown\r\n");
});

test("quotes, commas and lines stay in their cell", () => {
  expect(csv([['a"b', "c,d", "e\nf"], ["=\"x\"", "plain"]])).toBe('"a""b","c,d","e\nf"\r\n"\'=""x""",plain\r\n');
});
