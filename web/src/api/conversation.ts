import type { Conversation, Branch, Round, Turn, Change, Cache, Part, Mark } from "./made";
// A session as people read it. See types.ts for the other words, and
// docs/reference/conversation.md for what they mean.
import type { Finding } from "./types";

export type Found = Finding & { part?: number }; // n of the part that it stands in

export type { Conversation, Branch, Round, Turn, Change, Cache, Part, Mark };
