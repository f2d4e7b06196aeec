import type { Row } from "../../api/types";
import { Line } from "../../parts/Captured";
import { bytes, clock, exact, ms, short, unknown, usd } from "../../parts/format";
import { ended, fine } from "../../parts/ended";
import type { Column } from "../../parts/Grid";
import { Icon } from "../../parts/Icon";
import { Ended, SeveritySign, Verdict } from "../../parts/Verdict";
import { visible } from "../../parts/signs";
import { Who } from "../../parts/Who";

/** What Live shows of a flow. The widths are px of the table: beside an open
 * panel it is half as wide. */
export const columns: Column<Row>[] = [
  { name: "State", width: "14px", bare: true, cell: (r) => <Ended end={ended(r)} /> },
  { name: "Time", width: "84px", title: "when it began, local time", cell: (r) => <time title={exact(r.started)}>{clock(r.started)}</time> },
  { name: "Verdict", width: "102px", cell: (r) => <Verdict verdict={r.verdict} would={r.would} /> },
  { name: "Who", width: "minmax(76px,0.5fr)", from: 1060, cell: (r) => <Who principal={r.principal} /> },
  { name: "Agent", width: "64px", from: 680, cell: (r) => (r.agent ? <Line text={r.agent} /> : <Dim text="–" />) },
  { name: "Model or call", width: "minmax(min(130px,20vw),1.2fr)", cell: (r) => <Call row={r} /> },
  { name: "Turn", width: "38px", title: "of its session; ⑂ is a sub-agent's, ↻ was sent again by the client", from: 540, cell: (r) => <Turn row={r} /> },
  { name: "Calls tools", width: "minmax(72px,0.7fr)", title: "tools that the answer calls", from: 890, cell: (r) => <Tools names={r.tools ?? []} /> },
  { name: "Findings", width: "minmax(96px,1fr)", title: "the worst severity, and the rules that found something", from: 490, cell: (r) => <Findings row={r} /> },
  { name: "In", width: "44px", title: "tokens in, without those of the cache", right: true, from: 1165, cell: (r) => <Tokens row={r} n={r.input + r.cache_write} /> },
  { name: "Cached", width: "50px", title: "tokens read from the provider's cache", right: true, from: 1165, cell: (r) => <Tokens row={r} n={r.cache_read} /> },
  { name: "Out", width: "44px", title: "tokens out, with reasoning", right: true, from: 1165, cell: (r) => <Tokens row={r} n={r.output} /> },
  { name: "Tokens", width: "52px", title: "tokens in, from the cache and out", right: true, from: 740, below: 1165, cell: (r) => <Tokens row={r} n={r.input + r.cache_read + r.cache_write + r.output} /> },
  { name: "Cost", width: "74px", title: "US dollars at list prices", right: true, from: 610, cell: (r) => <Cost row={r} /> },
  { name: "First byte", width: "62px", title: "from its start to the answer's first byte", right: true, from: 1240, cell: (r) => ms(r.first_byte_ms) },
  { name: "Duration", width: "64px", right: true, from: 905, cell: (r) => (r.state === "open" ? <Dim text="…" /> : ms(r.duration_ms)) },
  { name: "Size", width: "58px", title: "of the request's body", right: true, from: 975, cell: (r) => <span title={`request ${bytes(r.request_bytes)}, answer ${bytes(r.response_bytes)}`}>{bytes(r.request_bytes)}</span> },
];

/** Stripes would move with the rows: what was stopped or failed is tinted instead. */
export function toneOf(r: Row): string {
  const end = ended(r);
  if (fine(end)) return "";
  return end.is === "blocked" || end.is === "refused" ? "bg-[color-mix(in_oklab,var(--block)_7%,transparent)]" : "bg-[color-mix(in_oklab,var(--ask)_7%,transparent)]";
}

function Call({ row: r }: { row: Row }) {
  const end = ended(r);
  return (
    <>
      {r.model ? <Line text={r.model} /> : <Line text={`${r.method} ${r.host ?? ""}${r.path}`} className="mono text-muted" />}
      {!fine(end) && end.is !== "blocked" && <span className="ml-1.5 text-ask" title={visible(r.error ?? "")}>{r.status >= 400 ? r.status : <Line text={r.error || end.text} />}</span>}
    </>
  );
}

function Turn({ row: r }: { row: Row }) {
  if (r.turn === null && !r.subagent && !r.retry) return <Dim text="–" />;
  return (
    <span className="inline-flex items-center gap-1 align-bottom">
      {r.turn ?? "–"}
      {r.subagent !== undefined && (
        <span role="img" aria-label="of a sub-agent" title={visible(`sub-agent ${r.subagent}`)} className="text-info">
          <Icon name="branch" size={12} />
        </span>
      )}
      {r.retry && (
        <span role="img" aria-label="sent again" title="the client sent it again" className="text-ask">
          ↻
        </span>
      )}
    </span>
  );
}

function Tools({ names }: { names: string[] }) {
  const first = names[0];
  if (first === undefined) return null;
  return (
    <>
      <Line text={names.slice(0, 3).join(", ")} />
      {names.length > 3 && <span className="text-muted"> +{names.length - 3}</span>}
    </>
  );
}

function Findings({ row: r }: { row: Row }) {
  const rules = r.rules ?? [];
  if (rules.length === 0) return null;
  return (
    <span className="inline-flex max-w-full items-center gap-1.5 align-bottom">
      <SeveritySign severity={r.severity ?? ""} word={false} />
      <Line text={rules.join(", ")} className="truncate" />
    </span>
  );
}

function Tokens({ row: r, n }: { row: Row; n: number }) {
  if (n === 0) return <Dim text={r.state === "open" ? "…" : "–"} />;
  return <span title={r.estimated ? "estimated: the provider did not count them" : undefined}>{(r.estimated ? "≈" : "") + short(n)}</span>;
}

function Cost({ row: r }: { row: Row }) {
  if (r.cost_usd !== null) return usd(r.cost_usd);
  if (r.state === "open") return <Dim text="…" />;
  // Nothing was used, so there is nothing that a price is missing for.
  return r.input + r.cache_read + r.cache_write + r.output === 0 ? <Dim text="–" /> : <Dim text={unknown} />;
}

function Dim({ text }: { text: string }) {
  return <span className="text-muted">{text}</span>;
}
