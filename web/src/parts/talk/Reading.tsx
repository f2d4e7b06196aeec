// The conversation, as long as it is: only what is in sight is drawn.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useImperativeHandle, useRef, type Ref } from "react";
import { IconButton } from "../Button";
import { Line } from "../Captured";
import { Icon } from "../Icon";
import { num } from "../format";
import type { Item, Talk } from "./model";
import type { Places } from "./Parts";
import { spokenTurn, TurnView } from "./TurnView";
import { useDesk, type Target } from "./desk";

export interface Reach {
  /** Brings an item to the top, and gives its turn the focus. */
  show(index: number, focus?: boolean): void;
  /** Brings a part, or what stands in it, into the middle. */
  showPart(index: number, target: Target, folds: string[]): void;
}

interface Props {
  talk: Talk;
  places: Places;
  current: string | undefined; // flow
  closed: ReadonlySet<string>;
  onBranch(subagent: string): void;
  onBytes?(flow: string): void;
  onEdge(edge: "first" | "last"): void; // the end of what is loaded comes into sight
  menu?(flow: string): React.ReactNode;
  reach: Ref<Reach>;
}

const settled = 150; // ms
const estimates = { round: 44, branch: 40, compaction: 34, turn: 240 } as const;

export function Reading({ talk, places, current, closed, onBranch, onBytes, onEdge, menu, reach }: Props) {
  const scroll = useRef<HTMLDivElement>(null);
  const desk = useDesk();
  const rows = useVirtualizer({
    count: talk.items.length,
    getScrollElement: () => scroll.current,
    estimateSize: (i) => estimates[talk.items[i]?.kind ?? "turn"],
    getItemKey: (i) => talk.items[i]?.key ?? i,
    overscan: 2,
    paddingEnd: 240,
    anchorTo: "end", // what is in sight stays when windows before it come or go
    scrollEndThreshold: -1,
  });
  useImperativeHandle(reach, () => {
    const element = (index: number) => scroll.current?.querySelector<HTMLElement>(`[data-index="${index}"]`);
    return {
      show(index, focus = true) {
        rows.scrollToIndex(headOf(talk, index), { align: "start" });
        if (focus) whenThere(() => element(index), (e) => e.querySelector<HTMLElement>("section")?.focus({ preventScroll: true }));
      },
      showPart(index, target, folds) {
        desk.go(target, folds);
        const [, n] = target.place.split("/");
        const part = () => element(index)?.querySelector<HTMLElement>(`[data-part="${n}"]`);
        if (part()) return; // it goes there by itself
        rows.scrollToIndex(index, { align: "start" });
        whenThere(part, () => (rows.cancelScroll(), desk.go({ ...target }, folds)));
      },
    };
  }, [rows, desk, talk]);
  const shown = rows.getVirtualItems();
  const [first, last] = [shown[0]?.index ?? 0, shown.at(-1)?.index ?? 0];
  useEffect(() => {
    if (talk.items.length === 0) return;
    // Not while it is still being gone to another place.
    const timer = setTimeout(() => {
      if (first === 0) onEdge("first");
      if (last >= talk.items.length - 4) onEdge("last");
    }, settled);
    return () => clearTimeout(timer);
  }, [first, last, talk, onEdge]);
  return (
    <div ref={scroll} className="min-h-0 flex-1 overflow-y-auto [overflow-anchor:none]" tabIndex={0} role="region" aria-label="Conversation">
      <h2 className="sr-only">Conversation</h2>
      <div style={{ height: rows.getTotalSize() }} className="relative">
        {shown.map((row) => {
          const item = talk.items[row.index];
          return (
            item && (
              <div key={row.key} ref={rows.measureElement} data-index={row.index} style={{ transform: `translateY(${row.start}px)` }} className="absolute inset-x-0 top-0 px-4">
                <ItemView item={item} talk={talk} places={places} on={item.kind === "turn" && item.turn.flow === current} closed={closed} onBranch={onBranch} {...(onBytes ? { onBytes } : {})} menu={menu} />
              </div>
            )
          );
        })}
      </div>
    </div>
  );
}

/** A turn is shown with the headings right above it. */
function headOf(talk: Talk, index: number): number {
  let at = index;
  while (talk.items[index]?.kind === "turn" && at > 0 && talk.items[at - 1]?.kind !== "turn") at--;
  return at;
}

/** All of the conversation, drawn at once: for paper. */
export function Paper({ talk, places, closed }: Pick<Props, "talk" | "places" | "closed">) {
  return talk.items.map((item) => <ItemView key={item.key} item={item} talk={talk} places={places} closed={closed} on={false} onBranch={() => undefined} menu={undefined} />);
}

