// What is read of a flow beyond its conversation. Each is an entry in the ledger.
import type { Mark, Part } from "./conversation";
import { save } from "./client";
import { content, reveal, wholePart } from "./queries";
import type { What } from "./types";
import { why } from "./why";

export interface Reader {
  whole(flow: string, n: number): Promise<Part>;
  reveal(flow: string, n: number, mark: Mark, why: string): Promise<string>;
  bytes(flow: string, what: What, why: string): Promise<Uint8Array>;
  save(flow: string, what: What, why: string): Promise<void>;
}

/** ask gives what a query gives, from the cache when it is there. */
export function readerOf(ask: (query: ReturnType<typeof wholePart>) => Promise<Part>): Reader {
  return {
    whole: (flow, n) => ask(wholePart(flow, n, why())),
    async reveal(flow, n, mark, reason) {
      const span = { finding: mark.finding ?? "", start: mark.from, end: mark.to, place: mark.place ?? "", part: n, why: reason };
      return (await reveal(flow, span)).value;
    },
    bytes: async (flow, what, reason) => new Uint8Array(await content(flow, what, reason)),
    save: (flow, what, reason) => save(`${flow}-${what}.bin`, `/flows/${encodeURIComponent(flow)}/content/${what}`, { why: reason }),
  };
}
