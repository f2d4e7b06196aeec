// What a hit stands in. Definitions of tools and system prompts say much, and are no
// conversation: they are shown when somebody asks for them.
import type { Hit } from "../../api/answers";

export const kinds = [
  { kind: "people", name: "People" },
  { kind: "model", name: "Model" },
  { kind: "calls", name: "Tool calls" },
  { kind: "results", name: "Tool results" },
  { kind: "system", name: "System prompts" },
  { kind: "definitions", name: "Tool definitions" },
] as const;

export type Kind = (typeof kinds)[number]["kind"];

const usual: readonly Kind[] = ["people", "model", "calls", "results"];

export function kindOf({ kind, role }: Pick<Hit, "kind" | "role">): Kind {
  if (kind === "tool_call") return "calls";
  if (kind === "tool_result") return "results";
  if (kind === "tool_definition") return "definitions";
  if (kind === "system" || role === "system" || role === "developer") return "system";
  return kind === "thinking" || role === "assistant" || role === "model" ? "model" : "people";
}

/** The kinds that an address says; without any, those of a conversation. */
export function shownOf(show: string | undefined): ReadonlySet<Kind> {
  const named = kinds.map((k) => k.kind).filter((k) => show?.split(",").includes(k));
  return new Set(show === undefined || (named.length === 0 && show !== "none") ? usual : named);
}

/** What an address says of them; undefined: the usual. */
export function showOf(shown: ReadonlySet<Kind>): string | undefined {
  const named = kinds.map((k) => k.kind).filter((k) => shown.has(k));
  if (named.join() === usual.join()) return undefined;
  return named.join(",") || "none";
}

/** How many hits are hidden, and in what: "12 more in tool definitions and system prompts". */
export function hiddenIn(hits: Pick<Hit, "kind" | "role">[], shown: ReadonlySet<Kind>): string {
  const hidden = hits.map(kindOf).filter((k) => !shown.has(k));
  const names = kinds.filter((k) => hidden.includes(k.kind)).map((k) => (k.kind === "people" ? "what people said" : k.kind === "model" ? "what models said" : k.name.toLowerCase()));
  if (names.length === 0) return "";
  return `${hidden.length} more in ${new Intl.ListFormat("en").format(names)}`;
}