/** Waits for something to be drawn, some frames at most. */
function whenThere(find: () => HTMLElement | null | undefined, then: (e: HTMLElement) => void, tries = 60) {
  const found = find();
  if (found) then(found);
  else if (tries > 0) requestAnimationFrame(() => whenThere(find, then, tries - 1));
}

interface ItemProps extends Pick<Props, "talk" | "places" | "closed" | "onBranch" | "onBytes"> {
  item: Item;
  on: boolean;
  menu: Props["menu"];
}

function ItemView({ item, ...rest }: ItemProps) {
  const inside = item.depth > 0 ? "border-l-2 border-info/40 pl-3" : "";
  return (
    <div className={inside} style={item.depth > 1 ? { marginLeft: (item.depth - 1) * 16 } : undefined}>
      {item.kind === "round" && <RoundHead item={item} />}
      {item.kind === "branch" && <BranchHead item={item} {...rest} />}
      {item.kind === "compaction" && <Compaction item={item} {...rest} />}
      {item.kind === "turn" && <TurnFrame item={item} {...rest} />}
    </div>
  );
}

function RoundHead({ item }: { item: Extract<Item, { kind: "round" }> }) {
  const { n, prompt, turns } = item.round;
  return (
    <h2 className="flex items-baseline gap-2 pt-4 pb-1">
      <span className="shrink-0 text-sm text-muted">{n === null ? (prompt ? "Round" : "") : `Round ${n}`}</span>
      <span className="min-w-0 truncate text-lg font-medium">
        <Line text={prompt || "Before anybody asked"} />
      </span>
      <span className="ml-auto shrink-0 text-sm text-muted">{turns.length === 1 ? "1 call" : `${num(turns.length)} calls`}</span>
    </h2>
  );
}

function BranchHead({ item, places, closed, onBranch }: { item: Extract<Item, { kind: "branch" }> } & Omit<ItemProps, "item">) {
  const { branch, by } = item;
  const open = !closed.has(branch.subagent);
  const turns = branch.rounds.reduce((sum, r) => sum + r.turns.length, 0);
  return (
    <h2 className="flex items-center gap-2 pt-3 pb-1 text-info">
      <IconButton name={open ? "Fold the sub-agent" : "Unfold the sub-agent"} aria-expanded={open} className="!h-5" onClick={() => onBranch(branch.subagent)}>
        <Icon name="chevron" size={13} className={open ? "rotate-90" : ""} />
      </IconButton>
      <Icon name="branch" />
      <span className="min-w-0 truncate font-medium">
        Sub-agent <Line text={branch.subagent} />
      </span>
      <span className="text-sm text-muted">{turns === 1 ? "1 turn" : `${num(turns)} turns`}</span>
      {by && (
        <button type="button" className="min-w-0 truncate text-sm underline underline-offset-3" onClick={() => places.toFlow(by.turn.flow, by.part.n)}>
          started by <Line text={by.part.title || by.part.name || "a tool call"} />
        </button>
      )}
    </h2>
  );
}

function Compaction({ item, places }: { item: Extract<Item, { kind: "compaction" }> } & Omit<ItemProps, "item">) {
  const from = item.turn.compacts ?? "";
  return (
    <div role="note" className="flex items-center gap-3 pt-3 pb-1 text-sm text-redact">
      <span className="h-px flex-1 bg-redact/60" />
      <span>
        {item.turn.summary
          ? "The agent compacted the conversation: what follows goes on from a summary."
          : "A new conversation begins: nothing of the one before is sent any more."}
      </span>
      <button type="button" className="underline underline-offset-3" onClick={() => places.toFlow(from)}>
        the last turn before it
      </button>
      <span className="h-px flex-1 bg-redact/60" />
    </div>
  );
}

function TurnFrame({ item, on, talk, places, onBytes, menu }: { item: Extract<Item, { kind: "turn" }> } & Omit<ItemProps, "item">) {
  return (
    <section
      tabIndex={-1}
      aria-label={spokenTurn(item.turn)}
      data-flow={item.turn.flow}
      className={`my-1 rounded border bg-panel outline-none ${on ? "border-accent shadow-[inset_3px_0_0_var(--accent)]" : "border-line"} ${item.turn.side ? "bg-transparent" : ""}`}
    >
      <TurnView turn={item.turn} sub={item.branch.subagent !== ""} talk={talk} places={places} onBytes={onBytes} menu={menu?.(item.turn.flow)} />
    </section>
  );
}

