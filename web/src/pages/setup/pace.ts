/** How many bytes a day the record grew by in the last week, or since it begins;
 * undefined: it is too young. Within a segment growth is taken as even. */
export function paceOf(segments: { from: string; bytes: number }[], now: number): number | undefined {
  const first = segments[0];
  if (!first) return undefined;
  const begin = Math.max(new Date(first.from).getTime(), now - 7 * day);
  if (now - begin < hour) return undefined;
  let sum = 0;
  for (const [i, s] of segments.entries()) {
    const from = new Date(s.from).getTime();
    const to = Math.max(from, new Date(segments[i + 1]?.from ?? now).getTime());
    const within = to - Math.max(from, begin);
    if (within > 0) sum += (s.bytes * within) / Math.max(1, to - from);
  }
  return (sum / (now - begin)) * day;
}

const hour = 3_600_000;
const day = 24 * hour;
