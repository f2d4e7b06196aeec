import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { allowances } from "../../api/queries";
import type { Finding, FlowView } from "../../api/types";
import { Badge } from "../../parts/Badge";
import { Button } from "../../parts/Button";
import { Line } from "../../parts/Captured";
import { day, exact, num, time } from "../../parts/format";
import { Table, type Column } from "../../parts/Table";
import { SeveritySign } from "../../parts/Verdict";
import { AllowDialog } from "./AllowDialog";
import { allowanceOf } from "./allowed";
import { actedOn, type Decided } from "./decided";
import { channels } from "./Detail";
import { Scope } from "./Scope";

interface Value {
  finding: Finding; // the newest
  newest: FlowView;
  principals: Set<string>;
  flows: Set<string>;
  channels: Set<string>;
  first: string;
}

/** The same value found by the same rule, however often it was sent. */
export function Found({ decided }: { decided: Decided }) {
  const [open, setOpen] = useState<Value>();
  const { data: all } = useQuery(allowances);
  const columns: Column<Value>[] = [
    {
      name: "Finding",
      cell: (v) => (
        <>
          <Line text={v.finding.rule} className="font-medium" />
          <span className="mono block text-muted">{v.finding.id}</span>
        </>
      ),
    },
    { name: "Severity", cell: (v) => <SeveritySign severity={v.finding.severity} /> },
    { name: "Stands in", cell: (v) => [...v.channels].map((c) => channels[c] ?? c).join(", ") },
    { name: "Policy does", cell: (v) => v.finding.action },
    { name: "Calls", title: "That brought it. Later turns that send it again are treated as decided then, and don’t count", right: true, cell: (v) => num(v.flows.size) },
    { name: "First", right: true, cell: (v) => <span title={exact(v.first)}>{time(v.first)}</span> },
    {
      name: "Last",
      right: true,
      cell: (v) => (
        <Link to="/decisions" search={{ flow: v.newest.id }} title={exact(v.newest.started)} className="text-accent hover:underline">
          {time(v.newest.started)}
        </Link>
      ),
    },
    {
      name: "Allow",
      right: true,
      cell: (v) => {
        const a = allowanceOf(all, v.finding.id);
        return a ? (
          <Badge tone="good" title={a.reason}>
            until {day(a.until)}
          </Badge>
        ) : (
          <Button small onClick={() => setOpen(v)}>
            False alarm…
          </Button>
        );
      },
    },
  ];
  return (
    <Scope decided={decided}>
      <Table label="Values that were found" columns={columns} rows={valuesOf(decided.flows)} id={(v) => v.finding.id} />
      {open && <AllowDialog finding={open.finding} principal={open.principals.size === 1 ? [...open.principals][0] : undefined} onClose={() => setOpen(undefined)} />}
    </Scope>
  );
}

function valuesOf(flows: FlowView[]): Value[] {
  const all = new Map<string, Value>();
  for (const f of flows) {
    for (const x of (f.findings ?? []).filter(actedOn)) {
      const v = all.get(x.id) ?? { finding: x, newest: f, principals: new Set(), flows: new Set(), channels: new Set(), first: f.started };
      all.set(x.id, v);
      v.principals.add(f.principal);
      v.flows.add(f.id);
      v.channels.add(x.channel);
      v.first = f.started; // flows come newest first
    }
  }
  return [...all.values()].sort((a, b) => b.flows.size - a.flows.size || b.newest.started.localeCompare(a.newest.started));
}
