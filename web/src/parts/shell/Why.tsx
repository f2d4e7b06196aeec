import { useState } from "react";
import { setWhy, usualWhy, useWhy } from "../../api/why";
import { Button } from "../Button";
import { Dialog } from "../Dialog";
import { Icon } from "../Icon";

/** The reason for which content is read, and where to change it. */
export function Why() {
  const why = useWhy();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button quiet small onClick={() => setOpen(true)} title={`Reading content is put on record with this reason: ${why}`}>
        <Icon name="eye" size={14} />
        <span className="max-w-40 truncate max-xl:sr-only">{why === usualWhy ? "reason" : why}</span>
      </Button>
      {open && <Form why={why} onClose={() => setOpen(false)} />}
    </>
  );
}

function Form({ why, onClose }: { why: string; onClose(): void }) {
  const [text, setText] = useState(why === usualWhy ? "" : why);
  return (
    <Dialog title="Why you read" onClose={onClose}>
      <form onSubmit={(e) => (e.preventDefault(), setWhy(text), onClose())}>
        <p className="mb-3 text-muted">Who reads what agents said is on record, with a reason. This one is used in this tab until you change it.</p>
        <label className="block">
          Reason
          <input
            autoFocus
            value={text}
            maxLength={160}
            placeholder={usualWhy}
            onChange={(e) => setText(e.target.value)}
            className="mt-1 h-8 w-full rounded border border-line-strong bg-ground px-2"
          />
        </label>
        <div className="mt-3 flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button strong type="submit">
            Use this reason
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
