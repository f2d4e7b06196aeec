// The line above a session: what it is, what it cost, and how to get about in it.
import { useState } from "react";
import type { Conversation } from "../../api/conversation";
import type { Session } from "../../api/types";
import { Button } from "../../parts/Button";
import { num } from "../../parts/format";
import { Icon } from "../../parts/Icon";
import { Who } from "../../parts/Who";
import { About, Kinds } from "../../parts/talk/About";
import type { Talk } from "../../parts/talk/model";

interface Props {
  about: Session;
  windows: Conversation[];
  before: boolean; // there are windows before the first
  after: boolean;
  busy: boolean;
  talk: Talk;
  newer: number;
  onExport(): void;
  onLatest(): void; // reads the end of the session anew
  onTurn(n: number): Promise<boolean>; // whether there is such a turn
}

export function Head(props: Props) {
  const { about, talk, windows, before, after, busy, newer, onLatest } = props;
  return (
    <div className="border-b border-line bg-panel px-4 py-1.5">
      <div className="flex flex-wrap items-center gap-x-3.5 gap-y-1">
        <About about={{ ...about, agent: about.agent ?? windows.find((w) => w.agent)?.agent }} who={<Who principal={about.principal} />} talk={talk} />
        <div className="ml-auto flex items-center gap-2">
          {newer > 0 && (
            <Button small strong onClick={onLatest}>
              It goes on: {num(newer)} newer
            </Button>
          )}
          {(before || after) && <ToTurn turns={about.turns} busy={busy} onTurn={props.onTurn} onLatest={onLatest} />}
          <Kinds />
          <Button small onClick={props.onExport}>
            <Icon name="download" size={13} /> Export
          </Button>
        </div>
      </div>
    </div>
  );
}

function ToTurn({ turns, busy, onTurn, onLatest }: { turns: number; busy: boolean; onTurn(n: number): Promise<boolean>; onLatest(): void }) {
  const [text, setText] = useState("");
  const [missing, setMissing] = useState(false);
  const go = async () => setMissing(!(await onTurn(Number(text)).catch(() => false)));
  return (
    <form className="flex items-center gap-1" onSubmit={(e) => (e.preventDefault(), void go())}>
      <label className="text-muted">
        turn{" "}
        <input
          inputMode="numeric"
          pattern="[0-9]+"
          value={text}
          aria-invalid={missing}
          onChange={(e) => (setText(e.target.value), setMissing(false))}
          className={`h-6 w-16 rounded border bg-ground px-1.5 text-ink ${missing ? "border-block" : "border-line-strong"}`}
        />{" "}
        of {num(turns)}
      </label>
      <Button small type="submit" disabled={text === ""}>
        Go
      </Button>
      <Button small onClick={onLatest} disabled={busy}>
        Latest
      </Button>
    </form>
  );
}
