// What a session is made of, a line for each: rounds, turns, sub-agents.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import { Line } from "../Captured";
import { ended, fine } from "../ended";
import { Icon } from "../Icon";
import { short, usd, used } from "../format";
import { Ended, Verdict } from "../Verdict";
import { missed, TokenBar, tokensText } from "./Figures";
import { nameOf, type Item, type Talk } from "./model";
import { turnName } from "./TurnView";

interface Props {
  talk: Talk;
  current: string | undefined; // flow
  onFlow(flow: string): void;
  onItem(index: number): void;
}

const heights = { round: 30, branch: 26, compaction: 24, turn: 24 } as const;

export function Outline({ talk, current, onFlow, onItem }: Props) {
  const scroll = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: talk.items.length,
    getScrollElement: () => scroll.current,
    estimateSize: (i) => heights[talk.items[i]?.kind ?? "turn"],
    getItemKey: (i) => talk.items[i]?.key ?? i,
    overscan: 20,
    anchorTo: "end",
    scrollEndThreshold: -1,
  });
  const at = current === undefined ? undefined : talk.at.get(current);
  useEffect(() => {
    if (at !== undefined) rows.scrollToIndex(at, { align: "auto" });
  }, [at, rows]);
  return (
    <>
      <div ref={scroll} className="min-h-0 flex-1 overflow-y-auto" tabIndex={0} role="region" aria-label="Outline">
      <div style={{ height: rows.getTotalSize() }} className="relative">
        {rows.getVirtualItems().map((row) => {
          const item = talk.items[row.index];
          return (
            item && (
              <div key={row.key} style={{ transform: `translateY(${row.start}px)`, height: row.size }} className="absolute inset-x-0 top-0">
                <Row item={item} index={row.index} talk={talk} current={current} onFlow={onFlow} onItem={onItem} />
              </div>
            )
          );
        })}
      </div>
      </div>
      <Legend />
    </>
  );
}

function Legend() {
  const swatch = (colour: string, text: string) => (
    <span className="flex items-center gap-1">
      <svg width="10" height="8" aria-hidden="true">
        <rect width="10" height="8" rx="1.5" className={colour} />
      </svg>
      {text}
    </span>
  );
  return (
    <p className="flex gap-2.5 border-t border-line px-2 py-1 text-xs whitespace-nowrap text-muted" title="Tokens. The length of a bar is the turn's tokens against the longest turn.">
      {swatch("fill-line-strong", "cached")}
      {swatch("fill-info", "new")}
      {swatch("fill-accent", "out")}
      <span className="ml-auto">
        <span className="text-ask">↺</span> cache missed
      </span>
    </p>
  );
}

function Row({ item, index, talk, current, onFlow, onItem }: { item: Item; index: number } & Props) {
  const indent = { paddingLeft: 8 + item.depth * 14 };
  const rail = item.depth > 0 ? "border-l-2 border-info/40" : "";
  switch (item.kind) {
    case "round":
      return (
        <button type="button" onClick={() => onItem(index)} style={indent} className={`flex size-full items-end gap-1.5 pr-2 pb-1 text-left hover:bg-raised ${rail}`}>
          {item.round.n !== null && <span className="shrink-0 text-muted">{item.round.n}.</span>}
          <span className="min-w-0 truncate font-medium">
            <Line text={item.round.prompt || "before anybody asked"} />
          </span>
        </button>
      );
    case "branch":
      return (
        <button type="button" onClick={() => onItem(index)} style={indent} className={`flex size-full items-center gap-1.5 pr-2 text-left text-info hover:bg-raised ${rail}`}>
          <Icon name="branch" size={13} />
          <span className="min-w-0 truncate">
            Sub-agent <Line text={item.branch.subagent} />
          </span>
        </button>
      );
    case "compaction":
      return (
        <button type="button" onClick={() => onItem(index)} className="flex size-full items-center gap-2 px-2 text-sm text-redact hover:bg-raised">
          <span className="h-px flex-1 bg-redact" /> {item.turn.summary ? "compacted" : "new conversation"} <span className="h-px flex-1 bg-redact" />
        </button>
      );
    case "turn":
      return <TurnRow item={item} talk={talk} on={item.turn.flow === current} indent={indent} rail={rail} onFlow={onFlow} />;
  }
}

function TurnRow({ item, talk, on, indent, rail, onFlow }: { item: Extract<Item, { kind: "turn" }>; talk: Talk; on: boolean; indent: { paddingLeft: number }; rail: string; onFlow(flow: string): void }) {
  const t = item.turn;
  const end = ended(t);
  const grave = t.findings.length > 0 || (t.would !== undefined && t.would !== "pass");
  return (
    <button
      type="button"
      aria-current={on || undefined}
      title={`${turnName(t)}: ${tokensText(t)}`}
      onClick={() => onFlow(t.flow)}
      style={indent}
      className={`flex size-full items-center gap-2 pr-2 text-left text-sm hover:bg-raised aria-[current]:bg-accent-soft ${t.side ? "text-muted italic" : ""} ${rail}`}
    >
      <span className="w-6 shrink-0 text-right text-muted">{t.turn ?? "–"}</span>
      <span className="min-w-0 flex-1 truncate">
        <Line text={nameOf(t)} />
      </span>
      {missed(t.cache) && (
        <span className="shrink-0 text-ask" role="img" aria-label="cache missed" title={t.cache.text}>
          ↺
        </span>
      )}
      {!fine(end) && end.is !== "blocked" && <Ended end={end} />}
      {t.verdict !== "pass" || (t.would && t.would !== "pass") ? (
        <Verdict verdict={t.verdict} would={t.would} word={false} />
      ) : (
        grave && (
          <span className="size-1.5 shrink-0 rounded-full bg-ask" role="img" aria-label={`${t.findings.length} findings`} title={[...new Set(t.findings.map((f) => f.rule))].join(", ")} />
        )
      )}
      <TokenBar turn={t} most={talk.most} width={36} />
      <span className="w-14 shrink-0 text-right text-muted">{t.cost_usd !== null ? usd(t.cost_usd) : used(t) ? "?" : "–"}</span>
      <span className="sr-only">{short(t.usage.output)} tokens out</span>
    </button>
  );
}
