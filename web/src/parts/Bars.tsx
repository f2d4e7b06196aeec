// Stacked bars over days. Colour is never alone: the legend has the order, the
// line that follows the pointer has the words, and the same figures stand in a
// table for those who can't see it.
import { useEffect, useId, useRef, useState } from "react";

export interface Series {
  name: string;
  values: (number | null)[]; // one for each day; null: unknown
}

export interface BarsProps {
  label: string; // what is drawn
  days: string[]; // 2026-11-26
  series: Series[];
  draw(n: number): string; // a value in words
  whole?: boolean; // values are counts
  onDay?: (day: string) => void;
}

const height = 190;
const edge = { top: 10, right: 4, bottom: 22, left: 56 };
const fills = ["fill-series-1", "fill-series-2", "fill-series-3", "fill-series-4", "fill-series-5", "fill-series-6", "fill-series-rest"];
const grounds = ["bg-series-1", "bg-series-2", "bg-series-3", "bg-series-4", "bg-series-5", "bg-series-6", "bg-series-rest"];

/** How many series have a colour; the others are put together. */
export const mostSeries = fills.length - 1;

export function Bars({ label, days, series, draw, whole = false, onDay }: BarsProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [at, setAt] = useState<number>();
  const title = useId();
  const sums = days.map((_, i) => series.reduce((sum, s) => sum + (s.values[i] ?? 0), 0));
  const ticks = ticksOf(Math.max(...sums, 0), whole);
  const top = ticks.at(-1) ?? 1;
  const inner = width - edge.left - edge.right;
  const step = inner / Math.max(1, days.length);
  const y = (n: number) => edge.top + (height - edge.top - edge.bottom) * (1 - n / top);
  const every = Math.ceil(days.length / Math.max(1, Math.floor(inner / 64)));
  return (
    <figure aria-labelledby={title} className="relative m-0">
      <figcaption id={title} className="sr-only">
        {label}
      </figcaption>
      <div className="mb-1 flex min-h-5 flex-wrap gap-x-4 gap-y-1 text-sm" aria-hidden="true">
        {series.map((s, i) => (
          <span key={s.name} className="flex max-w-60 items-center gap-1.5">
            <span className={`size-2.5 shrink-0 rounded-[2px] ${grounds[Math.min(i, mostSeries)]}`} />
            <span className="truncate">{s.name}</span>
            {at !== undefined && <b className="font-medium">{valueAt(s, at, draw)}</b>}
          </span>
        ))}
        <span className="ml-auto text-muted">{at === undefined ? "" : `${days[at]}: ${draw(sums[at] ?? 0)}`}</span>
      </div>
      <div ref={box} aria-hidden="true">
        {width > 0 && (
          <svg width={width} height={height} className="block" onMouseLeave={() => setAt(undefined)}>
            {ticks.map((t) => (
              <g key={t}>
                <line x1={edge.left} x2={width - edge.right} y1={y(t)} y2={y(t)} className={t === 0 ? "stroke-line-strong" : "stroke-line"} />
                <text x={edge.left - 8} y={y(t) + 3.5} textAnchor="end" fontSize="11" className="fill-muted">
                  {draw(t)}
                </text>
              </g>
            ))}
            {days.map((d, i) => (
              <g key={d} onMouseEnter={() => setAt(i)} onClick={() => onDay?.(d)} className={onDay ? "cursor-pointer" : ""}>
                <rect x={edge.left + i * step} y={0} width={step} height={height - edge.bottom} className={at === i ? "fill-raised" : "fill-transparent"} />
                <Stack x={edge.left + i * step + step * 0.5} width={Math.min(44, step * 0.7)} series={series} at={i} y={y} />
                {i % every === 0 && (
                  <text x={edge.left + i * step + step / 2} y={height - 6} textAnchor="middle" fontSize="11" className="fill-muted">
                    {shortDay(d)}
                  </text>
                )}
              </g>
            ))}
          </svg>
        )}
      </div>
      <Same days={days} series={series} draw={draw} label={label} />
    </figure>
  );
}

function Stack({ x, width, series, at, y }: { x: number; width: number; series: Series[]; at: number; y: (n: number) => number }) {
  let from = 0;
  return series.map((s, i) => {
    const value = s.values[at] ?? 0;
    const begin = from;
    from += value;
    if (value <= 0) return null;
    const tall = Math.max(1, y(begin) - y(from) - (begin > 0 ? 1 : 0)); // a line of the ground between two
    return <rect key={s.name} x={x - width / 2} y={y(from)} width={width} height={tall} className={fills[Math.min(i, mostSeries)]} />;
  });
}

/** The figures in words. */
function Same({ days, series, draw, label }: Pick<BarsProps, "days" | "series" | "draw" | "label">) {
  const said = days.map((d, i) => ({ d, i })).filter(({ i }) => series.some((s) => s.values[i] !== 0));
  return (
    <div className="sr-only">
      <table>
        <caption>{label}, as a table. Days without any are left out.</caption>
        <thead>
          <tr>
            <th scope="col">Day</th>
            {series.map((s) => (
              <th key={s.name} scope="col">
                {s.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {said.map(({ d, i }) => (
            <tr key={d}>
              <th scope="row">{d}</th>
              {series.map((s) => (
                <td key={s.name}>{valueAt(s, i, draw)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function valueAt(s: Series, at: number, draw: (n: number) => string): string {
  const v = s.values[at];
  return v === null || v === undefined ? "unknown" : draw(v);
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function shortDay(day: string): string {
  const [, month, date] = day.split("-");
  return `${Number(date)} ${months[Number(month) - 1]}`;
}

/** 0 and two to five round numbers, the last not below most. */
export function ticksOf(most: number, whole = false): number[] {
  if (!(most > 0)) return [0, 1];
  const rough = most / 4;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const wanted = ([1, 2, 2.5, 5, 10].find((n) => n * unit >= rough) ?? 10) * unit;
  const step = whole ? Math.ceil(wanted) : wanted;
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, i) => i * step);
}

function useWidth(of: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const watch = new ResizeObserver(([e]) => e && setWidth(Math.floor(e.contentRect.width)));
    if (of.current) watch.observe(of.current);
    return () => watch.disconnect();
  }, [of]);
  return width;
}
