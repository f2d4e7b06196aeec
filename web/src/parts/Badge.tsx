import type { ReactNode } from "react";

const tones = {
  plain: "border-line-strong text-muted",
  good: "border-pass text-pass",
  warn: "border-ask text-ask",
  bad: "border-block text-block",
  info: "border-info text-info",
  accent: "border-accent text-accent",
} as const;

export type Tone = keyof typeof tones;

export function Badge({ tone = "plain", title, children }: { tone?: Tone; title?: string | undefined; children: ReactNode }) {
  return (
    <span title={title} className={`inline-flex h-5 shrink-0 items-center gap-1 rounded border px-1.5 text-xs whitespace-nowrap ${tones[tone]}`}>
      {children}
    </span>
  );
}

export function Kbd({ children }: { children: ReactNode }) {
  return <kbd className="mono inline-block min-w-4 rounded border border-line-strong bg-raised px-1 text-center text-xs text-muted">{children}</kbd>;
}
