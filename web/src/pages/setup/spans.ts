// In which mode the gateway ran, and when none did, as the journal tells it.
import type { Entry } from "../../api/answers";
import type { Mode } from "../../api/types";

export interface Span {
  from: number; // ms
  to: number;
  state: Mode | "down" | "lost" | "none";
  why: string;
}

/** Spans of time, the oldest first, up to now. Entries come with the newest last.
 * "lost": the gateway ended without saying so, somewhere within the span; "none":
 * a gateway ran without a policy, so it blocked everything. */
export function spansOf(entries: Entry[], now: number): Span[] {
  const out: Span[] = [];
  let open: Span | undefined;
  let seen = 0; // when the last entry was made
  const close = (at: number) => {
    if (open) out.push({ ...open, to: Math.max(at, open.from) });
    open = undefined;
  };
  for (const e of entries) {
    const at = new Date(e.at).getTime();
    if (e.kind === "start") {
      if (open && open.state !== "down") {
        close(Math.max(seen, open.from)); // it never said that it stops
        open = { from: seen, to: at, state: "lost", why: "a gateway ended without saying so: a crash, or it was killed" };
      }
      close(at);
      open = { from: at, to: now, state: modeOf(e), why: e.why ?? "" };
    } else if (e.kind === "policy.load") {
      close(at);
      open = { from: at, to: now, state: modeOf(e), why: e.why ?? "" };
    } else if (e.kind === "stop") {
      close(at);
      open = { from: at, to: now, state: "down", why: "no gateway ran" };
    }
    seen = at;
  }
  close(now);
  return joined(out.filter((s) => s.to > s.from));
}

function modeOf(e: Entry): Span["state"] {
  const mode = e.attrs?.["mode"];
  return mode === "observe" || mode === "report" || mode === "enforce" ? mode : "none";
}

/** A policy that was loaded again in the same mode begins nothing new. */
function joined(spans: Span[]): Span[] {
  const out: Span[] = [];
  for (const s of spans) {
    const last = out.at(-1);
    if (last && last.state === s.state && last.to === s.from) last.to = s.to;
    else out.push({ ...s });
  }
  return out;
}

/** Policy's verdicts did not hold: calls passed all the same, or past it. */
export function off(s: Span): boolean {
  return s.state !== "enforce" && s.state !== "none";
}
