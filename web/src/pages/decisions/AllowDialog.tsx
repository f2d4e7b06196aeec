import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { allow, allowances, status } from "../../api/queries";
import type { Finding } from "../../api/types";
import { Button } from "../../parts/Button";
import { Line } from "../../parts/Captured";
import { Dialog } from "../../parts/Dialog";
import { day } from "../../parts/format";
import { masked, useNames } from "../../parts/names";
import { Failed } from "../../parts/Note";

const days = 30; // until, unless somebody says otherwise
const box = "mt-1 h-8 w-full rounded border border-line-strong bg-ground px-2";

/** Says that a finding is a false alarm. principal: whose; undefined: for everybody only. */
export function AllowDialog({ finding, principal, onClose }: { finding: Pick<Finding, "id" | "rule">; principal?: string | undefined; onClose(): void }) {
  const client = useQueryClient();
  const { data: s } = useQuery(status);
  const named = useNames();
  const [scope, setScope] = useState(principal ?? "*");
  const [reason, setReason] = useState("");
  const [until, setUntil] = useState(day(Date.now() + days * 86_400_000));
  const made = useMutation({
    mutationFn: () => allow({ finding: finding.id, scope, reason: reason.trim(), until: new Date(`${until}T23:59:59`).toISOString() }),
    onSuccess: () => (onClose(), client.invalidateQueries({ queryKey: allowances.queryKey })),
  });
  return (
    <Dialog title="Allow a false alarm" onClose={onClose}>
      <form className="space-y-3" onSubmit={(e) => (e.preventDefault(), made.mutate())}>
        <p className="text-muted">
          From the next call on, <Line text={finding.rule} className="text-ink" /> no longer acts on this one value. Other values are found as before. It is on record with your name and reason, ends by itself, and
          can be revoked under “Allowed”.
        </p>
        <label className="block">
          Reason
          <input autoFocus required maxLength={300} value={reason} placeholder="It is the test key of our fixtures" onChange={(e) => setReason(e.target.value)} className={box} />
        </label>
        <div className="grid grid-cols-2 gap-3">
          <label className="block">
            For whom
            <select value={scope} onChange={(e) => setScope(e.target.value)} className={box}>
              {principal && <option value={principal}>{named ? principal : masked(principal)} only</option>}
              <option value="*">everybody</option>
            </select>
          </label>
          <label className="block">
            Until the end of
            <input type="date" required value={until} min={day(Date.now())} onChange={(e) => setUntil(e.target.value)} className={box} />
          </label>
        </div>
        <p className="text-muted">Owner: {s?.who ?? "you"}</p>
        {made.error && <Failed error={made.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button strong type="submit" disabled={made.isPending || reason.trim() === ""}>
            Allow it
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
