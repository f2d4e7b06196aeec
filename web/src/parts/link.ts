// Whether live rows come, for the line at the top of every page.
import { useEffect, useState, useSyncExternalStore } from "react";
import type { Link } from "../api/events";

let current: Link | undefined; // undefined: no page listens
const listeners = new Set<() => void>();

export function setLink(link: Link | undefined) {
  current = link;
  for (const tell of listeners) tell();
}

export function useLink(): Link | undefined {
  return useSyncExternalStore((tell) => {
    listeners.add(tell);
    return () => void listeners.delete(tell);
  }, () => current);
}

/** The present, in ms, anew every interval. */
export function useNow(interval = 1_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), interval);
    return () => clearInterval(timer);
  }, [interval]);
  return now;
}
