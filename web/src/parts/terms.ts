// Filters made from what was clicked. The language is docs/reference/filters.md's.

/** Whether a value needs no quotes. */
const plain = (value: string) => /^[a-z0-9][\w./@-]*$/i.test(value) && value.toLowerCase() !== "unknown";

/** field:value*, or all of a value that stands in quotes: no * can stand behind them. */
export function beginning(field: string, value: string): string {
  return plain(value) ? `${field}:${value}*` : term(field, value);
}

/** field:"value", whatever stands in the value; "" is what is not known. */
export function term(field: string, value: string): string {
  if (value === "") return `${field}:unknown`;
  return `${field}:${plain(value) ? value : `"${value.replace(/[\\"]/g, "\\$&")}"`}`;
}

/** All of these filters at once; blank ones choose nothing away. */
export function both(...filters: (string | undefined)[]): string {
  const given = filters.map((f) => f?.trim() ?? "").filter((f) => f !== "");
  return given.map((f) => (given.length > 1 && /\bOR\b/.test(f) ? `(${f})` : f)).join(" ");
}

/** The flows about which policy did something, or would have: those of Decisions. */
export const acted = "verdict:block,ask,redact OR would:*";

/** A moment as since: and until: take it, to the second. */
export function moment(at: Date): string {
  return `${at.toISOString().slice(0, 19)}Z`;
}
