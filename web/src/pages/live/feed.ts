// Live rows of one filter: the events, and the pages of what was before. It tells
// React once a frame, however much comes.
import type { Problem } from "../../api/client";
import { listen, type Link } from "../../api/events";
import { rows } from "../../api/queries";
import { setLink } from "../../parts/link";
import { List, most } from "./list";

const firstPage = 300;
const laterPages = [1_000, 5_000] as const; // who goes far gets more at once

export class Feed {
  readonly list = new List();
  link: Link = { state: "connecting" };
  reading = true; // nothing is known yet
  problem: unknown; // why there is no list
  older: "" | "reading" | "failed" = "";
  full = false; // older ones exist, but no more are kept
  version = 0;
  #tell = new Set<() => void>();
  #frame = 0;
  #busy = false; // a frame is drawn, or was a moment ago
  #dirty = false; // there is something to draw
  #stop = new AbortController();

  constructor(readonly q: string) {}

  /** Listens until the returned function is called. */
  start = (): (() => void) => {
    const stop = (this.#stop = new AbortController());
    const quiet = listen(this.q, {
      ready: () => void this.read(),
      rows: (list) => (this.list.put(list), this.#changed()),
      gone: (ids) => (this.list.gone(ids), this.#changed()),
      link: (link) => this.#linked(link),
    });
    return () => {
      quiet();
      stop.abort();
      cancelAnimationFrame(this.#frame);
      this.#busy = false;
      setLink(undefined);
    };
  };

  subscribe = (tell: () => void): (() => void) => {
    this.#tell.add(tell);
    return () => void this.#tell.delete(tell);
  };

  now = (): number => this.version;

  /** Reads the newest page. */
  async read() {
    const stop = this.#stop.signal;
    try {
      const page = await rows(this.q, firstPage, undefined, stop);
      if (stop.aborted) return;
      this.list.anew(page.rows, page.more);
      this.problem = undefined;
    } catch (e) {
      if (stop.aborted) return;
      this.problem = e;
    }
    this.reading = false;
    this.#changed();
  }

  /** Reads the page before the oldest that is here. */
  async before(again = false) {
    const oldest = this.list.rows[0];
    this.full = this.list.more && this.list.count >= most;
    if (!oldest || !this.list.more || this.full || this.older === "reading" || (this.older === "failed" && !again)) return;
    const stop = this.#stop.signal;
    this.older = "reading";
    this.#changed();
    try {
      const page = await rows(this.q, Math.min(Math.max(laterPages[0], this.list.count), laterPages[1]), oldest.id, stop);
      if (stop.aborted) return;
      this.list.older(page.rows, page.more);
      this.older = "";
    } catch {
      if (stop.aborted) return;
      this.older = "failed";
    }
    this.#changed();
  }

  /** Lets the list stand still, or move on. */
  hold(held: boolean) {
    if (held === this.list.held) return;
    this.list.hold(held);
    if (!held && this.list.stale) void this.read();
    this.#changed();
  }

  /** Draws what waits, before the list moves on. */
  take() {
    this.list.take();
    this.#changed();
  }

  #linked(link: Link) {
    this.link = link;
    setLink(link);
    // What can't be followed can be listed: a filter that looks for a text.
    if (link.state === "refused" && link.problem.status === 400) void this.read();
    if (link.state === "lost" && this.reading) this.#unread(link.problem);
    this.#changed();
  }

  /** Nothing could be read so far: the gateway is away, or says why it gives nothing. */
  #unread(problem: Problem) {
    this.problem = problem;
    this.reading = false;
  }

  /** Draws in the next frame, and then not again for twice as long as that took:
   * a slow machine draws less often, and has time for other things. */
  #changed() {
    this.#dirty = true;
    if (this.#busy) return;
    this.#busy = true;
    this.#frame = requestAnimationFrame(() => {
      const began = performance.now();
      this.#dirty = false;
      this.version++;
      for (const tell of this.#tell) tell();
      setTimeout(() => this.#rest(2 * (performance.now() - began)));
    });
  }

  #rest(ms: number) {
    setTimeout(() => {
      this.#busy = false;
      if (this.#dirty) this.#changed();
    }, ms);
  }
}
