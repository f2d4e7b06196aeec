import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Counts, CoverageRow } from "../../api/answers";
import { coverage } from "../../api/queries";
import { Line, Signed } from "../../parts/Captured";
import { bytes, exact, num, shortSession, time } from "../../parts/format";
import { Failed, Waiting } from "../../parts/Note";
import { Fact, Facts, Section } from "../../parts/Section";
import { Table, type Column } from "../../parts/Table";
import { Who } from "../../parts/Who";
import { term } from "../../parts/terms";

/** Which of the agents' calls came here, and by which way. */
export function Came() {
  const { data, error, refetch } = useQuery(coverage);
  if (error && !data) return <Failed error={error} again={() => void refetch()} />;
  if (!data) return <Waiting what="how calls came" />;
  const t = data.total;
  return (
    <>
      <Section title="What Gatehouse can’t see" says={`${data.unseen.charAt(0).toUpperCase()}${data.unseen.slice(1)}.`}>
        {null}
      </Section>
      <Section title="How calls came">
        <Facts>
          <Fact name="Model calls">{ways(t.model_calls)}</Fact>
          <Fact name="Other calls">{ways(t.other_calls)}</Fact>
          <Fact name="Log-ins">{num(t.logins)}, recorded by fingerprint only</Fact>
          <Fact name="Refused">{num(t.refused.reduce((n, x) => n + x.flows, 0))}, of which nothing was forwarded</Fact>
          <Fact name="Stopped">{calls(t.stopped)} whose answer policy ended</Fact>
          <Fact name="Unreadable">
            {calls(t.unreadable.flows)}, {bytes(t.unreadable.bytes)} that no detector could read
          </Fact>
        </Facts>
      </Section>
      <Section title="Past the base URL, and to new places" says="Model calls that came another way than those before, and hosts or paths where the agent was never seen to go.">
        {t.findings.length === 0 ? <p className="text-muted">None.</p> : <Table label="Findings of coverage" columns={told} rows={t.findings} id={(f) => `${f.rule} ${f.facts?.join(" ")}`} />}
      </Section>
      <Section title="Tunnels" says="Connections through the forward proxy that were passed on unread: only host, bytes and time are known.">
        {t.tunnels.length === 0 ? <p className="text-muted">None.</p> : <Table label="Tunnels" columns={tunnels} rows={t.tunnels} id={(x) => x.host} />}
      </Section>
      <Section title="Refused" says="Nothing of these was forwarded.">
        {t.refused.length === 0 ? <p className="text-muted">None.</p> : <Table label="Refused calls" columns={refused} rows={t.refused} id={(x) => `${x.host} ${x.why}`} />}
      </Section>
      <Section title="By session" says="The newest first. Calls that name no session count to those of the same principal at the same time.">
        {data.sessions.length === 0 ? <p className="text-muted">No session yet: Agents says how to begin.</p> : <Table label="Coverage of sessions" columns={sessions} rows={data.sessions.toReversed().slice(0, most)} id={(r) => `${r.principal} ${r.session}`} />}
        {data.sessions.length > most && <p className="pt-2 text-muted">The newest {most} of {num(data.sessions.length)}; gatehouse coverage lists all.</p>}
      </Section>
    </>
  );
}

const most = 50;

const order = ["redirect", "intercept", "guardrail", "import", "tunnel"] as const;

function ways(w: Counts["model_calls"]): string {
  const said = order.filter((e) => w[e]).map((e) => `${num(w[e] ?? 0)} by ${e}`);
  return said.length === 0 ? "none" : said.join(", ");
}

const calls = (n: number) => `${num(n)} ${n === 1 ? "call" : "calls"}`;

const told: Column<Counts["findings"][number]>[] = [
  {
    name: "Rule",
    cell: (f) => (
      <Link to="/live" search={{ q: term("finding", f.rule) }} className="text-accent hover:underline">
        {f.rule}
      </Link>
    ),
  },
  { name: "Where", cell: (f) => <Line text={(f.facts ?? []).join(" ")} className="mono" /> },
  { name: "What it means", cell: (f) => <Signed text={f.note} /> },
  { name: "Calls", right: true, cell: (f) => num(f.flows) },
  {
    name: "Last",
    right: true,
    cell: (f) => (
      <Link to="/flows/$flow" params={{ flow: f.last }} className="text-accent hover:underline">
        open
      </Link>
    ),
  },
];

const tunnels: Column<Counts["tunnels"][number]>[] = [
  {
    name: "Host",
    cell: (x) => (
      <Link to="/live" search={{ q: `entrance:tunnel ${term("host", x.host)}` }} className="text-accent hover:underline">
        <Line text={x.host} />
      </Link>
    ),
  },
  { name: "Connections", right: true, cell: (x) => num(x.flows) },
  { name: "Sent", right: true, cell: (x) => bytes(x.sent_bytes) },
  { name: "Received", right: true, cell: (x) => bytes(x.received_bytes) },
];

const refused: Column<Counts["refused"][number]>[] = [
  { name: "Why", cell: (x) => <Signed text={x.why} /> },
  { name: "For", cell: (x) => (x.host ? <Line text={x.host} /> : "a provider, by base URL") },
  { name: "Calls", right: true, cell: (x) => num(x.flows) },
];

const sessions: Column<CoverageRow>[] = [
  {
    name: "Session",
    cell: (r) =>
      r.session ? (
        <Link to="/sessions/$session" params={{ session: r.session }} search={{ principal: r.principal }} className="text-accent hover:underline">
          <Line text={shortSession(r.session)} />
        </Link>
      ) : (
        "none"
      ),
  },
  { name: "Who", cell: (r) => <Who principal={r.principal} /> },
  { name: "Model calls", cell: (r) => ways(r.model_calls) },
  { name: "Other calls", cell: (r) => ways(r.other_calls) },
  { name: "Tunnels", right: true, cell: (r) => num(r.tunnels.reduce((n, x) => n + x.flows, 0)) },
  { name: "Refused", right: true, cell: (r) => num(r.refused.reduce((n, x) => n + x.flows, 0)) },
  { name: "Coverage findings", title: "Of the family coverage alone: what else was found is in the session", right: true, cell: (r) => num(r.findings.reduce((n, x) => n + x.flows, 0)) },
  { name: "Last", right: true, cell: (r) => <span title={exact(r.last)}>{time(r.last)}</span> },
];
