// The keys of the page: each part says which it knows while it is shown, `?`
// lists them.
import { useEffect, useRef, useSyncExternalStore } from "react";

export interface Key {
  keys: string; // "j", "Shift+?", "mod+k"; "g l" is one after the other
  also?: string; // another way, not listed
  does: string;
  run(): void;
}

interface Scope {
  group: string;
  keys: { current: Key[] };
}

let scopes: Scope[] = []; // the newest last: it wins
const listeners = new Set<() => void>();
let begun = ""; // the first key of two
let begunAt = 0; // ms

const everywhere = "Everywhere"; // keys of a page win over these
const patience = 900; // ms between two keys

export function useKeys(group: string, keys: Key[]) {
  const current = useRef(keys);
  useEffect(() => {
    current.current = keys;
  });
  useEffect(() => {
    const scope = { group, keys: current };
    change([...scopes, scope]);
    return () => change(scopes.filter((s) => s !== scope));
  }, [group]);
}

/** What is known now, a group for each part. */
export function useKnownKeys(): { group: string; keys: Key[] }[] {
  const all = useSyncExternalStore((tell) => {
    listeners.add(tell);
    return () => void listeners.delete(tell);
  }, () => scopes);
  return all.map((s) => ({ group: s.group, keys: s.keys.current.filter((k) => find(k.keys) === k) }));
}

function change(next: Scope[]) {
  scopes = next;
  for (const tell of listeners) tell();
}

export function nameOf(e: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey">): string {
  const key = e.key.length === 1 && (e.ctrlKey || e.metaKey) ? e.key.toLowerCase() : e.key;
  return (e.ctrlKey || e.metaKey ? "mod+" : "") + key;
}

/** Handles a key, once, for the whole page. */
export function pressed(e: KeyboardEvent, now = Date.now()) {
  if (e.defaultPrevented || e.altKey || e.isComposing || document.querySelector("dialog[open]")) return;
  const name = nameOf(e);
  const target = e.target instanceof Element ? e.target : null;
  if (target?.closest("input,textarea,select,[contenteditable]") && !name.startsWith("mod+")) return;
  if ((name === "Enter" || name === " ") && target?.closest("a,button,summary")) return;
  const both = now - begunAt < patience ? `${begun} ${name}` : "";
  const found = find(both) ?? find(name);
  begun = name;
  begunAt = found ? 0 : now;
  if (!found) return;
  e.preventDefault();
  found.run();
}

function find(name: string): Key | undefined {
  if (name === "") return undefined;
  for (const scope of [...scopes.filter((s) => s.group === everywhere), ...scopes.filter((s) => s.group !== everywhere)].toReversed()) {
    const found = scope.keys.current.find((k) => k.keys === name || k.also === name);
    if (found) return found;
  }
  return undefined;
}
