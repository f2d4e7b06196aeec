// What is read of a flow beyond its conversation. Each is an entry in the ledger.
import type { Mark, Part } from "./conversation";
import { save, text } from "./client";
import { content, reveal, wholePart } from "./queries";
import type { What } from "./types";
import { why } from "./why";

/** What can be read as bytes: also the command that sends a request again. */
export type Readable = What | "curl";

export interface Reader {
  whole(flow: string, n: number): Promise<Part>;
  reveal(flow: string, n: number, mark: Mark, why: string): Promise<string>;
  bytes(flow: string, what: Readable, why: string): Promise<Uint8Array>;
  save(flow: string, what: Readable, why: string): Promise<void>;
}

/** ask gives what a query gives, from the cache when it is there. */
export function readerOf(ask: (query: ReturnType<typeof wholePart>) => Promise<Part>): Reader {
  return {
    whole: (flow, n) => ask(wholePart(flow, n, why())),
    async reveal(flow, n, mark, reason) {
      const span = { finding: mark.finding ?? "", start: mark.from, end: mark.to, place: mark.place ?? "", part: n, why: reason };
      return (await reveal(flow, span)).value;
    },
    bytes: async (flow, what, reason) =>
      what === "curl" ? new TextEncoder().encode(await text(pathOf(flow, what), { why: reason, ...masked })) : new Uint8Array(await content(flow, what, reason)),
    save: (flow, what, reason) => save(`${flow}-${what}.${what === "curl" ? "sh" : "bin"}`, pathOf(flow, what), { why: reason, ...(what === "curl" ? masked : {}) }),
  };
}

const masked = { redact: "values" };

function pathOf(flow: string, what: Readable): string {
  return `/flows/${encodeURIComponent(flow)}/${what === "curl" ? what : `content/${what}`}`;
}
