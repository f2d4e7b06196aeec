// What groups of flows add up to, for figures, tables and files.
import type { By, Group } from "../../api/answers";
import { day } from "../../parts/format";
import type { Cell } from "../../parts/csv";
import { both, term } from "../../parts/terms";
import { onDay, within, type Period } from "./period";

export type Measure = "spend" | "tokens" | "calls";

export function tokens(g: Group): number {
  const u = g.usage;
  return u.input + u.output + u.cache_read + u.cache_write;
}

/** Of the tokens that went in, those that came from the provider's cache; null: none went in. */
export function cacheShare(g: Group): number | null {
  const u = g.usage;
  const all = u.input + u.cache_read + u.cache_write;
  return all === 0 ? null : u.cache_read / all;
}

export function percent(share: number | null): string {
  if (share === null) return "–";
  return `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
}

/** null: there is a cost and nobody knows it. */
export function measured(g: Group, m: Measure): number | null {
  if (m === "calls") return g.flows;
  if (m === "tokens") return tokens(g);
  return g.cost_usd ?? (g.unpriced > 0 ? null : 0);
}

/** The filter that chooses a group's flows, among those of q within the period. */
export function chosen(q: string, period: Period, by: By, g: Group): string {
  const key = g.keys[0] ?? "";
  if (by === "day") return both(q, onDay(key));
  return both(within(q, period), term(by, key));
}

/** A table's cells with a line of names; name gives what stands for a key. */
export function table(by: By, groups: Group[], name: (g: Group) => string): Cell[][] {
  const families = [...new Set(groups.flatMap((g) => Object.keys(g.findings)))].sort();
  const head = [by, "calls", "turns", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "cost_usd", "calls_without_a_price", "blocked", "redacted", "would_have", "failed", ...families.map((f) => `calls_with_${f}`)];
  return [head, ...groups.map((g) => cells(g, name(g), families))];
}

function cells(g: Group, name: string, families: string[]): Cell[] {
  const u = g.usage;
  return [
    name, g.flows, g.turns, u.input, u.output, u.cache_read, u.cache_write, u.reasoning, measured(g, "spend"), g.unpriced,
    g.blocked, g.redacted, g.would, g.failed, ...families.map((f) => g.findings[f] ?? 0),
  ];
}

export function fileName(by: By | "family"): string {
  return `gatehouse-by-${by}-${day(new Date())}.csv`;
}
