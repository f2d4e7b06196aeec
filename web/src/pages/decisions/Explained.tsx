import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { explain } from "../../api/queries";
import type { Finding, FlowView } from "../../api/types";
import { Signed } from "../../parts/Captured";
import { Failed, Waiting } from "../../parts/Note";

/** Which line of the policy in force decides about a finding, and which did not. */
export function Explained({ flow: f, finding: x }: { flow: FlowView; finding: Finding }) {
  const { data: e, error } = useQuery(
    explain({
      rule: x.rule, channel: x.channel, direction: x.place === "answer" ? "answer" : "request", principal: f.principal, provider: f.provider, model: f.model,
      severity: x.severity, confidence: x.confidence, finding: x.id, fact: x.facts ?? [], ...(x.fixed ? { fixed: 1 } : {}),
    }),
  );
  if (error) return <Failed error={error} />;
  if (!e) return <Waiting what="the policy" />;
  const line = /:(\d+)$/.exec(e.line)?.[1];
  return (
    <div className="mt-3 space-y-1 border-l-2 border-accent pl-3" role="group" aria-label="Why it was decided so">
      <p>
        The policy in force says <b className="font-semibold">{e.action}</b>: <Signed text={e.why} />.
      </p>
      <p>
        <span className="mono">{e.key}</span> in{" "}
        <Link to="/decisions" search={{ tab: "policy", ...(line ? { line } : {}) }} className="mono text-accent hover:underline">
          {base(e.line)}
        </Link>
        {e.mode !== "enforce" && <span className="text-muted"> (mode {e.mode}: it is on record, and the call passes)</span>}
      </p>
      {e.passed_over && e.passed_over.length > 0 && (
        <details>
          <summary className="text-muted">{e.passed_over.length === 1 ? "One line before it does not fit" : `${e.passed_over.length} lines before it do not fit`}</summary>
          <ul className="mt-1 space-y-0.5">
            {e.passed_over.map((p) => (
              <li key={p.key}>
                <span className="mono text-muted">{base(p.line)}</span> <Signed text={p.why} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

/** A file's name and line, without its folder. */
function base(line: string): string {
  return line.split(/[\\/]/).at(-1) ?? line;
}
