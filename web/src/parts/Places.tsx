import { Link } from "@tanstack/react-router";

/** The parts of a page, each with an address: ?tab=NAME. */
export function Places({ to, label, tab, places, keep }: { to: string; label: string; tab: string; places: readonly { tab: string; name: string; count?: number | undefined }[]; keep?: Record<string, string | undefined> }) {
  return (
    <nav aria-label={label} className="sticky top-0 z-10 flex flex-wrap gap-x-1 border-b border-line bg-panel px-3">
      {places.map((p, i) => (
        <Link
          key={p.tab}
          to={to}
          search={{ ...keep, tab: i === 0 ? undefined : p.tab } as never}
          activeOptions={{ includeSearch: true, explicitUndefined: true }}
          aria-current={p.tab === tab ? "page" : undefined}
          className="-mb-px flex h-9 items-center gap-1.5 border-b-2 border-transparent px-2.5 whitespace-nowrap text-muted hover:text-ink aria-[current=page]:border-accent aria-[current=page]:text-ink"
        >
          {p.name}
          {p.count !== undefined && p.count > 0 && <span className="rounded-full bg-raised px-1.5 text-xs">{p.count}</span>}
        </Link>
      ))}
    </nav>
  );
}
