// Figures and times as the page writes them. Unknown is never 0.
import type { UsageView } from "../api/made";

export const unknown = "unknown";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export function num(n: number): string {
  return whole.format(n);
}

/** 999, 1.2k, 34k, 1.2M: at most four characters. */
export function short(n: number): string {
  if (n < 1_000) return String(Math.round(n));
  const [value, unit] = n < 999_500 ? [n / 1_000, "k"] : n < 999_500_000 ? [n / 1_000_000, "M"] : [n / 1_000_000_000, "G"];
  return (value < 9.95 ? value.toFixed(1) : value.toFixed(0)) + unit;
}

export function bytes(n: number): string {
  if (n < 1_000) return `${n} B`;
  if (n < 999_500) return `${digits(n / 1_000)} kB`;
  if (n < 999_500_000) return `${digits(n / 1_000_000)} MB`;
  return `${digits(n / 1_000_000_000)} GB`;
}

function digits(n: number): string {
  return n < 9.95 ? n.toFixed(1) : n.toFixed(0);
}

export function ms(n: number | null): string {
  if (n === null) return "–";
  if (n < 999.5) return `${Math.round(n)} ms`;
  if (n < 59_950) return `${(n / 1_000).toFixed(n < 9_950 ? 2 : 1)} s`;
  const seconds = Math.round(n / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ${pad(seconds % 60)} s`;
  return `${Math.floor(seconds / 3_600)} h ${pad(Math.floor((seconds % 3_600) / 60))} m`;
}

/** US dollars. Null is a price that nobody knows. */
export function usd(n: number | null | undefined): string {
  if (n === null || n === undefined) return unknown;
  if (n === 0) return "$0";
  if (n < 0.0001) return "<$0.0001";
  if (n < 0.01) return `$${n.toFixed(4)}`;
  if (n < 1) return `$${n.toFixed(3)}`;
  return `$${n.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

/** A sum of which some parts are not known. */
export function partial(n: number | null | undefined, unpriced: boolean): string {
  if (n === null || n === undefined) return unknown;
  return unpriced ? `≥ ${usd(n)}` : usd(n);
}

const pad = (n: number) => String(n).padStart(2, "0");

/** 15:04:05 in local time; with the date unless it is today. */
export function time(at: string | number, now = Date.now()): string {
  const t = new Date(at);
  const clock = `${pad(t.getHours())}:${pad(t.getMinutes())}:${pad(t.getSeconds())}`;
  return t.toDateString() === new Date(now).toDateString() ? clock : `${day(t)} ${clock}`;
}

/** For lists of the newest: 15:04:05, or 11-26 15:04 of another day. */
export function clock(at: string | number, now = Date.now()): string {
  const t = new Date(at);
  const minutes = `${pad(t.getHours())}:${pad(t.getMinutes())}`;
  if (t.toDateString() === new Date(now).toDateString()) return `${minutes}:${pad(t.getSeconds())}`;
  return `${pad(t.getMonth() + 1)}-${pad(t.getDate())} ${minutes}`;
}

export function day(at: Date | string | number): string {
  const t = new Date(at);
  return `${t.getFullYear()}-${pad(t.getMonth() + 1)}-${pad(t.getDate())}`;
}

/** For titles: everything, with the zone. */
export function exact(at: string | number): string {
  const t = new Date(at);
  const zone = -t.getTimezoneOffset();
  const sign = zone < 0 ? "-" : "+";
  const millis = String(t.getMilliseconds()).padStart(3, "0");
  return `${day(t)} ${time(at, t.getTime())}.${millis} UTC${sign}${pad(Math.floor(Math.abs(zone) / 60))}:${pad(Math.abs(zone) % 60)}`;
}

/** 12 s, 4 m, 3 h, 5 d ago. */
export function age(at: string | number, now = Date.now()): string {
  const s = Math.max(0, Math.round((now - new Date(at).getTime()) / 1_000));
  if (s < 60) return `${s} s ago`;
  if (s < 3_600) return `${Math.floor(s / 60)} m ago`;
  if (s < 86_400) return `${Math.floor(s / 3_600)} h ago`;
  return `${Math.floor(s / 86_400)} d ago`;
}

/** The end of an id tells flows apart, its begin is the time. */
export function shortID(id: string): string {
  return id.length <= 14 ? id : `${id.slice(0, 5)}…${id.slice(-6)}`;
}

/** A session's name, kept whole when it is short. */
export function shortSession(id: string): string {
  return id.length <= 22 ? id : `${id.slice(0, 8)}…${id.slice(-4)}`;
}

/** Whether anything is there that has a price, or whose price is missing. */
export function used({ usage: u, cost_usd: cost }: { usage: UsageView; cost_usd: number | null }): boolean {
  return cost !== null || u.input + u.cache_read + u.cache_write + u.output > 0;
}
