// A word in what is loaded of a session.
import type { Target } from "./desk";
import { placeOf, shownIn, type Talk } from "./model";

export interface Place {
  flow: string;
  target: Target;
}

const most = 2_000; // places

/** Where a text stands, in the order in which it is read. */
export function find(talk: Talk, text: string): Place[] {
  const small = text.toLowerCase();
  const out: Place[] = [];
  if (small === "") return out;
  for (const item of talk.items) {
    if (item.kind !== "turn") continue;
    for (const { turn, part } of shownIn(talk, item.turn)) {
      const place = placeOf(turn.flow, part.n);
      const lower = part.text.toLowerCase();
      for (let at = lower.indexOf(small); at >= 0 && out.length < most; at = lower.indexOf(small, at + small.length)) {
        out.push({ flow: turn.flow, target: { place, ...(inText(part.kind) ? { at } : {}) } });
        if (!inText(part.kind)) break; // drawn in another form: the part is shown
      }
    }
  }
  return out;
}

const inText = (kind: string) => kind === "text" || kind === "thinking" || kind === "tool_result";
