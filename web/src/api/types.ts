// The words of the admin API, as the server writes them. Until they are made
// from its OpenAPI document they are kept by hand.

export type Verdict = "block" | "ask" | "redact" | "pass";
export type State = "open" | "done" | "aborted" | "refused" | "unknown";
export type Entrance = "redirect" | "intercept" | "tunnel" | "import" | "guardrail";
export type Severity = "low" | "medium" | "high" | "critical" | (string & {});
export type Action = "block" | "ask" | "redact" | "flag" | "off";
export type Mode = "observe" | "report" | "enforce";
export type Custody = "same-user" | "own-user";
export type What = "request" | "forwarded" | "response" | "delivered";

export interface Usage {
  input: number;
  output: number;
  cache_read: number;
  cache_write: number;
  reasoning: number;
  estimated?: boolean;
}

/** A flow as lists show it. */
export interface Row {
  id: string;
  started: string; // RFC 3339
  state: State;
  status: number; // HTTP; 0: none
  verdict: Verdict;
  would?: Verdict; // in mode report: what enforcing would have given
  session: string;
  turn: number | null;
  retry?: boolean;
  subagent?: string;
  agent?: string;
  principal: string;
  entrance: Entrance;
  provider: string;
  api: string;
  model: string;
  method: string;
  path: string;
  host?: string;
  tools?: string[];
  rules?: string[]; // of findings, distinct
  severity?: Severity; // the highest
  input: number; // tokens
  output: number;
  cache_read: number;
  cache_write: number;
  estimated?: boolean;
  cost_usd: number | null; // null: unknown
  first_byte_ms: number | null;
  duration_ms: number | null;
  request_bytes: number;
  response_bytes: number;
  why?: string;
  error?: string;
}

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

export interface Origin {
  flow: string;
  channel: string;
  start: number;
  end: number;
  tool?: string;
  rule?: string;
}

/** What a detector saw, without content. */
export interface Finding {
  id: string;
  rule: string; // family and name
  severity: Severity;
  confidence: number; // percent
  channel: string;
  start: number; // bytes in the decoded body
  end: number;
  place?: string; // absent: the request's body
  fixed?: boolean;
  via?: string[];
  facts?: string[];
  action: Action;
  note?: string;
  allowed?: string;
  from?: Origin;
}

export interface Header {
  n: string; // name
  v: string; // value
}

/** The TLS of one connection. */
export interface Leg {
  version: string; // "TLS 1.3"
  cipher: string;
  alpn?: string;
  chain?: string; // SHA-256 of the certificates that the server showed
}

export interface Decision {
  verdict: Verdict;
  why: string;
  rules?: string[];
  would?: Verdict;
}

/** All metadata of one flow. Times of the outcome are nanoseconds. */
export interface Flow {
  intent: Intent;
  outcome: Outcome | null; // null: open
}

export interface Intent {
  flow: string;
  started: string;
  entrance: Entrance;
  provider: string;
  api: string;
  model?: string;
  method: string;
  path: string;
  host?: string;
  session: { id: string; subagent?: string; predecessor?: string; claimed?: boolean };
  agent?: string;
  turn?: number;
  retry_of?: string;
  principal: { name: string; credential?: string };
  custody: Custody;
  capture: "full" | "metadata";
  policy: string;
  decision: Decision;
  header?: Header[];
  request_bytes: number;
  request_sha256: string;
  forwarded_sha256: string;
  forwarded_bytes: number;
  scanned_bytes: number;
  unreadable_bytes?: number;
  unreadable?: string;
  findings?: Finding[];
  tls?: Leg; // the agent's connection; absent: without TLS
}

export interface Outcome {
  flow: string;
  state: State;
  status?: number;
  why?: string;
  header?: Header[];
  model?: string;
  response_bytes: number;
  response_sha256?: string;
  delivered_sha256?: string;
  usage: Usage & { cache_write_1h?: number; tier?: string };
  cost_usd?: number;
  stop?: string;
  error?: string;
  provider_request_id?: string;
  first_byte?: number;
  duration: number;
  unreadable?: string;
  scanned_bytes: number;
  findings?: Finding[];
  decision?: Decision;
  restored?: number;
  withheld?: number;
  tools?: string[];
  tls?: Leg; // the connection to the provider; absent: without TLS, or there was none
}

export interface Session {
  principal: string;
  session: string;
  agent?: string;
  flows: number;
  turns: number;
  subagents: number;
  first: string;
  last: string; // when the last flow started
  usage: Usage;
  cost_usd: number | null; // null: of no flow known
  partial: boolean; // the cost of some flows is not known
  models: string[];
}
