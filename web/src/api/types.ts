import type { Usage, Row, Origin, Finding, Header, Leg, Decision, Intent, Outcome, SessionView as Session } from "./made";
// The words of the admin API. The structures are those that the server writes, made
// from its OpenAPI document; what stands here by hand is what that does not name.

export type Verdict = "block" | "ask" | "redact" | "pass";
export type State = "open" | "done" | "aborted" | "refused" | "unknown";
export type Entrance = "redirect" | "intercept" | "tunnel" | "import" | "guardrail";
export type Severity = "low" | "medium" | "high" | "critical" | (string & {});
export type Action = "block" | "ask" | "redact" | "flag" | "off";
export type Mode = "observe" | "report" | "enforce";
export type Custody = "same-user" | "own-user";
export type What = "request" | "forwarded" | "response" | "delivered";

/** A flow with what was found in it. */
export interface FlowView {
  id: string;
  session: string;
  turn: number | null;
  started: string;
  entrance: Entrance;
  provider: string;
  api: string;
  model: string;
  agent?: string;
  path: string;
  host?: string;
  status: number;
  state: State;
  verdict: Verdict;
  why: string;
  would?: Verdict;
  principal: string;
  findings?: Finding[];
  rules?: string[]; // that decided, and "limit:KIND" or "blind:KIND" where no rule did
  error?: string;
}

/** All metadata of one flow. Times of the outcome are nanoseconds. */
export interface Flow {
  intent: Intent;
  outcome: Outcome | null; // null: open
}

export type { Usage, Row, Origin, Finding, Header, Leg, Decision, Intent, Outcome, Session };
