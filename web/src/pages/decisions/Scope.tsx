import type { ReactNode } from "react";
import { Button } from "../../parts/Button";
import { day, num, time } from "../../parts/format";
import { Empty, Failed, Waiting } from "../../parts/Note";
import type { Decided } from "./decided";

/** Of how many flows a table is, and a way to more: it never looks whole when it is not. */
export function Scope({ decided: d, q = "", children }: { decided: Decided; q?: string; children: ReactNode }) {
  if (d.error) return <Failed error={d.error} again={d.again} />;
  if (d.loading) return <Waiting what="decisions" />;
  if (d.flows.length === 0) {
    return <Empty title="Nothing was blocked or redacted">{q ? "Clear the filter at the top to see all decisions." : "When policy acts on a call, what it found stands here."}</Empty>;
  }
  const oldest = d.flows.at(-1)?.started ?? "";
  return (
    <div className="min-h-0 flex-1 overflow-auto p-4">
      <p className="mb-2 flex items-center gap-3 text-muted">
        {d.more ? `Of the newest ${num(d.flows.length)} decisions, since ${day(oldest)} ${time(oldest).slice(-8)}.` : `Of all ${num(d.flows.length)} decisions.`}
        {d.more && (
          <Button small onClick={d.older}>
            Older ones, too
          </Button>
        )}
      </p>
      {children}
    </div>
  );
}
