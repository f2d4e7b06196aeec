import { expect, test } from "vitest";
import { made } from "../../../dev/rows";
import type { Row } from "../../api/types";
import { List, most } from "./list";

const some = (from: number, to: number, state: "open" | "done" = "done") => Array.from({ length: to - from }, (_, i) => made(from + i, state));
const ids = (l: List) => Array.from({ length: l.count }, (_, i) => l.at(i)!.id);
const wanted = (from: number, to: number) => some(from, to).map((r) => r.id).toReversed();

/** A list that has read its first page. */
function read(from: number, to: number, more = true): List {
  const l = new List();
  l.anew(some(from, to), more);
  return l;
}

test("pages and live rows are one list, newest on top", () => {
  const l = read(50, 60);
  l.put(some(60, 63, "open"));
  l.older(some(40, 50), true);
  l.older(some(35, 42), false);
  expect(ids(l)).toEqual(wanted(35, 63));
  expect(l.more).toBe(false);
});

test("events between ready and the first page are kept, whichever is newer", () => {
  const l = new List();
  l.put(some(8, 12)); // 8 and 9 ended
  l.anew(some(0, 10, "open"), false);
  expect(ids(l)).toEqual(wanted(0, 12));
  expect(l.at(2)!.state).toBe("done");
});

test("a flow that ended is never open again", () => {
  const l = read(0, 3);
  l.put([made(1, "open")]);
  expect(l.at(1)!.state).toBe("done");
});

test("a row between others finds its place; one before all waits for its page", () => {
  const l = read(0, 10);
  l.gone([made(4, "done").id]);
  expect(l.count).toBe(9);
  l.put([made(4, "done"), { ...made(4, "done"), id: "e", started: made(-9, "done").started }]);
  expect(ids(l)).toEqual(wanted(0, 10));
});

test("times of unlike lengths are compared as times", () => {
  const row = (id: string, started: string): Row => ({ ...made(0, "done"), id, started });
  const l = new List();
  l.put([row("c", "2026-01-01T00:00:01Z"), row("a", "2026-01-01T00:00:00.5Z"), row("b", "2026-01-01T00:00:00.51Z")]);
  expect(ids(l)).toEqual(["c", "b", "a"]);
});

test("a list that is held stands still and counts", () => {
  const l = read(10, 20);
  l.hold(true);
  l.put(some(20, 25, "open"));
  l.put([made(12, "done")]);
  expect(ids(l)).toEqual(wanted(10, 20));
  expect(l.waiting).toBe(5);
  expect(l.find(made(22, "done").id)).toBe(-1);
  l.older(some(5, 10), true);
  l.gone([made(21, "done").id, made(15, "done").id]);
  expect(l.waiting).toBe(4);
  expect(l.count).toBe(14);
  l.take();
  expect(l.count).toBe(18);
  l.hold(false);
  expect(l.at(0)!.id).toBe(made(24, "done").id);
});

test("what is found is where it is drawn", () => {
  const l = read(0, 100);
  for (const n of [0, 1, 50, 99]) expect(l.at(l.find(made(n, "done").id))!.id).toBe(made(n, "done").id);
});

test("after a gap the list begins anew; a held one only when it is let go", () => {
  const l = read(0, 50);
  l.anew(some(200, 210), true);
  expect(ids(l)).toEqual(wanted(200, 210));
  l.hold(true);
  l.anew(some(500, 510), true);
  expect(ids(l)).toEqual(wanted(200, 210));
  expect(l.stale).toBe(true);
});

test("memory is bounded, and it is said that rows were let go", () => {
  const l = read(0, 10, false);
  l.put(some(10, most + 5_000));
  expect(l.count).toBeLessThanOrEqual(most + 2_000);
  expect(l.more && l.letGo).toBe(true);
  expect(l.find(made(0, "done").id)).toBe(-1);
  l.hold(true);
  l.put(some(200_000, 230_000));
  expect(l.waiting).toBe(20_000);
  expect(l.stale).toBe(true);
});
