// The rows that Live keeps: merged by id, in the order in which flows began, no
// more than memory is to hold. Changed in place, since a thousand may come in a
// second; Feed says when there is something to draw.
import type { Row } from "../../api/types";

export const most = 100_000; // rows that are kept
const slack = 2_000; // beyond most, so that the oldest are let go many at once
const mostWaiting = 20_000; // rows that wait while the list is held

export class List {
  rows: Row[] = []; // newest last
  more = false; // older ones exist
  held = false; // the list stands still: what is new waits behind it
  stale = false; // what is new is not all here: the list must be read again
  letGo = false; // older ones were here, and are no more
  #known = new Map<string, Row>();
  #shown = 0; // rows that are drawn while held
  #read = false;

  /** How many are drawn. */
  get count(): number {
    return this.held ? this.#shown : this.rows.length;
  }

  /** How many wait, at least. */
  get waiting(): number {
    return this.rows.length - this.count;
  }

  /** The ith from the top, where the newest is. */
  at(i: number): Row | undefined {
    return this.rows[this.count - 1 - i];
  }

  /** Where a flow is drawn; -1: nowhere. */
  find(id: string): number {
    const row = this.#known.get(id);
    const place = row ? this.#place(row) : this.rows.length;
    return place < this.count ? this.count - 1 - place : -1;
  }

  get(id: string): Row | undefined {
    return this.#known.get(id);
  }

  hold(held: boolean) {
    if (held && !this.held) this.#shown = this.rows.length;
    this.held = held;
    if (!held) this.#trim();
  }

  /** Draws what waits, without letting the list move on. */
  take() {
    this.#shown = this.rows.length;
  }

  /** Takes rows as they come. One that is older than all here is left to older(),
   * which has those between them, too. */
  put(rows: Row[]) {
    for (const row of rows) {
      if (this.#update(row)) continue;
      const oldest = this.rows[0];
      if (oldest && this.more && before(row, oldest)) continue;
      if (this.held && this.waiting >= mostWaiting) this.stale = true;
      else this.#insert(row);
    }
    this.#trim();
  }

  /** Takes the newest page, read after everything before was missed, or was not
   * there. A list that is held keeps what it shows. */
  anew(page: Row[], more: boolean) {
    if (this.held && this.#read && this.#shown > 0) {
      for (const row of page) this.#update(row);
      this.stale = true;
      return;
    }
    const first = page[0];
    const since = first ? this.rows.filter((r) => !before(r, first)) : [];
    this.rows = [];
    this.#known.clear();
    this.#read = true;
    this.stale = false;
    this.letGo = false;
    this.more = more;
    for (const row of page) this.#insert(row);
    for (const row of since) if (!this.#update(row)) this.#insert(row);
    this.#shown = this.rows.length;
  }

  /** Takes the page before the oldest. */
  older(page: Row[], more: boolean) {
    const fresh = page.filter((row) => !this.#known.has(row.id));
    for (const row of fresh) this.#known.set(row.id, row);
    this.rows = fresh.concat(this.rows);
    this.#shown += fresh.length;
    this.more = more;
  }

  gone(ids: string[]) {
    for (const id of ids) {
      const row = this.#known.get(id);
      if (!row) continue;
      const place = this.#place(row);
      this.rows.splice(place, 1);
      this.#known.delete(id);
      if (place < this.#shown) this.#shown--;
    }
  }

  /** Replaces a known row, unless what is known is newer: a flow that ended is
   * never open again. */
  #update(row: Row): boolean {
    const known = this.#known.get(row.id);
    if (!known) return false;
    if (row.state === "open" && known.state !== "open") return true;
    this.rows[this.#place(known)] = row;
    this.#known.set(row.id, row);
    return true;
  }

  #insert(row: Row) {
    this.#known.set(row.id, row);
    const last = this.rows.at(-1);
    if (!last || before(last, row)) {
      this.rows.push(row);
      return;
    }
    const place = this.#place(row);
    this.rows.splice(place, 0, row);
    if (place < this.#shown) this.#shown++;
  }

  /** The first place whose row is not before this one. */
  #place(row: Row): number {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (before(this.rows[middle]!, row)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #trim() {
    if (this.held || this.rows.length <= most + slack) return;
    const out = this.rows.splice(0, this.rows.length - most);
    for (const row of out) this.#known.delete(row.id);
    this.more = true;
    this.letGo = true;
  }
}

/** The order of the ledger's lists: by start, then by id. */
function before(a: Row, b: Row): boolean {
  if (a.started === b.started) return a.id < b.id;
  // Times of one length, all UTC, have the order of their text.
  if (a.started.length === b.started.length) return a.started < b.started;
  const [x, y] = [Date.parse(a.started), Date.parse(b.started)];
  return x === y ? a.id < b.id : x < y;
}
