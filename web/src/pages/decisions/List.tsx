import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { flowViews } from "../../api/queries";
import type { FlowView } from "../../api/types";
import { Button } from "../../parts/Button";
import { Line } from "../../parts/Captured";
import { exact, num, shortSession, time } from "../../parts/format";
import { useKeys } from "../../parts/keys";
import { Empty, Failed, Waiting } from "../../parts/Note";
import { Verdict } from "../../parts/Verdict";
import { Who } from "../../parts/Who";
import { term } from "../../parts/terms";
import { actedOn, bare, type Decided } from "./decided";
import { Detail } from "./Detail";

export function List({ decided: d, q, at, onAt }: { decided: Decided; q: string; at: string | undefined; onAt(id: string): void }) {
  const named = d.flows.find((f) => f.id === at);
  // A link names a flow that may be older than what is listed.
  const other = useQuery({ queryKey: ["decision", at], queryFn: ({ signal }) => flowViews(term("id", at ?? ""), 1, undefined, signal), enabled: at !== undefined && !named && !d.loading });
  const shown = named ?? (other.data?.[0]?.id === at ? other.data?.[0] : undefined) ?? (at === undefined ? d.flows[0] : undefined);
  const step = (n: number) => {
    const i = d.flows.findIndex((f) => f.id === shown?.id);
    const next = d.flows[Math.min(d.flows.length - 1, Math.max(0, i + n))];
    if (next) onAt(next.id);
  };
  useKeys("Decisions", [
    { keys: "j", also: "ArrowDown", does: "the next", run: () => step(1) },
    { keys: "k", also: "ArrowUp", does: "the one before", run: () => step(-1) },
  ]);
  if (d.error) return <Failed error={d.error} again={d.again} />;
  if (d.loading) return <Waiting what="decisions" />;
  if (d.flows.length === 0 && !shown) return <Nothing q={q} />;
  return (
    <div className="grid min-h-0 flex-1 grid-cols-[minmax(0,1fr)_minmax(24rem,0.85fr)] max-md:grid-cols-1 max-md:grid-rows-[minmax(0,2fr)_minmax(0,3fr)]">
      <div className="min-h-0 overflow-y-auto border-line max-md:border-b md:border-r" tabIndex={0} role="region" aria-label="Decisions, newest first">
        <ul>
          {d.flows.map((f) => (
            <Item key={f.id} flow={f} on={f.id === shown?.id} onClick={() => onAt(f.id)} />
          ))}
        </ul>
        <p className="px-4 py-2 text-muted">
          {d.more ? (
            <Button small onClick={d.older}>
              Older ones
            </Button>
          ) : (
            `${num(d.flows.length)} in all`
          )}
        </p>
      </div>
      {shown ? <Detail key={shown.id} flow={shown} /> : <Empty title="There is no such flow">Choose one from the list.</Empty>}
    </div>
  );
}

function Item({ flow: f, on, onClick }: { flow: FlowView; on: boolean; onClick(): void }) {
  const ref = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (on) ref.current?.scrollIntoView({ block: "nearest" });
  }, [on]);
  const found = [...new Set([...(f.findings ?? []).filter(actedOn).map((x) => x.rule), ...bare(f)])];
  const rules = found.length > 0 ? found : (f.rules ?? []);
  return (
    <li ref={ref} className="border-b border-line">
      <button type="button" aria-current={on} onClick={onClick} className={`grid w-full grid-cols-[9rem_minmax(0,1fr)_auto] gap-x-3 px-4 py-2 text-left ${on ? "bg-accent-soft" : "hover:bg-raised"}`}>
        <Verdict verdict={f.verdict} would={f.would} />
        <Line text={rules.join(", ") || f.why} className="truncate font-medium" />
        <span className="text-muted" title={exact(f.started)}>
          {time(f.started)}
        </span>
        <span />
        <span className="col-span-2 truncate text-muted">
          {f.agent ? <Line text={f.agent} /> : <Who principal={f.principal} />} · <Line text={f.model || f.path} /> · <Line text={f.session ? shortSession(f.session) : "no session"} />
        </span>
      </button>
    </li>
  );
}

function Nothing({ q }: { q: string }) {
  return (
    <Empty title={q ? "No decision matches" : "Nothing was blocked or redacted"}>
      <p>
        {q
          ? "Clear the filter at the top to see all decisions."
          : "Policy let all calls pass as they were, and would have done so when enforcing. What it does is under “Policy in force”; which rules look for what is under Set-up, Health."}
      </p>
    </Empty>
  );
}
