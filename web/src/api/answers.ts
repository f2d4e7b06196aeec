// What the routes beside flows and conversations answer.
import type { Custody, Mode } from "./types";

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

export interface Group {
  key: string;
  flows: number;
  turns: number;
  input: number;
  output: number;
  cache_read: number;
  cache_write: number;
  reasoning: number;
  cost_usd: number | null;
  unpriced: number; // flows whose cost is unknown
  findings: Record<string, number>; // by family
  blocked: number;
  redacted: number;
}

export type By = "agent" | "model" | "session" | "day" | "principal";

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
  principal?: string; // whose vault was read
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
}

export interface Status {
  version: string;
  pid: number;
  started: string;
  listen: string;
  console: string;
  data: string;
  custody: Custody;
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
