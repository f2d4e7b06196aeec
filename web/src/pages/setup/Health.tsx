import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { RemoteDetector, Status } from "../../api/answers";
import { detectors, status } from "../../api/queries";
import { Badge } from "../../parts/Badge";
import { Signed } from "../../parts/Captured";
import { age, exact, num } from "../../parts/format";
import { useNow } from "../../parts/link";
import { Failed, Waiting } from "../../parts/Note";
import { Fact, Facts, Section } from "../../parts/Section";
import { Table, type Column } from "../../parts/Table";
import { Enforcement } from "./Enforcement";

export function Health() {
  const { data: s, error, refetch } = useQuery(status);
  const now = useNow(10_000);
  if (error && !s) return <Failed error={error} again={() => void refetch()} />;
  if (!s) return <Waiting what="the gateway’s state" />;
  return (
    <>
      <div className="grid items-start gap-3 lg:grid-cols-2">
        <Section title="Gateway">
          <Facts>
            <Fact name="State">{s.ready ? <Badge tone="good">takes calls</Badge> : <Badge tone="bad">takes no calls: {s.why}</Badge>}</Fact>
            <Fact name="Running">
              <span title={exact(s.started)}>for {age(s.started, now).replace(" ago", "")}</span>, version <span className="mono">{s.version}</span>, process {s.pid}
            </Fact>
            <Fact name="Agents call">
              <span className="mono">http://{s.listen}</span>
            </Fact>
            <Fact name="Forward proxy">{s.intercept ? <span className="mono">http://{s.intercept}</span> : "off"}</Fact>
            <Fact name="Console">
              <span className="mono">{s.console ? `http://${s.console}` : "off"}</span>
            </Fact>
          </Facts>
        </Section>
        <Section title="Policy and rules">
          <Facts>
            <Fact name="Policy">
              <Link to="/decisions" search={{ tab: "policy" }} className="text-accent hover:underline">
                {s.policy.mode || "none"}, {s.policy.version}
              </Link>
            </Fact>
            <Fact name="Policy file">{s.policy.error ? <Wrong text={s.policy.error} /> : s.policy.file ? <span className="mono">{s.policy.file}</span> : "none: the built-in policy"}</Fact>
            <Fact name="Rules">
              {num(s.rules.number)}, version <span className="mono">{s.rules.version || "none"}</span>
            </Fact>
            <Fact name="Rules files">{s.rules.error ? <Wrong text={s.rules.error} /> : s.rules.files?.length ? <span className="mono">{s.rules.files.join(", ")}</span> : "none beside the built-in rules"}</Fact>
          </Facts>
        </Section>
      </div>
      <Elsewhere status={s} />
      <Enforcement />
    </>
  );
}

/** What is wrong with a file; what was in force before still is. */
function Wrong({ text }: { text: string }) {
  return (
    <span role="alert">
      <Badge tone="bad">not in force as it stands</Badge>
      <span className="mono mt-1 block whitespace-pre-wrap">
        <Signed text={text} />
      </span>
      <span className="block text-muted">What was in force before still is. Mend the file, then reload.</span>
    </span>
  );
}

const columns: Column<RemoteDetector>[] = [
  { name: "Detector", cell: (d) => d.name },
  {
    name: "State",
    cell: (d) =>
      d.open ? <Badge tone="bad" title="It failed too often and is left alone for some seconds. Policy says what becomes of calls meanwhile: unreadable.remote.">left alone</Badge> : d.failed > 0 ? <Badge tone="warn">has failed</Badge> : <Badge tone="good">answers</Badge>,
  },
  { name: "Answered", right: true, cell: (d) => num(d.answered) },
  { name: "Failed", right: true, cell: (d) => num(d.failed) },
  { name: "Not asked", title: "because it was left alone", right: true, cell: (d) => num(d.passed) },
  { name: "Known already", title: "Nothing had to be asked", right: true, cell: (d) => num(d.cached) },
];

function Elsewhere({ status: s }: { status: Status }) {
  const { data, error } = useQuery(detectors);
  return (
    <Section
      title="Detectors"
      says="Those in the binary can’t fail: what they can’t read is a finding. Detectors elsewhere can; the counts are since the gateway started."
      more={
        <Link to="/live" search={{ q: "finding:remote.*-failed" }} className="text-accent hover:underline">
          Calls that one did not judge
        </Link>
      }
    >
      {error && !data ? <Failed error={error} /> : !data ? <Waiting what="detectors" /> : data.detectors.length > 0 ? <Table label="Detectors elsewhere" columns={columns} rows={data.detectors} id={(d) => d.name} /> : <p className="text-muted">No detector elsewhere is configured; the {num(s.rules.number)} rules in the binary and its files do it.</p>}
    </Section>
  );
}
