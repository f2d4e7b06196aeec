// Names of people are masked until somebody asks for them: a screen is seen by
// others. It hides nothing from who may ask the API.
import { useSyncExternalStore } from "react";

const key = "gatehouse.names";
const listeners = new Set<() => void>();

const shown = () => localStorage.getItem(key) === "shown";

export function showNames(show: boolean) {
  if (show) localStorage.setItem(key, "shown");
  else localStorage.removeItem(key);
  for (const tell of listeners) tell();
}

/** Whether names are shown. */
export function useNames(): boolean {
  return useSyncExternalStore((tell) => {
    listeners.add(tell);
    window.addEventListener("storage", tell);
    return () => {
      listeners.delete(tell);
      window.removeEventListener("storage", tell);
    };
  }, shown);
}

/** A principal's initials and a mark that tells it from others with the same:
 * "A·3f/claude" for "alice/claude". The program is nobody's name. */
export function masked(principal: string): string {
  const slash = principal.indexOf("/");
  const kind = principal.startsWith("key:") ? "key " : "";
  const name = (slash < 0 ? principal : principal.slice(0, slash)).slice(kind.length);
  return `${kind}${initials(name)}·${mark(kind + name)}${slash < 0 ? "" : principal.slice(slash)}`;
}

function initials(name: string): string {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  return words.slice(0, 2).map((w) => [...w][0]!.toUpperCase()).join("") || "?";
}

/** Two hex digits, by FNV-1a. */
function mark(text: string): string {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return ((h ^ (h >>> 16)) & 0xff).toString(16).padStart(2, "0");
}
