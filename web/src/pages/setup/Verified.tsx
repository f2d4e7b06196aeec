import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import type { Entry, Report } from "../../api/answers";
import { journal, verify } from "../../api/queries";
import { Badge } from "../../parts/Badge";
import { Button } from "../../parts/Button";
import { Signed } from "../../parts/Captured";
import { age, bytes, exact, num } from "../../parts/format";
import { useNow } from "../../parts/link";
import { Failed } from "../../parts/Note";
import { Section } from "../../parts/Section";

type Run = { state: "idle" } | { state: "running"; done: number; total: number } | { state: "done"; report: Report } | { state: "failed"; error: unknown };

/** When the record was last verified, and a way to do it now. */
export function Verified() {
  const client = useQueryClient();
  const { data, error } = useQuery(journal(1_000, undefined, "event"));
  const [run, setRun] = useState<Run>({ state: "idle" });
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);
  const begin = async () => {
    stop.current = new AbortController();
    setRun({ state: "running", done: 0, total: 1 });
    try {
      for await (const line of verify(stop.current.signal)) setRun(line.report ? { state: "done", report: line.report } : { state: "running", done: line.done, total: line.total });
      await client.invalidateQueries({ queryKey: ["journal"] });
    } catch (error) {
      if (!stop.current.signal.aborted) setRun({ state: "failed", error });
    }
  };
  const last = data?.entries.findLast((e) => e.kind === "verify");
  return (
    <Section
      title="Verified"
      says="Verifying reads the whole record and proves that every entry is as it was written, in order, and that bodies have their hashes. Calls go on meanwhile."
      more={
        <Button small disabled={run.state === "running"} onClick={() => void begin()}>
          Verify now
        </Button>
      }
    >
      {run.state === "running" ? <Progress {...run} /> : run.state === "done" ? <Outcome report={run.report} /> : run.state === "failed" ? <Failed error={run.error} /> : data ? <Last entry={last} /> : error && <Failed error={error} />}
    </Section>
  );
}

function Progress({ done, total }: { done: number; total: number }) {
  const percent = Math.floor((done / Math.max(1, total)) * 100);
  return (
    <div role="status">
      <progress aria-label="Verified so far" max={100} value={percent} className="h-2 w-full accent-accent" />
      <p className="text-muted">
        {percent} %: {bytes(done)} of {bytes(total)}
      </p>
    </div>
  );
}

function Outcome({ report: r }: { report: Report }) {
  const bad = (r.problems?.length ?? 0) + (r.more ?? 0);
  return (
    <div role="status">
      <p>
        {bad === 0 ? <Badge tone="good">all is as it was written</Badge> : <Badge tone="bad">{num(bad)} problems</Badge>} {num(r.entries)} entries, {num(r.flows)} flows, {num(r.bodies)} bodies with their hash, {bytes(r.bytes)}
      </p>
      {r.expired > 0 && <p className="text-muted">{num(r.expired)} requests of which age or size removed a part.</p>}
      {bad > 0 && (
        <>
          <ul className="mt-2 space-y-1">
            {r.problems?.map((p, i) => (
              <li key={i}>
                {p.entry !== undefined && <span className="mono text-muted">entry {p.entry} </span>}
                <Signed text={p.text} />
              </li>
            ))}
          </ul>
          <p className="mt-2 text-muted">Keep a copy of the data folder before anything else; docs/ledger.md says what each problem means.</p>
        </>
      )}
    </div>
  );
}

function Last({ entry: e }: { entry: Entry | undefined }) {
  const now = useNow(10_000);
  if (!e) return <p className="text-muted">No verification is on record among the newest entries. “Verify now” makes one.</p>;
  const problems = Number(e.attrs?.["problems"] ?? 0);
  return (
    <p>
      {problems === 0 ? <Badge tone="good">all is as it was written</Badge> : <Badge tone="bad">{num(problems)} problems</Badge>} <span title={exact(e.at)}>{age(e.at, now)}</span>, {num(Number(e.attrs?.["entries"] ?? 0))} entries,{" "}
      <Signed text={e.why ?? ""} />
    </p>
  );
}
