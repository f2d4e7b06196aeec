import { both, term } from "../../parts/terms";

/** A filter that chooses one session. */
export function only(session: string, principal?: string): string {
  return both(term("session", session), principal ? term("principal", principal) : "");
}
