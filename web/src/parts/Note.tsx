// What a page says when there is nothing to show, or when something failed: what
// happened, and what to do.
import { Problem } from "../api/client";
import { Button } from "./Button";
import { Signed } from "./Captured";
import { Icon } from "./Icon";
import type { ReactNode } from "react";

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="mx-auto max-w-xl px-6 py-16 text-center">
      <h2 className="mb-2 text-lg font-medium">{title}</h2>
      <div className="space-y-2 text-muted">{children}</div>
    </div>
  );
}

export function Failed({ error, again }: { error: unknown; again?: () => void }) {
  const p = error instanceof Problem ? error : undefined;
  return (
    <div role="alert" className="m-4 flex items-start gap-2 rounded border border-line bg-panel p-3">
      <Icon name="warning" className="mt-0.5 text-block" />
      <div className="min-w-0">
        <p className="[overflow-wrap:anywhere]">
          <Signed text={error instanceof Error ? error.message : String(error)} />
        </p>
        <p className="text-muted">{p?.hint ?? advice(p)}</p>
      </div>
      {again && (
        <Button small className="ml-auto" onClick={again}>
          Try again
        </Button>
      )}
    </div>
  );
}

function advice(p: Problem | undefined): string {
  switch (p?.kind) {
    case "not_found":
      return "The id may be of another data folder, or what it names was removed. Live and Sessions list what there is.";
    case "not_kept":
      return "Only metadata is kept of this flow: the setting `capture` says of whose.";
    case "removed":
      return "It was removed by age or size: the settings ledger.max_age and ledger.max_size say when.";
    case "ledger_full":
    case "ledger_fault":
      return "Nothing is read that can't be put on record first. Set-up says what the ledger lacks.";
    case "internal":
      return "The gateway's log, on its stderr, has the cause.";
  }
  return p === undefined ? "This is an error of the page. Loading it again may help." : "";
}

export function Waiting({ what }: { what: string }) {
  return (
    <p role="status" className="animate-pulse px-4 py-6 text-muted">
      Reading {what}…
    </p>
  );
}
