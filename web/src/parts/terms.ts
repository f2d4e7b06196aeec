// Filters made from what was clicked. The language is docs/reference/filters.md's.

/** field:"value", whatever stands in the value; "" is what is not known. */
export function term(field: string, value: string): string {
  if (value === "") return `${field}:unknown`;
  const plain = /^[a-z0-9][\w./@-]*$/i.test(value) && value.toLowerCase() !== "unknown";
  return `${field}:${plain ? value : `"${value.replace(/[\\"]/g, "\\$&")}"`}`;
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
