import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { reveal } from "../../api/queries";
import type { Finding } from "../../api/types";
import { usualWhy, why } from "../../api/why";
import { Button } from "../../parts/Button";
import { Captured, Line } from "../../parts/Captured";
import { Copy } from "../../parts/Copy";
import { Dialog } from "../../parts/Dialog";
import { Failed } from "../../parts/Note";

/** Shows a value once, after its reader and their reason are on record. */
export function RevealDialog({ flow, finding, onClose }: { flow: string; finding: Finding; onClose(): void }) {
  const client = useQueryClient();
  const [reason, setReason] = useState(why() === usualWhy ? "" : why());
  const shown = useMutation({
    mutationFn: () => reveal(flow, { finding: finding.id, start: finding.start, end: finding.end, ...(finding.place ? { place: finding.place } : {}), why: reason.trim() }),
    onSettled: () => client.invalidateQueries({ queryKey: ["journal"] }),
    gcTime: 0, // it is not kept
  });
  return (
    <Dialog title="Reveal a value" onClose={onClose}>
      {shown.data ? (
        <>
          <p className="mb-2 flex items-center gap-1 text-muted">
            The value that <Line text={finding.rule} className="text-ink" /> found: <Copy text={shown.data.value} what="the value" />
          </p>
          <div className="rounded border border-line bg-ground p-2">
            <Captured text={shown.data.value} label="The value" />
          </div>
          <p className="mt-2 text-muted">That you read it is on record. It is gone from this page when you close this.</p>
        </>
      ) : (
        <form className="space-y-3" onSubmit={(e) => (e.preventDefault(), shown.mutate())}>
          <p className="text-muted">
            It shows what <Line text={finding.rule} className="text-ink" /> found in this flow. Who reads it, and why, is an entry in the record first.
          </p>
          <label className="block">
            Reason
            <input autoFocus required maxLength={160} value={reason} onChange={(e) => setReason(e.target.value)} className="mt-1 h-8 w-full rounded border border-line-strong bg-ground px-2" />
          </label>
          {shown.error && <Failed error={shown.error} />}
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>Cancel</Button>
            <Button strong type="submit" disabled={shown.isPending || reason.trim() === ""}>
              Reveal it
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
