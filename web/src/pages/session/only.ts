/** A filter that chooses one session. */
export function only(session: string, principal?: string): string {
  const quoted = (text: string) => `"${text.replace(/["\\]/g, "\\$&")}"`;
  return `session:${quoted(session)}${principal ? ` principal:${quoted(principal)}` : ""}`;
}
