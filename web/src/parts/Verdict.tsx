// A verdict has a colour, a shape and a letter or word: any one of them tells it.
import type { ReactNode } from "react";
import type { Severity, Verdict as Word } from "../api/types";
import { fine, type End } from "./ended";
import { short } from "./format";
import { visible } from "./signs";

const looks: Record<Word, { colour: string; letter: string; shape: string }> = {
  pass: { colour: "text-pass", letter: "", shape: "M8 3.4a4.6 4.6 0 1 1 0 9.2 4.6 4.6 0 0 1 0-9.2z" },
  redact: { colour: "text-redact", letter: "R", shape: "M2.5 2.5h11v11h-11z" },
  ask: { colour: "text-ask", letter: "?", shape: "M8 .6 15.4 8 8 15.4.6 8z" },
  block: { colour: "text-block", letter: "B", shape: "M5 1h6l4 4v6l-4 4H5l-4-4V5z" },
};

/** would: in mode report, what enforcing would have given; drawn as an outline. */
export function Verdict({ verdict, would, word = true }: { verdict: Word; would?: string | undefined; word?: boolean }) {
  const shown = (would && would !== verdict ? would : verdict) as Word; // would is a verdict's name
  const ghost = shown !== verdict;
  const look = looks[shown];
  const text = ghost ? `would ${shown}` : shown;
  return (
    <span className={`inline-flex items-center gap-1 align-bottom ${look.colour}`} title={ghost ? `passed; enforcing would ${shown} it` : undefined}>
      <Shape {...look} ghost={ghost} label={word ? undefined : text} />
      {word && <span className={shown === "pass" ? "text-muted" : "font-medium"}>{text}</span>}
    </span>
  );
}

/** How many calls were stopped, changed, or would have been if policy were enforced. */
export function Decided({ blocked, redacted, would }: { blocked: number; redacted: number; would: number }) {
  if (blocked + redacted + would === 0) return <span className="text-muted">–</span>;
  return (
    <span className="inline-flex gap-2 align-bottom" title={`${blocked} blocked, ${redacted} redacted; of ${would} enforcing would have made something else`}>
      {blocked > 0 && <Times n={blocked} of={<Verdict verdict="block" word={false} />} />}
      {redacted > 0 && <Times n={redacted} of={<Verdict verdict="redact" word={false} />} />}
      {would > 0 && <Times n={would} of={<Verdict verdict="pass" would="block" word={false} />} />}
    </span>
  );
}

function Times({ n, of }: { n: number; of: ReactNode }) {
  return (
    <span className="inline-flex items-center gap-1">
      {of}
      {short(n)}
    </span>
  );
}

function Shape({ letter, shape, ghost, label }: { letter: string; shape: string; ghost: boolean; label: string | undefined }) {
  const hollow = ghost || letter === "";
  return (
    <svg width="14" height="14" viewBox="0 0 16 16" className="shrink-0" role={label ? "img" : undefined} aria-label={label} aria-hidden={label ? undefined : true}>
      <path d={shape} fill={hollow ? "none" : "currentColor"} stroke="currentColor" strokeWidth="1.3" strokeDasharray={ghost ? "2.2 1.4" : undefined} />
      {letter && (
        <text x="8" y="11.4" textAnchor="middle" fontSize="9.5" fontWeight="700" className={hollow ? "fill-current" : "fill-panel"}>
          {letter}
        </text>
      )}
    </svg>
  );
}

const ends: Record<End["is"], { sign: string; more?: string; colour: string }> = {
  open: { sign: "◌", more: "the answer is still coming", colour: "text-info" },
  done: { sign: "✓", colour: "text-muted" },
  blocked: { sign: "⊘", colour: "text-block" },
  failed: { sign: "!", colour: "text-ask" },
  aborted: { sign: "✕", more: "client, provider or a time-out ended it early", colour: "text-ask" },
  refused: { sign: "⊘", more: "nothing was forwarded", colour: "text-block" },
  unknown: { sign: "?", more: "the gateway stopped before the end", colour: "text-ask" },
};

/** How a flow ended: as a sign, or with its words. */
export function Ended({ end, word = false }: { end: End; word?: boolean }) {
  const { sign, more, colour } = ends[end.is];
  const text = visible(more ? `${end.text}: ${more}` : end.text);
  const drawn = (
    <span role={word ? undefined : "img"} aria-label={word ? undefined : text} aria-hidden={word || undefined} title={text} className={`inline-block w-3.5 text-center font-semibold ${colour}`}>
      {sign}
    </span>
  );
  if (!word) return drawn;
  return (
    <span className={`inline-flex items-center gap-1 ${fine(end) ? "" : `font-medium ${colour}`}`} title={text}>
      {drawn}
      {visible(end.text)}
    </span>
  );
}

const bars: Record<string, number> = { low: 1, medium: 2, high: 3, critical: 4 };

export function SeveritySign({ severity, word = true }: { severity: Severity; word?: boolean }) {
  const n = bars[severity] ?? 0;
  const colour = n >= 3 ? "text-block" : n === 2 ? "text-ask" : "text-muted";
  return (
    <span className={`inline-flex items-center gap-1 align-bottom ${colour}`} title={word ? undefined : `severity ${severity}`}>
      <svg width="13" height="12" viewBox="0 0 13 12" role={word ? undefined : "img"} aria-label={word ? undefined : severity} aria-hidden={word ? true : undefined}>
        {[1, 2, 3, 4].map((i) => (
          <rect key={i} x={(i - 1) * 3.4} y={10 - i * 2.4} width="2.4" height={1.6 + i * 2.4} fill="currentColor" opacity={i <= n ? 1 : 0.25} />
        ))}
      </svg>
      {word && severity}
    </span>
  );
}
