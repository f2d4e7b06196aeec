import { useNavigate } from "@tanstack/react-router";
import type { Group } from "../../api/answers";
import { Bars, mostSeries, type Series } from "../../parts/Bars";
import { short, usd } from "../../parts/format";
import { visible } from "../../parts/signs";
import { both } from "../../parts/terms";
import { daysOf, onDay, type Period } from "./period";
import { measured, type Measure } from "./sums";

const words: Record<Measure, string> = { spend: "Spend in US dollars", tokens: "Tokens", calls: "Calls" };

export function Daily({ groups, q, period, measure, stack }: { groups: Group[]; q: string; period: Period; measure: Measure; stack: "agent" | "model" }) {
  const navigate = useNavigate();
  const days = daysOf(q, period, groups.map((g) => g.keys[0] ?? ""));
  const unpriced = measure === "spend" && groups.some((g) => g.unpriced > 0);
  return (
    <>
      <Bars
        label={`${words[measure]} by day and ${stack}`}
        days={days}
        series={seriesOf(groups, days, measure, stack)}
        draw={measure === "spend" ? dollars : short}
        whole={measure !== "spend"}
        onDay={(d) => void navigate({ to: "/live", search: { q: both(q, onDay(d)) } })}
      />
      {unpriced && <p className="text-sm text-muted">Calls without a known price are not in the bars.</p>}
    </>
  );
}

/** $0.2 rather than $0.200: an axis has round numbers. */
function dollars(n: number): string {
  return n < 1 ? usd(n).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "") : usd(n);
}

/** The largest, in the order of the alphabet so that colours stay, and the rest as one. */
function seriesOf(groups: Group[], days: string[], measure: Measure, stack: "agent" | "model"): Series[] {
  const all = Map.groupBy(groups, (g) => g.keys[1] ?? "");
  const sum = (list: Group[]) => list.reduce((n, g) => n + (measured(g, measure) ?? 0), 0);
  const ranked = [...all].sort((a, b) => sum(b[1]) - sum(a[1]));
  const own = ranked.slice(0, mostSeries).sort(([a], [b]) => a.localeCompare(b));
  const rest = ranked.slice(mostSeries).flatMap(([, list]) => list);
  const out = own.map(([name, list]) => ({ name: visible(name) || `no ${stack} known`, values: valuesOf(list, days, measure) }));
  if (rest.length > 0) out.push({ name: "the others", values: valuesOf(rest, days, measure) });
  return out;
}

function valuesOf(list: Group[], days: string[], measure: Measure): (number | null)[] {
  const byDay = Map.groupBy(list, (g) => g.keys[0] ?? "");
  return days.map((d) => {
    const values = (byDay.get(d) ?? []).map((g) => measured(g, measure));
    if (values.length > 0 && values.every((v) => v === null)) return null;
    return values.reduce<number>((n, v) => n + (v ?? 0), 0);
  });
}
