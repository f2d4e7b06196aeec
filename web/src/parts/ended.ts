// How a flow ended. Its state alone does not tell: an answer that was blocked came to
// its end, and so did one whose status is 200 and that holds an error.
import type { Decision, Flow, State, Verdict } from "../api/types";

export interface End {
  is: "blocked" | "failed" | State;
  text: string; // as the gateway's own commands write it
}

export function ended(f: { state: State; status: number; verdict: Verdict; error?: string | undefined }): End {
  if (f.state === "open") return { is: "open", text: "open" };
  if (f.verdict === "block" || f.verdict === "ask") return { is: "blocked", text: "blocked" };
  if (f.error) return { is: "failed", text: `failed: ${f.error}` };
  if (f.state === "done" && f.status >= 400) return { is: "failed", text: `failed: HTTP ${f.status}` };
  return { is: f.state, text: f.state };
}

/** Whether it went as it should, or still may. */
export const fine = ({ is }: End) => is === "done" || is === "open";

const strictness: Verdict[] = ["block", "ask", "redact", "pass"];

/** The stricter one of the decisions about a flow's request and its answer: it is the flow's. */
export function decisionOf({ intent: i, outcome: o }: Flow): Decision {
  const { decision: answered } = o ?? {};
  return answered && strictness.indexOf(answered.verdict) < strictness.indexOf(i.decision.verdict) ? answered : i.decision;
}
