// What the routes beside flows and conversations answer.
import type { Action, Custody, Entrance, Mode, Usage, Verdict } from "./types";

export interface Hit {
  flow: string; // of the first occurrence
  session: string;
  principal: string;
  turn?: number; // absent: not a turn
  started: string;
  role?: string;
  kind: string;
  snippet: Fragment[];
  resent: number; // later flows whose request carries it again
  last?: string; // of them
}

export interface Fragment {
  text: string;
  match?: boolean;
}

export interface Found {
  hits: Hit[];
  more: boolean; // there may be more
  next?: string; // where to go on then
  indexed: { done: number; total: number };
}

/** What some flows add up to. */
export interface Group {
  keys: string[]; // one for each By; "" is not known
  principal?: string; // of a session
  flows: number;
  turns: number;
  usage: Usage;
  cost_usd: number | null; // of the flows whose cost is known; null: of none
  unpriced: number; // flows with usage and without a known cost: above 0 the cost is partial
  blocked: number;
  redacted: number;
  would: number; // enforcing would have made something else
  failed: number;
  findings: Record<string, number>; // flows with findings, by family
}

export type By = "agent" | "model" | "session" | "day" | "principal" | "provider" | "entrance";

export interface Overview {
  groups: Group[];
  total: Group;
}

export interface Entry {
  entry: number;
  at: string;
  kind: string; // "read" when content was read
  why?: string;
  attrs?: Record<string, string>;
  who?: string; // read content
  what?: string;
  flow?: string;
  part?: string; // of the flow, when it was not all: its number, or "reveal" and a finding
  session?: string;
  principal?: string; // whose vault or session was read
  query?: string; // that was searched for
}

export interface View {
  name: string;
  page: string; // its path: "/live"
  q: string;
  owner: string;
}

export interface Allowance {
  id: string;
  finding: string;
  scope: string;
  reason: string;
  owner: string;
  made: string;
  until: string;
  revoked?: string; // absent: it was not
}

export interface Status {
  version: string;
  pid: number;
  started: string;
  listen: string;
  console: string;
  data: string;
  custody: Custody;
  intercept: string; // the forward proxy's address; "": there is none
  kept: Kept;
  who: string; // asks
  ready: boolean;
  why?: string;
  policy: { version: string; mode: Mode | ""; file?: string; loaded: string; error?: string };
  rules: { version: string; number: number; files?: string[]; loaded?: string; error?: string };
  ledger: {
    mode: string;
    entries: number;
    segments: number;
    bytes: number;
    open: number;
    queue_bytes: number;
    at_risk: number;
    unindexed: number;
    full: boolean;
    fault?: string;
  };
}

/** What is kept of flows, and for how long. */
export interface Kept {
  capture: { principal: string; level: "full" | "metadata" }[] | null; // the first that fits counts; none fits: full
  max_days: number; // 0: for ever
  max_bytes: number; // 0: no limit
}

export interface Setup {
  agents: SetupAgent[];
}

export interface SetupAgent {
  name: string; // "": any other program
  title: string;
  checked?: string; // the version that this was checked with
  ways: { entrance: Entrance; title: string; text: string }[];
  seen: { agent: string; entrance: Entrance; flow: string; at: string }[]; // first model calls
}

/** How flows came. */
export interface Coverage {
  sessions: CoverageRow[]; // the one with the newest flow last
  beside: CoverageRow[];
  total: Counts;
  nearby: number;
  shared: number;
  unseen: string; // what no report can tell
}

export interface CoverageRow extends Counts {
  principal: string;
  session?: string;
  first: string;
  last: string;
  nearby: number;
  shared: number;
}

export interface Counts {
  model_calls: Partial<Record<Entrance, number>>;
  other_calls: Partial<Record<Entrance, number>>;
  logins: number;
  tunnels: { host: string; flows: number; sent_bytes: number; received_bytes: number }[];
  refused: { why: string; host?: string; flows: number }[];
  stopped: number;
  unreadable: { flows: number; bytes: number };
  findings: { rule: string; facts: string[] | null; note: string; flows: number; last: string }[];
}

export interface AccessKey {
  name: string;
  created: string;
  revoked?: string;
}

/** A line of a verification: some of the first, one of the second. */
export type Verifying = { done: number; total: number; report?: undefined } | { report: Report };

export interface Report {
  code: number; // 0: all is as it was written
  segments: number;
  entries: number;
  flows: number;
  open: number;
  unknown: number;
  bodies: number;
  expired: number;
  cut: number;
  bytes: number;
  problems?: { code: number; entry?: number; segment?: number; flow?: string; text: string }[];
  more?: number;
}

export interface PolicyTests {
  tests: number;
  failures: { line: string; want: string; got: string; why: string }[];
}

/** Which line of the policy in force decides a case. */
export interface Explanation {
  action: Action;
  verdict: Verdict;
  key: string;
  line: string; // policy.yaml:14
  why: string;
  allowed?: string;
  passed_over?: { key: string; line: string; why: string }[];
  mode: Mode;
  version: string;
}

/** A detector elsewhere: how often it was asked since the start. */
export interface RemoteDetector {
  name: string;
  open: boolean; // it failed too often and is left alone
  answered: number;
  failed: number;
  cached: number;
  passed: number;
}

export interface Growth {
  segments: { from: string; bytes: number }[]; // the oldest first
}
