// Tokens and money of a turn, small.
import type { Cache, Turn } from "../../api/conversation";
import { num, short, usd } from "../format";

/** Tokens in, from the cache or not, and out: a bar whose length is the turn's
 * against the longest of the session. */
export function TokenBar({ turn, most, width }: { turn: Turn; most: number; width: number }) {
  const u = turn.usage;
  const unit = width / Math.max(1, most);
  const parts: [number, string][] = [
    [u.cache_read, "fill-line-strong"],
    [u.cache_write + u.input, "fill-info"],
    [u.output, "fill-accent"],
  ];
  let x = 0;
  return (
    <svg width={width} height="8" aria-hidden="true" className="shrink-0">
      <rect width={width} height="8" rx="1.5" className="fill-raised" />
      {parts.map(([n, colour]) => {
        const w = n > 0 ? Math.max(1, n * unit) : 0;
        const bar = <rect key={colour} x={x} width={w} height="8" className={colour} />;
        x += w;
        return bar;
      })}
    </svg>
  );
}

export function tokensText({ usage: u }: Turn): string {
  return `${num(u.input + u.cache_write + u.cache_read)} tokens in, of them ${num(u.cache_read)} from the cache and ${num(u.cache_write)} written to it; ${num(u.output)} out${u.reasoning ? `, of them ${num(u.reasoning)} reasoning` : ""}${u.estimated ? " (estimated)" : ""}`;
}

export function Tokens({ turn, most }: { turn: Turn; most: number }) {
  const u = turn.usage;
  return (
    <span className="inline-flex items-center gap-2" title={tokensText(turn)}>
      <TokenBar turn={turn} most={most} width={72} />
      <span className="whitespace-nowrap">
        {short(u.input + u.cache_write + u.cache_read)} in
        {u.cache_read > 0 && <span className="text-muted"> ({short(u.cache_read)} cached)</span>}, {short(u.output)} out
      </span>
    </span>
  );
}

/** In place of the tokens of a call that was refused. */
export function NotSent() {
  return <span title="It was stopped here: nothing of it was forwarded.">not sent to the provider</span>;
}

export function Cost({ usd: n }: { usd: number | null }) {
  return <span className={`whitespace-nowrap ${n === null ? "text-muted" : ""}`} title={n === null ? "The price of this model is not known." : undefined}>{n === null ? "cost unknown" : usd(n)}</span>;
}

const fine: Cache["reason"][] = ["", "first", "short"];

/** Whether the provider's cache served less than it could have. */
export const missed = (c: Cache) => !fine.includes(c.reason) && c.expected > c.read;

/** How much of what could come from the cache came from it. */
export function CacheBar({ cache }: { cache: Cache }) {
  if (cache.expected === 0) return null;
  const part = Math.min(1, cache.read / cache.expected);
  return (
    <svg width="40" height="8" aria-hidden="true" className="shrink-0">
      <rect width="40" height="8" rx="1.5" className={missed(cache) ? "fill-ask/35" : "fill-raised"} />
      <rect width={40 * part} height="8" rx="1.5" className={missed(cache) ? "fill-ask" : "fill-pass"} />
    </svg>
  );
}
