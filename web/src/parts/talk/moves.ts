// How one gets about in a conversation: to a turn, a part, what was found in it.
import { useEffect, useRef } from "react";
import { useKeys, type Key } from "../keys";
import { type Desk } from "./desk";
import { itemOf, marksOf, placeOf, type Talk } from "./model";
import { foldsOf } from "./Parts";
import type { Reach } from "./Reading";

export interface Place {
  flow: string;
  n?: number | undefined; // of a part
}

/** The turn that shows the place. */
export function shownAt(talk: Talk, place: Place | undefined): string | undefined {
  const index = place && itemOf(talk, place.flow, place.n);
  const item = index === undefined ? undefined : talk.items[index];
  return item?.kind === "turn" ? item.turn.flow : place?.flow;
}

export function toggled(set: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(id)) next.add(id);
  return next;
}

/** The folds that hide a part: of a result, its call's, too. */
export function foldsWith(talk: Talk, flow: string, n: number): string[] {
  const call = talk.results.get(placeOf(flow, n));
  const turn = talk.turns.get(flow);
  const part = turn && [...turn.added, ...turn.answer].find((p) => p.n === n);
  return [
    ...(call ? foldsOf(call.turn.flow, call.part) : []),
    ...(part ? foldsOf(flow, part) : []),
    ...(turn?.side ? [`${flow}/side:side`] : []),
    `${flow}/rest:plain`,
  ];
}

export function show(talk: Talk, reach: Reach | null, index: number, flow: string, n?: number, mark?: number) {
  if (n === undefined) reach?.show(index);
  else reach?.showPart(index, { place: placeOf(flow, n), ...(mark === undefined ? {} : { mark }) }, foldsWith(talk, flow, n));
}

/** Goes to what could not be shown at once, when it is there. */
export function useArrival(talk: Talk, reach: React.RefObject<Reach | null>, goal: React.RefObject<Place | undefined>, place: Place | undefined) {
  useEffect(() => {
    const to = goal.current;
    const index = to && itemOf(talk, to.flow, to.n);
    if (to === undefined || index === undefined) return;
    goal.current = undefined;
    show(talk, reach.current, index, to.flow, to.n);
  }, [talk, reach, goal, place]);
}

interface KeysOf {
  talk: Talk;
  desk: Desk;
  flow: string | undefined;
  toFlow(flow: string, n?: number, mark?: number): void;
  more?: Key[]; // that this page has beside them
}

export function useTalkKeys({ talk, desk, flow, toFlow, more = [] }: KeysOf) {
  const mark = useRef(-1);
  const now = flow === undefined ? -1 : (talk.at.get(flow) ?? -1);
  const go = (step: 1 | -1, round: boolean) => {
    let i = now + step;
    if (round && step < 0) {
      const begin = roundOf(talk, now);
      i = now > begin + 1 ? begin : begin - 1; // to its begin first
    }
    for (; i >= 0 && i < talk.items.length; i += step) {
      const item = talk.items[i];
      if (!round && item?.kind === "turn") return toFlow(item.turn.flow);
      if (round && item?.kind === "round" && item.round.turns[0]) return toFlow(item.round.turns[0].flow);
    }
  };
  const finding = (step: 1 | -1) => {
    const all = marksOf(talk);
    if (all.length === 0) return;
    const start = all[mark.current] ? mark.current : step > 0 ? all.findIndex((m) => m.item >= now) - 1 : all.findLastIndex((m) => m.item <= now) + 1;
    mark.current = (start + step + all.length) % all.length;
    const to = all[mark.current]!;
    toFlow(to.flow, to.n, to.i);
  };
  useKeys("Session", [
    { keys: "j", also: "ArrowDown", does: "next turn", run: () => go(1, false) },
    { keys: "k", also: "ArrowUp", does: "turn before", run: () => go(-1, false) },
    { keys: "n", does: "next round", run: () => go(1, true) },
    { keys: "p", does: "round before", run: () => go(-1, true) },
    { keys: "o", also: "Enter", does: "open or fold all of a turn", run: () => flow && desk.foldTurn(flow) },
    { keys: "t", does: "thinking: open or fold", run: () => desk.foldKind("thinking") },
    { keys: "u", does: "tool calls: open or fold", run: () => desk.foldKind("tool") },
    { keys: "]", does: "next finding", run: () => finding(1) },
    { keys: "[", does: "finding before", run: () => finding(-1) },
    { keys: "f", does: "find in the session", run: () => document.getElementById("find-in-session")?.focus() },
    ...more,
  ]);
}

/** The item of the round that an item is in. */
function roundOf(talk: Talk, index: number): number {
  return talk.items.findLastIndex((item, i) => i <= index && item.kind === "round");
}
