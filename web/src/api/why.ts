// The reason that goes with every read of content. It stays with the tab; who
// investigates writes their own.
import { useSyncExternalStore } from "react";

const key = "gatehouse.why";
export const usualWhy = "looking in the console";
const listeners = new Set<() => void>();

export function why(): string {
  return sessionStorage.getItem(key) ?? usualWhy;
}

/** Takes one line of at most 500 bytes, as the ledger does; "" is the usual reason. */
export function setWhy(text: string) {
  const line = text.replace(/\p{Cc}+/gu, " ").trim().slice(0, 160);
  if (line === "") sessionStorage.removeItem(key);
  else sessionStorage.setItem(key, line);
  for (const tell of listeners) tell();
}

export function useWhy(): string {
  return useSyncExternalStore((tell) => {
    listeners.add(tell);
    return () => void listeners.delete(tell);
  }, why);
}
