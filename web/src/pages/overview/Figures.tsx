import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Group } from "../../api/answers";
import { Badge } from "../../parts/Badge";
import { num, partial, short } from "../../parts/format";
import { both } from "../../parts/terms";
import { within, type Period } from "./period";
import { cacheShare, percent, tokens } from "./sums";

/** What all flows add up to; each figure leads to its flows. */
export function Figures({ q, period, total: t }: { q: string; period: Period; total: Group }) {
  const to = (more: string) => both(within(q, period), more);
  const u = t.usage;
  return (
    <dl className="grid grid-cols-2 gap-3 sm:grid-cols-4 xl:grid-cols-8">
      <Figure name="Calls" value={num(t.flows)} q={to("")}>
        {num(t.turns)} model {t.turns === 1 ? "turn" : "turns"}
      </Figure>
      <Figure name="Tokens" value={short(tokens(t))} title={`${num(tokens(t))} tokens`} q={to("is:turn")}>
        {short(u.input + u.cache_read + u.cache_write)} in, {short(u.output)} out{u.estimated ? ", some estimated" : ""}
      </Figure>
      <Figure
        name="Spend"
        value={spend(t)}
        q={to(t.unpriced > 0 ? "is:unpriced" : "is:priced")}
        badge={
          t.unpriced > 0 && (
            <Badge tone="warn" title="The true spend is more: some models have no known price. Their calls are counted, their cost is not.">
              {t.cost_usd === null ? "no prices" : "partial"}
            </Badge>
          )
        }
      >
        {t.unpriced === 0 ? "at list prices" : `${num(t.unpriced)} ${t.unpriced === 1 ? "call" : "calls"} unpriced`}
      </Figure>
      <Figure name="From cache" value={percent(cacheShare(t))} title="Of the tokens that went in, those that the provider read from its cache" q={to("cache_read>0")}>
        {short(u.cache_read)} of {short(u.input + u.cache_read + u.cache_write)}
      </Figure>
      <Figure name="Blocked" value={num(t.blocked)} tone={t.blocked > 0 ? "text-block" : ""} q={to("verdict:block,ask")} page="/decisions">
        stopped by policy
      </Figure>
      <Figure name="Redacted" value={num(t.redacted)} tone={t.redacted > 0 ? "text-redact" : ""} q={to("verdict:redact")} page="/decisions">
        calls, values replaced
      </Figure>
      <Figure name="Would have" value={num(t.would)} tone={t.would > 0 ? "text-ask" : ""} q={to("would:*")} page="/decisions">
        if it were enforced
      </Figure>
      <Figure name="Failed" value={num(t.failed)} q={to("state:aborted OR error:* OR (status:4xx,5xx -state:refused)")}>
        errors, broken off
      </Figure>
    </dl>
  );
}

function Figure({ name, value, title, tone = "", q, page = "/live", badge, children }: { name: string; value: string; title?: string; tone?: string; q: string; page?: "/live" | "/decisions"; badge?: ReactNode; children: ReactNode }) {
  return (
    <div className="relative rounded-lg border border-line bg-panel px-3 py-2 hover:border-line-strong has-focus-visible:border-accent">
      <dt className="flex h-5 items-center justify-between text-muted">
        {name} {badge}
      </dt>
      <dd title={title}>
        <Link to={page} search={{ q }} className={`text-xl font-semibold after:absolute after:inset-0 ${tone}`}>
          {value}
        </Link>
        <span className="block min-h-5 text-sm text-muted">{children}</span>
      </dd>
    </div>
  );
}

/** A sum of which some parts are not known says so. */
function spend(t: Group): string {
  if (t.cost_usd === null && t.unpriced === 0) return "–";
  return partial(t.cost_usd, t.unpriced > 0);
}
