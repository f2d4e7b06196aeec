// What is known of the findings at one place, and their value for who says why.
import { useState } from "react";
import type { Found, Mark, Turn } from "../../api/conversation";
import { usualWhy, useWhy } from "../../api/why";
import { Button } from "../Button";
import { Captured } from "../Captured";
import { Copy } from "../Copy";
import { Popover } from "../Popover";
import { SeveritySign } from "../Verdict";
import { useDesk, useOf, useReader } from "./desk";

/** The popover of the mark that was pointed at. */
export function FindingNote({ turnOf }: { turnOf(flow: string): Turn | undefined }) {
  const desk = useDesk();
  const pointed = useOf(desk, (d) => d.pointed);
  if (!pointed) return null;
  const turn = turnOf(pointed.flow);
  return (
    <Popover anchor={pointed.anchor} label="Finding" onClose={() => desk.point(undefined)}>
      <div className="max-h-[60dvh] space-y-3 overflow-y-auto">
        {pointed.marks.map((mark, i) => (
          <One key={i} flow={pointed.flow} n={pointed.n} mark={mark} turn={turn} />
        ))}
      </div>
    </Popover>
  );
}

function One({ flow, n, mark, turn }: { flow: string; n: number; mark: Mark; turn: Turn | undefined }) {
  const { reader } = useDesk();
  const found = turn?.findings.find((f) => f.id === mark.finding);
  return (
    <section>
      <h3 className="mb-1 flex flex-wrap items-center gap-x-2">
        <span className="mono font-semibold">{mark.rule}</span>
        {mark.severity && <SeveritySign severity={mark.severity} />}
        {found && <span className="text-sm text-muted">{found.confidence} % sure</span>}
      </h3>
      <p>{told(mark, turn)}</p>
      {found && <Details found={found} />}
      {!mark.sealed && mark.shown !== "text" && (reader ? <Reveal flow={flow} n={n} mark={mark} /> : <p className="mt-1 text-sm text-muted">The value is not in this file.</p>)}
      {mark.sealed && mark.shown !== "text" && <p className="mt-1 text-sm text-muted">The value can't be shown from here: it was found in pieces, through an encoding, or is known from elsewhere in the session.</p>}
    </section>
  );
}

/** What became of it, in one sentence. */
export function told(mark: Mark, turn: Turn | undefined): string {
  const answer = mark.place === "answer";
  if (mark.shown === "pseudonym") return "The provider got this text in the value's place.";
  if (answer) return turn?.verdict === "block" ? "The answer was stopped because of it." : mark.action === "flag" ? "Noted in the answer; the agent got it." : `Found in the answer; the policy says ${mark.action ?? "nothing"}.`;
  if (turn?.state === "refused") return "The call was stopped; the provider did not get it.";
  const would = mark.action === "block" || mark.action === "ask" ? "stop the call" : mark.action === "redact" ? "replace it" : "";
  if (would) return `The provider got it: the policy only reports. Enforcing would ${would}.`;
  return mark.shown === "masked" ? "The provider got it. It is masked only here." : "Noted; the provider got it.";
}

function Details({ found }: { found: Found }) {
  const lines: [string, string][] = [];
  if (found.note) lines.push(["note", found.note]);
  if (found.via?.length) lines.push(["through", found.via.join(", ")]);
  if (found.facts?.length) lines.push(["facts", found.facts.join(", ")]);
  if (found.allowed) lines.push(["allowed by", found.allowed]);
  lines.push(["in", found.channel.replaceAll("_", " ")]);
  return (
    <dl className="mt-1.5 grid grid-cols-[5rem_1fr] text-sm">
      {lines.map(([k, v]) => (
        <div key={k} className="contents">
          <dt className="text-muted">{k}</dt>
          <dd className="[overflow-wrap:anywhere]">
            <Captured text={v} />
          </dd>
        </div>
      ))}
      <dt className="text-muted">finding</dt>
      <dd className="flex items-center gap-1">
        <span className="mono">{found.id}</span>
        <Copy text={found.id} what="the finding's id" />
      </dd>
    </dl>
  );
}

function Reveal({ flow, n, mark }: { flow: string; n: number; mark: Mark }) {
  const reader = useReader();
  const usual = useWhy();
  const [why, setWhy] = useState(usual === usualWhy ? "" : usual);
  const [got, setGot] = useState<{ value?: string; error?: string }>({});
  const reveal = async () => {
    try {
      setGot({ value: await reader.reveal(flow, n, mark, why.trim()) });
    } catch (e) {
      setGot({ error: e instanceof Error ? e.message : String(e) });
    }
  };
  if (got.value !== undefined) {
    return (
      <div className="mt-2 rounded border border-line bg-ground px-2 py-1.5">
        <div className="flex items-start justify-between gap-2">
          <Captured text={got.value} label="The value" />
          <Copy text={got.value} what="the value" />
        </div>
        <p className="mt-1 text-sm text-muted">That you saw it is on record.</p>
      </div>
    );
  }
  return (
    <form className="mt-2 border-t border-line pt-2" onSubmit={(e) => (e.preventDefault(), void reveal())}>
      <label className="block text-sm text-muted">
        Why do you need the value? The answer is put on record.
        <input value={why} onChange={(e) => setWhy(e.target.value)} maxLength={160} required className="mt-1 h-7 w-full rounded border border-line-strong bg-ground px-2 text-ink" />
      </label>
      {got.error && <p role="alert" className="mt-1 text-block">{got.error}</p>}
      <div className="mt-2 flex justify-end">
        <Button small strong type="submit" disabled={why.trim() === ""}>
          Reveal the value
        </Button>
      </div>
    </form>
  );
}
