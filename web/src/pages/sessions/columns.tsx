import { Link } from "@tanstack/react-router";
import type { Session } from "../../api/types";
import { Line } from "../../parts/Captured";
import { age, clock, exact, ms, num, partial, short, shortSession, used } from "../../parts/format";
import type { Column } from "../../parts/Grid";
import { visible } from "../../parts/signs";
import { Decided } from "../../parts/Verdict";
import { Who } from "../../parts/Who";

/** By what sessions are sorted, the largest first. */
export const orders = {
  last: (a: Session, b: Session) => Date.parse(b.last) - Date.parse(a.last),
  cost: (a: Session, b: Session) => (b.cost_usd ?? -1) - (a.cost_usd ?? -1), // what is not known comes last
  turns: (a: Session, b: Session) => b.turns - a.turns,
  tokens: (a: Session, b: Session) => tokens(b) - tokens(a),
  decided: (a: Session, b: Session) => b.blocked - a.blocked || b.redacted - a.redacted || b.would - a.would,
};

export type Order = keyof typeof orders;

export function columns(now: number): Column<Session>[] {
  return [
    { name: "Last flow", width: "84px", sort: "last", cell: (s) => <time title={exact(s.last)}>{age(s.last, now)}</time> },
    { name: "Session", width: "minmax(min(150px,30vw),1.2fr)", cell: (s) => <Name s={s} /> },
    { name: "Who", width: "minmax(76px,0.7fr)", from: 560, cell: (s) => <Who principal={s.principal} /> },
    { name: "Agent and models", width: "minmax(130px,1.5fr)", from: 440, cell: (s) => <Models s={s} /> },
    { name: "Decided", width: "104px", from: 480, title: "calls that were blocked or redacted; outlined: that enforcing would have", sort: "decided", cell: (s) => <Decided {...s} /> },
    { name: "Began", width: "82px", from: 900, cell: (s) => <time title={exact(s.first)}>{clock(s.first, now)}</time> },
    { name: "Lasted", width: "74px", title: "from the start of its first flow to the end of its last", right: true, from: 1_000, cell: (s) => ms(Date.parse(s.ended) - Date.parse(s.first)) },
    { name: "Turns", width: "54px", from: 400, title: "model calls; without retries and warm-ups", sort: "turns", right: true, cell: (s) => num(s.turns) },
    { name: "Sub-agents", width: "76px", right: true, from: 820, cell: (s) => (s.subagents === 0 ? <span className="text-muted">–</span> : num(s.subagents)) },
    { name: "Tokens", width: "64px", title: "in, from the cache and out", sort: "tokens", right: true, from: 640, cell: (s) => <span title={detail(s)}>{short(tokens(s))}</span> },
    { name: "From cache", width: "84px", title: "share of the tokens sent that the provider read from its cache", right: true, from: 740, cell: (s) => share(s) },
    { name: "Cost", width: "76px", title: "US dollars at list prices; ≥: some flows' price is not known", sort: "cost", right: true, cell: (s) => <span className={s.cost_usd === null ? "text-muted" : ""}>{used(s) ? partial(s.cost_usd, s.partial) : "–"}</span> },
  ];
}

function tokens(s: Session): number {
  const u = s.usage;
  return u.input + u.cache_read + u.cache_write + u.output;
}

function detail({ usage: u }: Session): string {
  return `${num(u.input)} in, ${num(u.cache_read)} from the cache, ${num(u.cache_write)} into it, ${num(u.output)} out${u.estimated ? ", some estimated" : ""}`;
}

function share({ usage: u }: Session): string {
  const sent = u.input + u.cache_read + u.cache_write;
  return sent === 0 ? "–" : `${Math.round((100 * u.cache_read) / sent)} %`;
}

function Name({ s }: { s: Session }) {
  return (
    <Link to="/sessions/$session" params={{ session: s.session }} search={{ principal: s.principal }} title={visible(s.session)} className="font-medium hover:underline" tabIndex={-1} onClick={(e) => e.stopPropagation()}>
      <Line text={shortSession(s.session)} />
    </Link>
  );
}

function Models({ s }: { s: Session }) {
  return (
    <>
      {s.agent && <><Line text={s.agent} /> <span className="text-muted">·</span> </>}
      <Line text={s.models.join(", ") || "–"} className={s.agent ? "text-muted" : ""} />
    </>
  );
}
