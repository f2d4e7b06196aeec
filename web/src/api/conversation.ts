// A session as people read it. See types.ts for the other words.
import type { Action, Entrance, Finding, Severity, State, Usage, Verdict } from "./types";

export interface Conversation {
  session: string;
  principal: string;
  agent?: string;
  models: string[];
  custody: string;
  first: string;
  last: string;
  turns_total: number;
  from?: string;
  next?: string; // the flow to continue with
  branches: Branch[];
}

export interface Branch {
  subagent: string; // "": the session's own
  parent?: string;
  started_by?: string; // a tool call's id
  rounds: Round[];
}

export interface Round {
  n: number | null;
  prompt: string; // the first 200 characters of what the user asked
  turns: Turn[];
}

export interface Turn {
  flow: string;
  turn: number | null;
  retry_of?: string;
  state: State;
  status: number;
  verdict: Verdict;
  why: string;
  would?: Verdict;
  model: string;
  agent?: string;
  entrance: Entrance;
  started: string;
  first_byte_ms: number | null;
  duration_ms: number | null;
  usage: Usage;
  cost_usd: number | null;
  request_bytes: number;
  response_bytes: number;
  stop?: string;
  error?: string;
  compacts?: string; // the flow before a compaction
  redacted: boolean;
  change: Change;
  cache: Cache;
  added: Part[];
  answer: Part[];
  findings: Finding[];
  unread?: string; // why there is no content
}

/** What a turn changed against the one before. */
export interface Change {
  kept: number;
  added: number;
  removed: number;
  system: boolean;
  tools: boolean;
  model: boolean;
  first: boolean;
}

export interface Cache {
  read: number;
  expected: number;
  reason: "" | "first" | "expired" | "system" | "tools" | "history" | "model" | "short" | "unknown";
  text: string; // one sentence
}

export interface Part {
  n: number; // within the flow: the request's first, then the answer's
  side: "request" | "answer";
  kind: string;
  role: string;
  id?: string;
  name?: string;
  title?: string; // of a tool call: "Read src/main.go"
  text: string;
  bytes: number;
  cut?: boolean; // text holds the first 32 KiB
  signed?: boolean;
  failed?: boolean;
  marks?: Mark[];
  media?: { type: string; bytes: number; data?: string };
  first?: { flow: string; turn: number | null }; // where the block was seen before
}

/** A finding's place in a part's text, in UTF-16 units. */
export interface Mark {
  start: number;
  end: number;
  rule: string;
  severity: Severity;
  action: Action;
  finding: string;
  value?: false; // masked: reveal shows it
}
