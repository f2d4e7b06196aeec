// Whether this browser may ask. A one-time token from the link that the gateway
// printed becomes a visit, which two secrets prove together: a cookie that no
// script can read, and a word that only pages of this origin can (a cookie is sent
// to every port of a host; a word in storage is not).
import { useSyncExternalStore } from "react";

/** "in" until the server says otherwise; "out": never logged in, or the visit
 * ended; "stale": the link was used before, or is too old. */
export type Session = "in" | "out" | "stale";

const key = "gatehouse.page";
let current: Session = "in";
const listeners = new Set<() => void>();

function become(next: Session) {
  if (next === current) return;
  current = next;
  for (const tell of listeners) tell();
}

/** The server did not know us. That a link was stale stays the reason. */
export function lost() {
  if (current === "in") become("out");
}

export function useSession(): Session {
  return useSyncExternalStore(subscribe, () => current);
}

function subscribe(tell: () => void) {
  listeners.add(tell);
  // Who logs in in one tab is in in all.
  const stored = (e: StorageEvent) => e.key === key && e.newValue !== null && become("in");
  window.addEventListener("storage", stored);
  return () => {
    listeners.delete(tell);
    window.removeEventListener("storage", stored);
  };
}

/** The headers that a call of the admin API needs. */
export function proof(): Record<string, string> {
  const word = localStorage.getItem(key);
  return word ? { "Gatehouse-Page": word } : {};
}

/** Takes a link's token out of the address, so that neither history nor a copied
 * address holds it: all of the fragment of /login, elsewhere #token=…. */
export function takeToken(where: Pick<Location, "hash" | "pathname" | "search">, history: Pick<History, "state" | "replaceState">): string | undefined {
  const fragment = where.hash.slice(1);
  const token = new URLSearchParams(fragment).get("token") ?? (where.pathname === "/login" ? fragment : "");
  if (token === "") return undefined;
  history.replaceState(history.state, "", where.pathname + where.search);
  return token;
}

/** Changes a token for a visit. */
export async function login(token: string): Promise<void> {
  const answer = await fetch("/api/v1/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  }).catch(() => undefined);
  if (answer?.ok) {
    const visit = (await answer.json()) as { who: string; page: string };
    localStorage.setItem(key, visit.page);
    return become("in");
  }
  if (answer && !(await knows())) become("stale");
}

/** Asks again, for one who has got in elsewhere. */
export async function tryAgain(): Promise<void> {
  if (await knows()) become("in");
}

async function knows(): Promise<boolean> {
  const answer = await fetch("/api/v1/status", { headers: proof() }).catch(() => undefined);
  return answer?.ok ?? false;
}
