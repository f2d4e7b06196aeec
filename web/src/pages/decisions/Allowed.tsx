import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { Allowance } from "../../api/answers";
import { allowances, revokeAllowance } from "../../api/queries";
import { Badge } from "../../parts/Badge";
import { Button } from "../../parts/Button";
import { Signed } from "../../parts/Captured";
import { day, exact, time } from "../../parts/format";
import { Empty, Failed, Waiting } from "../../parts/Note";
import { Table, type Column } from "../../parts/Table";
import { Who } from "../../parts/Who";
import { current } from "./allowed";

export function Allowed() {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(allowances);
  const revoked = useMutation({ mutationFn: revokeAllowance, onSettled: () => client.invalidateQueries({ queryKey: allowances.queryKey }) });
  if (error && !data) return <Failed error={error} again={() => void refetch()} />;
  if (!data) return <Waiting what="what is allowed" />;
  if (data.length === 0) return <Empty title="Nothing is allowed beside the policy">When a finding is a false alarm, open it under Decisions and choose “False alarm”.</Empty>;
  const columns: Column<Allowance>[] = [
    { name: "Reason", cell: (a) => <Signed text={a.reason} /> },
    { name: "Finding", cell: (a) => <span className="mono">{a.finding}</span> },
    { name: "For", cell: (a) => (a.scope === "*" ? "everybody" : <Who principal={a.scope} />) },
    { name: "By", cell: (a) => <Who principal={a.owner} /> },
    { name: "Made", cell: (a) => <span title={exact(a.made)}>{time(a.made)}</span> },
    { name: "Until", cell: (a) => <span title={exact(a.until)}>{day(a.until)}</span> },
    {
      name: "State",
      right: true,
      cell: (a) =>
        current(a) ? (
          <Button small disabled={revoked.isPending} onClick={() => revoked.mutate(a.id)} aria-label={`Revoke the allowance of ${a.finding}`}>
            Revoke
          </Button>
        ) : (
          <Badge title={a.revoked ? exact(a.revoked) : undefined}>{a.revoked ? "revoked" : "ended"}</Badge>
        ),
    },
  ];
  return (
    <div className="min-h-0 flex-1 overflow-auto p-4">
      <p className="mb-2 text-muted">Each switches one finding off for a while. Those that ended are listed for some time.</p>
      {revoked.error && <Failed error={revoked.error} />}
      <Table label="What is allowed" columns={columns} rows={data.toReversed()} id={(a) => a.id} />
    </div>
  );
}
