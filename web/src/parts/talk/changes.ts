// What differs between two texts of which one is the other with some values
// replaced: as what an agent sent, and what went on to the provider.

export interface Edit {
  at: number; // in the first
  was: string;
  is: string;
}

const anchor = 24; // characters that must be the same again behind an edit
const reach = 65_536;

/** Gives the edits that make b of a. whole is false when the texts differ otherwise:
 * then the last edit is all that is left. */
export function edits(a: string, b: string): { edits: Edit[]; whole: boolean } {
  const out: Edit[] = [];
  let [i, j] = [0, 0];
  for (;;) {
    const same = common(a, i, b, j);
    [i, j] = [i + same, j + same];
    if (i === a.length && j === b.length) return { edits: out, whole: true };
    const next = meet(a, i, b, j);
    if (!next) return { edits: [...out, { at: i, was: a.slice(i), is: b.slice(j) }], whole: false };
    out.push({ at: i, was: a.slice(i, next[0]), is: b.slice(j, next[1]) });
    [i, j] = next;
  }
}

function common(a: string, i: number, b: string, j: number): number {
  const most = Math.min(a.length - i, b.length - j);
  let n = 0;
  while (n < most && a.charCodeAt(i + n) === b.charCodeAt(j + n)) n++;
  return n;
}

/** Finds the nearest place where both go on alike. */
function meet(a: string, i: number, b: string, j: number): [number, number] | undefined {
  const near = a.slice(i, i + reach);
  for (let step = 0; step <= 4_096 && j + step <= b.length; step++) {
    const rest = b.slice(j + step, j + step + anchor);
    if (rest.length < anchor && j + step + rest.length === b.length) {
      if (a.endsWith(rest) && a.length - rest.length >= i) return [a.length - rest.length, j + step];
      continue;
    }
    const found = near.indexOf(rest);
    if (found >= 0) return [i + found, j + step];
  }
  return undefined;
}
