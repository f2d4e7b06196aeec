import type { ReactNode } from "react";

/** A part of a page under a heading of its own. */
export function Section({ title, says, more, children }: { title: string; says?: ReactNode; more?: ReactNode; children: ReactNode }) {
  return (
    <section aria-label={title} className="rounded-lg border border-line bg-panel">
      <header className="flex min-h-10 flex-wrap items-center gap-x-3 gap-y-1 px-4 pt-2.5 pb-1">
        <h2 className="text-base font-semibold">{title}</h2>
        {more && <div className="ml-auto flex flex-wrap items-center gap-2">{more}</div>}
        {says && <p className="w-full text-muted">{says}</p>}
      </header>
      <div className="px-4 pb-4">{children}</div>
    </section>
  );
}

/** Names and what they are, in two columns. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className="grid grid-cols-[max-content_minmax(0,1fr)] gap-x-4 gap-y-1.5">{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className="min-w-0 [overflow-wrap:anywhere]">{children}</dd>
    </>
  );
}
