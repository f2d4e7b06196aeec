// Tables of a few hundred rows. Those that grow without end are no tables.
import type { ReactNode } from "react";

export interface Column<R> {
  name: string;
  title?: string; // what it means
  right?: boolean; // a figure
  wide?: boolean; // left out where there is little room
  cell(row: R): ReactNode;
  sort?: (a: R, b: R) => number; // the largest first; absent: it can't be sorted by it
}

/** Sorted by the name of a column, or "-NAME" the other way round. */
export function Table<R>({ label, columns, rows, id, sort, onSort }: { label: string; columns: Column<R>[]; rows: R[]; id(row: R): string; sort?: string | undefined; onSort?: (sort: string) => void }) {
  return (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={label}>
      <table className="w-full border-collapse">
        <thead>
          <tr className="border-b border-line-strong text-left text-sm text-muted">
            {columns.map((c) => (
              <Head key={c.name} column={c} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted(rows, columns, sort).map((r) => (
            <tr key={id(r)} className="border-b border-line last:border-b-0 hover:bg-raised">
              {columns.map((c, i) =>
                i === 0 ? (
                  <th key={c.name} scope="row" className="py-1.5 pr-4 text-left font-normal">
                    {c.cell(r)}
                  </th>
                ) : (
                  <td key={c.name} className={`py-1.5 ${c.right ? "pr-4 pl-4 text-right whitespace-nowrap last:pr-0" : "pr-4"} ${c.wide ? "max-xl:hidden" : ""}`}>
                    {c.cell(r)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Head<R>({ column: c, sort, onSort }: { column: Column<R>; sort: string | undefined; onSort: ((sort: string) => void) | undefined }) {
  const way = sort === c.name ? "descending" : sort === `-${c.name}` ? "ascending" : undefined;
  return (
    <th scope="col" title={c.title} aria-sort={way} className={`py-1.5 font-medium whitespace-nowrap ${c.right ? "pr-4 pl-4 text-right last:pr-0" : "pr-4"} ${c.wide ? "max-xl:hidden" : ""}`}>
      {c.sort && onSort ? (
        <button type="button" className={`rounded hover:text-ink ${way ? "text-ink" : ""}`} onClick={() => onSort(way === "descending" ? `-${c.name}` : c.name)}>
          {way && <span aria-hidden="true">{way === "descending" ? "↓ " : "↑ "}</span>}
          {c.name}
        </button>
      ) : (
        c.name
      )}
    </th>
  );
}

export function sorted<R>(rows: R[], columns: Column<R>[], sort: string | undefined): R[] {
  const by = columns.find((c) => c.name === sort?.replace(/^-/, ""))?.sort;
  if (!by) return rows;
  return rows.toSorted(sort?.startsWith("-") ? (a, b) => by(b, a) : by);
}
