// A table of any length: only what is seen is drawn. Columns come and go with the
// room that there is.
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type ReactNode, type RefObject } from "react";

export interface Column<T> {
  name: string;
  title?: string; // what the name does not say
  width: string; // a grid track
  from?: number; // it is there when the table is as wide, px
  below?: number; // or not yet
  right?: boolean;
  bare?: boolean; // its name is only read out
  sort?: string; // it sorts by this, see Props.order
  cell(item: T): ReactNode;
}

interface Props<T> {
  label: string;
  columns: Column<T>[];
  count: number;
  at(i: number): T | undefined;
  idOf(item: T): string;
  toneOf?(item: T): string; // classes of its row
  cursor: number; // -1: none
  onPick(i: number): void;
  onScrolled?(away: boolean): void; // from the top
  onPoint?(): void; // the pointer moves over the rows
  onEnd?(): void; // the last is near
  scroller?: RefObject<HTMLDivElement | null>;
  order?: { by: string; sort(by: string): void };
  foot?: ReactNode; // behind the last
}

const rowHeight = 27; // px
const near = 300; // rows before the end

export function Grid<T>(props: Props<T>) {
  const { label, count, at, idOf, toneOf, cursor, onPick, onScrolled, onPoint, onEnd, foot, order } = props;
  const own = useRef<HTMLDivElement>(null);
  const scroller = props.scroller ?? own;
  const width = useWidth(scroller);
  const columns = useMemo(() => props.columns.filter((c) => width >= (c.from ?? 0) && width < (c.below ?? Infinity)), [props.columns, width]);
  const tracks = columns.map((c) => c.width).join(" ");
  const virtual = useVirtualizer({ count, getScrollElement: () => scroller.current, estimateSize: () => rowHeight, overscan: 8, scrollPaddingStart: rowHeight });
  const items = virtual.getVirtualItems();
  // A row that is scrolled in takes over the elements of one that went out.
  const slots = useRef(1);
  slots.current = Math.max(slots.current, items.length);
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (count > 0 && last >= count - near) onEnd?.();
  }, [last, count, onEnd]);
  useEffect(() => {
    if (cursor >= 0) virtual.scrollToIndex(cursor);
    // Only when the cursor moves: the list may be scrolled away from it.
  }, [cursor, virtual]);
  const pick = useRef(onPick);
  useEffect(() => {
    pick.current = onPick;
  });
  const picked = useCallback((i: number) => pick.current(i), []);
  const id = (i: number) => `row-${i}`;
  return (
    <div
      ref={scroller}
      role="grid"
      aria-label={label}
      aria-rowcount={count + 1}
      aria-activedescendant={cursor >= 0 && items.some((v) => v.index === cursor) ? id(cursor) : undefined}
      tabIndex={0}
      onPointerMove={onPoint}
      onScroll={(e) => onScrolled?.(e.currentTarget.scrollTop > rowHeight / 2)}
      className="min-h-0 flex-1 overflow-x-hidden overflow-y-auto bg-panel outline-offset-[-2px] [overflow-anchor:none]"
    >
      <div role="row" aria-rowindex={1} className="sticky top-0 z-10 grid items-center gap-x-2.5 border-b border-line bg-raised px-2.5 text-sm text-muted" style={{ gridTemplateColumns: tracks, height: rowHeight }}>
        {columns.map((c) => (
          <Head key={c.name} column={c} order={order} />
        ))}
      </div>
      <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
        {items.map((v) => {
          const item = at(v.index);
          return (
            item !== undefined && (
              <Row
                key={v.index % slots.current}
                id={id(v.index)}
                index={v.index}
                start={v.start}
                item={item}
                columns={columns}
                tracks={tracks}
                on={v.index === cursor}
                tone={toneOf?.(item) ?? ""}
                flow={idOf(item)}
                onPick={picked}
              />
            )
          );
        })}
      </div>
      {foot && (
        <div role="row" className="px-3 py-2 text-muted">
          <div role="gridcell" className="flex flex-wrap items-center gap-2">{foot}</div>
        </div>
      )}
    </div>
  );
}

function Head<T>({ column: c, order }: { column: Column<T>; order: Props<T>["order"] }) {
  const sorted = c.sort !== undefined && order?.by === c.sort;
  return (
    <div role="columnheader" title={c.title} aria-sort={sorted ? "descending" : undefined} className={`truncate ${c.right ? "text-right" : ""}`}>
      {c.sort !== undefined && order ? (
        <button type="button" onClick={() => order.sort(c.sort!)} className={`hover:text-ink ${sorted ? "font-medium text-ink" : ""}`}>
          {c.name}
          <span aria-hidden="true">{sorted ? " ↓" : ""}</span>
        </button>
      ) : (
        <span className={c.bare ? "sr-only" : ""}>{c.name}</span>
      )}
    </div>
  );
}

interface RowProps<T> {
  id: string;
  index: number;
  start: number;
  item: T;
  columns: Column<T>[];
  tracks: string;
  on: boolean;
  tone: string;
  flow: string;
  onPick(i: number): void;
}

const Row = memo(function Row<T>({ id, index, start, item, columns, tracks, on, tone, flow, onPick }: RowProps<T>) {
  return (
    <div
      id={id}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={on}
      data-id={flow}
      onClick={() => onPick(index)}
      className={`absolute inset-x-0 top-0 grid cursor-default items-center gap-x-2.5 border-b border-line px-2.5 contain-strict ${on ? "bg-accent-soft" : `hover:bg-raised ${tone}`}`}
      style={{ gridTemplateColumns: tracks, height: rowHeight, transform: `translateY(${start}px)` }}
    >
      {columns.map((c) => (
        <div key={c.name} role="gridcell" className={`truncate ${c.right ? "text-right" : ""}`}>
          {c.cell(item)}
        </div>
      ))}
    </div>
  );
}) as <T>(props: RowProps<T>) => ReactNode;

function useWidth(ref: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const seen = new ResizeObserver(([entry]) => setWidth(Math.round(entry?.contentRect.width ?? 0)));
    setWidth(element.clientWidth);
    seen.observe(element);
    return () => seen.disconnect();
  }, [ref]);
  return width;
}
