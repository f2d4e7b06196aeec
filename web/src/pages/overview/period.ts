// The time that sums are over.
import { day } from "../../parts/format";
import { both, moment } from "../../parts/terms";

export const periods = [
  { value: "1d", text: "Today" },
  { value: "7d", text: "7 days" },
  { value: "30d", text: "30 days" },
  { value: "90d", text: "90 days" },
  { value: "all", text: "All" },
] as const;

export type Period = (typeof periods)[number]["value"];

export const usual: Period = "7d";

export function periodOf(text: string | undefined): Period {
  return periods.find((p) => p.value === text)?.value ?? usual;
}

/** The filter says itself of what time. */
export function timed(q: string): boolean {
  return /(^|[\s(-])(since|until)[:<>]/i.test(q);
}

/** q within the period, which begins with a day of this browser's clock. */
export function within(q: string, period: Period, now = new Date()): string {
  const first = firstDay(period, now);
  return timed(q) || !first ? q : both(q, `since:${moment(first)}`);
}

function firstDay(period: Period, now: Date): Date | undefined {
  if (period === "all") return undefined;
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() - Number.parseInt(period, 10) + 1);
}

/** One day of this browser's clock as a filter. */
export function onDay(text: string): string {
  const [y = 0, m = 1, d = 1] = text.split("-").map(Number);
  return `since:${moment(new Date(y, m - 1, d))} until:${moment(new Date(y, m - 1, d + 1))}`;
}

/** The days that a chart shows: all of the period, also those without a call. */
export function daysOf(q: string, period: Period, seen: string[], now = new Date()): string[] {
  const known = seen.toSorted();
  const first = timed(q) ? undefined : firstDay(period, now);
  const begin = first ? day(first) : known[0];
  if (begin === undefined) return [];
  const end = timed(q) ? (known.at(-1) ?? begin) : day(now);
  const out: string[] = [];
  const [y = 0, m = 1, d = 1] = begin.split("-").map(Number);
  for (let i = 0; out.length < mostDays; i++) {
    const next = day(new Date(y, m - 1, d + i));
    if (next > end) break;
    out.push(next);
  }
  return out;
}

const mostDays = 400;
