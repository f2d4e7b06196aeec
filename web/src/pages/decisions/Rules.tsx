import { Link } from "@tanstack/react-router";
import type { Action, FlowView, Severity } from "../../api/types";
import { Line } from "../../parts/Captured";
import { exact, num, time } from "../../parts/format";
import { Table, type Column } from "../../parts/Table";
import { SeveritySign } from "../../parts/Verdict";
import { acted, both, term } from "../../parts/terms";
import { actedOn, bare, type Decided } from "./decided";
import { Scope } from "./Scope";

interface Rule {
  rule: string;
  severity?: Severity;
  actions: Set<Action>;
  flows: Set<string>;
  sessions: Set<string>;
  values: Set<string>;
  times: number;
  last: string;
}

export function Rules({ decided, q }: { decided: Decided; q: string }) {
  const columns: Column<Rule>[] = [
    {
      name: "Rule",
      cell: (r) => (
        <Link to="/decisions" search={{ q: both(q, /^(limit|blind):/.test(r.rule) ? term("rule", r.rule) : term("finding", r.rule)) }} className="text-accent hover:underline">
          <Line text={r.rule} />
        </Link>
      ),
    },
    { name: "Severity", cell: (r) => (r.severity ? <SeveritySign severity={r.severity} /> : <span className="text-muted">–</span>) },
    { name: "Policy does", cell: (r) => [...r.actions].join(", ") || "block" },
    { name: "Calls", right: true, cell: (r) => num(r.flows.size) },
    { name: "Sessions", right: true, cell: (r) => num(r.sessions.size) },
    { name: "Values", title: "Different values, told by the finding’s id", right: true, cell: (r) => (r.values.size ? num(r.values.size) : "–") },
    { name: "Times", title: "Findings; a value that stands in every turn is found in every turn", right: true, cell: (r) => num(r.times) },
    { name: "Last", right: true, cell: (r) => <span title={exact(r.last)}>{time(r.last)}</span> },
  ];
  return (
    <Scope decided={decided} q={q}>
      <Table label={`Rules that decided (${acted})`} columns={columns} rows={rulesOf(decided.flows)} id={(r) => r.rule} />
    </Scope>
  );
}

function rulesOf(flows: FlowView[]): Rule[] {
  const all = new Map<string, Rule>();
  const of = (rule: string, f: FlowView) => {
    const r = all.get(rule) ?? { rule, actions: new Set(), flows: new Set(), sessions: new Set(), values: new Set(), times: 0, last: f.started };
    all.set(rule, r);
    r.flows.add(f.id);
    r.sessions.add(`${f.principal} ${f.session}`);
    r.times++;
    if (f.started > r.last) r.last = f.started;
    return r;
  };
  for (const f of flows) {
    for (const x of (f.findings ?? []).filter(actedOn)) {
      const r = of(x.rule, f);
      r.severity = x.severity;
      r.actions.add(x.action);
      r.values.add(x.id);
    }
    for (const rule of bare(f)) of(rule, f);
  }
  return [...all.values()].sort((a, b) => b.flows.size - a.flows.size || a.rule.localeCompare(b.rule));
}
