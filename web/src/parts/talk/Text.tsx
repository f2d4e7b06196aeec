// The text of a part: findings and what was looked for are marked in it, headings
// and code look like such. See parts/Captured for why it is never HTML.
import { memo, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import type { Mark, Part } from "../../api/conversation";
import { Button } from "../Button";
import { drawn, type Stretch } from "../Captured";
import { bytes } from "../format";
import { useDesk, useOf } from "./desk";
import { placeOf } from "./model";
import { segments, type Segment } from "./prose";

const page = 8_192; // characters that are drawn at first
const most = 524_288; // above, the bytes are to be read: a browser lays out no more in a moment

interface Props {
  flow: string;
  part: Part;
  text?: string; // in place of the part's; then nothing is marked
  prose?: boolean;
  from?: number; // the stretch of the part's text that is shown
  to?: number;
}

export const Text = memo(function Text({ flow, part, text: instead, prose = false, from = 0, to = part.text.length }: Props) {
  const text = instead ?? part.text.slice(from, to);
  const desk = useDesk();
  const find = useOf(desk, (d) => d.find);
  const target = useOf(desk, (d) => (d.target?.place === placeOf(flow, part.n) ? d.target : undefined));
  const [shown, setShown] = useState(page);
  const wanted = (target?.mark === undefined ? (target?.at ?? 0) : (part.marks?.[target.mark]?.end ?? 0)) - from;
  const limit = Math.min(text.length, Math.max(wanted + 1_024, shown * 1.25 < text.length ? shown : text.length), Math.max(most, shown));
  const head = limit < text.length ? text.slice(0, limit) : text;
  const stretches = useMemo(
    () => [...(instead === undefined || instead === part.text ? marksIn(flow, part, from, to) : []), ...foundIn(head, find, target?.at === undefined ? undefined : target.at - from)],
    [flow, part, instead, from, to, head, find, target?.at],
  );
  return (
    <div>
      <div dir="auto" className={`[unicode-bidi:plaintext] whitespace-pre-wrap [overflow-wrap:anywhere] ${prose ? "max-w-[78ch] leading-relaxed" : "mono"}`}>
        {prose ? <Prose text={head} stretches={stretches} /> : drawn(head, stretches)}
        {limit < text.length && "…"}
      </div>
      {limit < text.length && (
        <Button small className="mt-1" onClick={() => setShown(Math.min(text.length, limit + most))}>
          Show {text.length - limit > most ? `${bytes(most)} more of ${bytes(text.length)}` : `all, ${bytes(text.length - limit)} more`}
        </Button>
      )}
    </div>
  );
});

const looks: Record<Exclude<Segment["look"], "text">, string> = {
  fence: "mono block rounded border border-line bg-raised px-2 py-1 my-1",
  code: "mono rounded bg-raised px-0.5",
  heading: "font-semibold",
};

function Prose({ text, stretches }: { text: string; stretches: Stretch[] }) {
  const list = useMemo(() => segments(text), [text]);
  return list.map((s) => {
    const inside = stretches.filter((m) => m.start < s.end && m.end > s.start).map((m) => ({ ...m, start: m.start - s.start, end: m.end - s.start }));
    const content = drawn(text.slice(s.start, s.end), inside);
    return (
      <span key={s.start} className={s.look === "text" ? undefined : looks[s.look]}>
        {content}
      </span>
    );
  });
}

/** Stretches for a part's marks in what is shown of it; those that overlap are one. */
function marksIn(flow: string, part: Part, from: number, to: number): Stretch[] {
  const groups: { start: number; end: number; marks: number[] }[] = [];
  const order = [...(part.marks ?? []).entries()].filter(([, m]) => m.start < m.end && m.start < to && m.end > from).sort(([, a], [, b]) => a.start - b.start || b.end - a.end);
  for (const [i, mark] of order) {
    const last = groups.at(-1);
    if (last && mark.start < last.end) {
      last.end = Math.max(last.end, mark.end);
      last.marks.push(i);
    } else groups.push({ start: mark.start, end: mark.end, marks: [i] });
  }
  return groups.map((g) => ({ ...g, start: Math.max(g.start, from) - from, end: Math.min(g.end, to) - from, draw: (text: ReactNode) => <Marked key={`m${g.start}`} flow={flow} part={part} at={g.marks} text={text} /> }));
}

const colours: Record<string, string> = { low: "decoration-line-strong bg-raised", medium: "decoration-ask bg-ask/10", high: "decoration-block bg-block/10", critical: "decoration-block bg-block/15" };

/** A finding where it stands. It opens what is known of it. */
function Marked({ flow, part, at, text }: { flow: string; part: Part; at: number[]; text: ReactNode }) {
  const desk = useDesk();
  const ref = useRef<HTMLSpanElement>(null);
  const marks = at.map((i) => part.marks?.[i]).filter((m): m is Mark => m !== undefined);
  const first = marks[0];
  const target = useOf(desk, (d) => d.target?.place === placeOf(flow, part.n) && d.target.mark !== undefined && at.includes(d.target.mark) ? d.target : undefined);
  useEffect(() => {
    if (!target) return;
    ref.current?.scrollIntoView({ block: "center" });
    ref.current?.focus({ preventScroll: true });
  }, [target]);
  if (!first) return text;
  const rules = marks.map((m) => m.rule).join(", ");
  const colour = first.shown === "pseudonym" ? "decoration-redact bg-redact/10" : (colours[first.severity ?? "high"] ?? colours["high"]);
  const open = () => ref.current && desk.point({ anchor: ref.current, flow, n: part.n, marks });
  return (
    <span
      ref={ref}
      role="button"
      tabIndex={0}
      aria-haspopup="dialog"
      aria-label={first.shown === "masked" ? `●●●● masked value: ${rules}` : undefined}
      aria-description={first.shown === "masked" ? undefined : `finding: ${rules}`}
      title={rules}
      data-finding={first.rule}
      onClick={open}
      onKeyDown={(e) => (e.key === "Enter" || e.key === " ") && (e.preventDefault(), open())}
      className={`cursor-pointer rounded-xs underline decoration-2 underline-offset-3 ${colour} ${first.shown === "masked" ? "tracking-tight" : ""}`}
    >
      {text}
    </span>
  );
}

const mostFound = 200; // in one text

function foundIn(text: string, find: string, active: number | undefined): Stretch[] {
  if (find === "") return [];
  const out: Stretch[] = [];
  const small = text.toLowerCase();
  if (small.length !== text.length) return []; // a letter whose small form is longer: offsets differ
  for (let at = small.indexOf(find); at >= 0 && out.length < mostFound; at = small.indexOf(find, at + find.length)) {
    const here = at;
    out.push({ start: at, end: at + find.length, draw: (t) => <FoundHere key={`f${here}`} active={here === active}>{t}</FoundHere> });
  }
  return out;
}

function FoundHere({ active, children }: { active: boolean; children: ReactNode }) {
  const ref = useRef<HTMLElement>(null);
  useEffect(() => {
    if (active) ref.current?.scrollIntoView({ block: "center" });
  }, [active]);
  return (
    <mark ref={ref} className={`rounded-xs text-ink ${active ? "bg-ask/45 outline-2 outline-ask" : "bg-ask/25"}`}>
      {children}
    </mark>
  );
}
