// Text that an agent, a model or a tool wrote. It is never HTML; links are not
// links; what can't be seen is shown as a sign.
import { Fragment, memo, useState, type ReactNode } from "react";
import { Button } from "./Button";
import { bytes } from "./format";
import { runs } from "./signs";

/** A stretch of the text that is drawn otherwise. Offsets are UTF-16 units. */
export interface Stretch {
  start: number;
  end: number;
  draw(text: ReactNode, key: number): ReactNode;
}

const usual = 8_192; // characters before “show all”

export const Captured = memo(function Captured(props: { text: string; stretches?: Stretch[]; limit?: number; label?: string; wrap?: boolean }) {
  const { text, stretches = [], limit = usual, label, wrap = true } = props;
  const [all, setAll] = useState(false);
  const cut = !all && text.length > limit * 1.25;
  const shown = cut ? text.slice(0, limit) : text;
  return (
    <div>
      <div role={label ? "group" : undefined} aria-label={label} dir="auto" className={`mono [unicode-bidi:plaintext] ${wrap ? "whitespace-pre-wrap [overflow-wrap:anywhere]" : "overflow-x-auto whitespace-pre"}`}>
        {drawn(shown, stretches)}
        {cut && "…"}
      </div>
      {cut && (
        <Button small onClick={() => setAll(true)}>
          Show all, {bytes(text.length - limit)} more
        </Button>
      )}
    </div>
  );
});

/** Captured text within a line: cut by the layout, whole in the title. */
export function Line({ text, className = "" }: { text: string; className?: string }) {
  return (
    <span dir="auto" className={`[unicode-bidi:isolate] ${className}`} title={titleOf(text)}>
      <Signed text={text.length > 400 ? text.slice(0, 400) + "…" : text} flat />
    </span>
  );
}

function titleOf(text: string): string {
  return runs(text.slice(0, 1_000)).map((r) => r.text).join("");
}

/** Text with its signs. flat draws line ends as signs, too. */
export function Signed({ text, flat = false }: { text: string; flat?: boolean }) {
  const parts = runs(flat ? text.replace(/\r?\n/g, " ⏎ ") : text);
  return parts.map((r, i) =>
    r.title === undefined ? (
      <Fragment key={i}>{r.text}</Fragment>
    ) : (
      <span key={i} className="sign" title={r.title}>
        {r.text}
      </span>
    ),
  );
}

/** Text with its stretches drawn. */
export function drawn(text: string, stretches: Stretch[]): ReactNode[] {
  const out: ReactNode[] = [];
  let from = 0;
  for (const [i, s] of [...stretches].sort((a, b) => a.start - b.start).entries()) {
    const start = Math.max(s.start, from);
    const end = Math.min(s.end, text.length);
    if (start >= end) continue; // overlapped, or beyond the cut
    out.push(<Signed key={`t${i}`} text={text.slice(from, start)} />);
    out.push(s.draw(<Signed text={text.slice(start, end)} />, i));
    from = end;
  }
  out.push(<Signed key="rest" text={text.slice(from)} />);
  return out;
}
