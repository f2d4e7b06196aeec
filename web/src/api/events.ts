// Live rows: one connection, taken up again where it broke off.
import { call, Problem } from "./client";
import { Events, type Message } from "./sse";
import type { Row } from "./types";

export type Link =
  | { state: "connecting" }
  | { state: "live" }
  | { state: "asleep" } // the tab is hidden: a browser has few connections for all tabs
  | { state: "lost"; until: number; problem: Problem } // tries again at this time (ms)
  | { state: "refused"; problem: Problem }; // the filter is wrong, or nobody is logged in

export interface Listener {
  ready(): void; // from now on nothing is missed: load the list
  rows(rows: Row[]): void;
  gone(ids: string[]): void; // matched while they were open, and do no longer
  link(link: Link): void;
}

const firstWait = 1_000; // ms
const longestWait = 15_000;
const hiddenFor = 30_000;

/** Listens to the flows that match q until the returned function is called. */
export function listen(q: string, to: Listener): () => void {
  const stop = new AbortController();
  void follow(q, to, stop.signal);
  return () => stop.abort();
}

async function follow(q: string, to: Listener, stop: AbortSignal) {
  let last = "";
  let wait = firstWait;
  while (!stop.aborted) {
    const nap = napping(stop);
    try {
      to.link({ state: "connecting" });
      await connection(q, last, nap.signal, {
        ...to,
        link: (l) => ((wait = firstWait), to.link(l)),
      }, (id) => (last = id));
      if (!stop.aborted && !nap.signal.aborted) throw new Problem(0, "ended", "the gateway ended the connection");
    } catch (e) {
      if (!stop.aborted && !nap.signal.aborted) {
        if (e instanceof Problem && e.status >= 400 && e.status < 500) return to.link({ state: "refused", problem: e });
        const pause = wait * (0.75 + Math.random() / 2); // many pages must not come back at once
        to.link({ state: "lost", until: Date.now() + pause, problem: e instanceof Problem ? e : new Problem(0, "network", e instanceof Error ? e.message : String(e)) });
        await passed(pause, stop);
        wait = Math.min(wait * 2, longestWait);
      }
    } finally {
      nap.end();
    }
    if (!stop.aborted && document.hidden && nap.signal.aborted) {
      to.link({ state: "asleep" });
      await shown(stop);
    }
  }
}

async function connection(q: string, last: string, stop: AbortSignal, to: Listener, seen: (id: string) => void) {
  const headers: Record<string, string> = last ? { "Last-Event-ID": last } : {};
  const answer = await call("/events", { q }, { headers, signal: stop });
  if (!answer.body) return;
  const events = new Events();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    for (const message of events.push(value)) take(message, to);
    if (events.last) seen(events.last);
  }
}

function take(message: Message, to: Listener) {
  switch (message.event) {
    case "ready":
    case "resumed":
    case "reset": // too much was missed: it is as if it were the first time
      to.link({ state: "live" });
      if (message.event !== "resumed") to.ready();
      return;
    case "flow":
      return to.rows(JSON.parse(message.data) as Row[]);
    case "gone":
      return to.gone(JSON.parse(message.data) as string[]);
  }
}

/** A signal that fires when stop does, or when the tab was hidden for a while. */
function napping(stop: AbortSignal): { signal: AbortSignal; end(): void } {
  const nap = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => nap.abort(), hiddenFor);
  };
  const abort = () => nap.abort();
  document.addEventListener("visibilitychange", look);
  stop.addEventListener("abort", abort);
  look();
  return {
    signal: nap.signal,
    end() {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
      stop.removeEventListener("abort", abort);
    },
  };
}

function shown(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (!document.hidden) return resolve();
    document.addEventListener("visibilitychange", () => resolve(), { once: true, signal: stop });
    stop.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Waits, but not beyond the moment when the browser is online again. */
function passed(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, ms);
    function end() {
      clearTimeout(timer);
      window.removeEventListener("online", end);
      resolve();
    }
    window.addEventListener("online", end, { once: true });
    stop.addEventListener("abort", end, { once: true });
  });
}
