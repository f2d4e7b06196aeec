// A session as people read it. See types.ts for the other words, and
// docs/reference/conversation.md for what they mean.
import type { Action, Custody, Entrance, Finding, Severity, State, Usage, Verdict } from "./types";

export interface Conversation {
  session: string;
  principal: string;
  agent?: string;
  models: string[];
  custody: Custody;
  first: string; // when the session's first flow began
  last: string; // and its last
  turns_total: number;
  from?: string; // the window's first flow
  next?: string; // first flow of the window behind it
  prev?: string; // and of the one before it
  branches: Branch[]; // the main one first
}

export interface Branch {
  subagent: string; // "": the main one
  parent?: string;
  started_by?: string; // a tool call's id
  rounds: Round[];
}

export interface Round {
  n: number | null; // null: the window begins in the middle of the session, or nobody asked
  prompt: string; // its first 200 characters; "": it lies before the window, or there was none
  turns: Turn[];
}

export interface Turn {
  flow: string;
  turn: number | null;
  side?: boolean; // beside the conversation: a title, a count, a warm-up
  api: string;
  retry_of?: string;
  state: State;
  status: number;
  verdict: Verdict;
  why: string;
  would?: Verdict;
  rules?: string[];
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
  compacts?: string; // the last flow of the conversation that this one goes on from in short
  before?: string; // the flow that it is compared with
  redacted: boolean; // the provider got other values than the agent sent
  change: Change;
  cache: Cache;
  added: Part[];
  left?: number; // blocks that are not in added: there are too many
  answer: Part[];
  findings: Found[];
  unread?: string; // why there is no request to read
  answer_unread?: string;
}

/** What a turn changed against the one before, in blocks of the conversation. */
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
  read: number; // tokens
  expected: number; // tokens of the prompt before it that may be in the cache
  reason: "" | "first" | "expired" | "system" | "tools" | "history" | "model" | "short" | "unknown";
  text: string; // one sentence
}

export type Found = Finding & { part?: number }; // n of the part that it stands in

export interface Part {
  n: number; // names it within its flow; a request's are below its answer's, in their order
  side: "request" | "answer";
  kind: "text" | "thinking" | "tool_definition" | "tool_call" | "tool_result" | "media" | "unknown" | (string & {});
  role: string;
  id?: string;
  name?: string;
  title?: string; // of a tool call: "Read src/main.go"
  text: string;
  bytes: number; // of the whole text
  cut?: boolean; // text is its first 32 KiB
  bad?: boolean; // bytes that are no UTF-8 were replaced
  signed?: boolean;
  failed?: boolean;
  echo?: boolean; // what the model said in the turn before, sent back
  marks?: Mark[];
  media?: { type: string; bytes: number; data?: string }; // data: base64, of a picture made of pixels up to 1 MiB
  first?: { flow: string; turn: number | null }; // where the block was seen before
}

/** A finding's place in a part's text, in UTF-16 units. */
export interface Mark {
  start: number;
  end: number;
  rule: string;
  severity?: Severity; // absent: of a value that only the vault knows
  action?: Action;
  finding?: string;
  shown: "masked" | "pseudonym" | "text"; // what stands there
  value?: false; // what stands there is not the value
  sealed?: boolean; // and reveal gives none: it is a piece of one, behind an encoding, or known from elsewhere
  from: number; // for reveal: its span, in bytes, and where that counts
  to: number;
  place?: string;
}
