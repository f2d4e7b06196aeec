import { useSyncExternalStore } from "react";

export type Theme = "auto" | "light" | "dark";

const key = "gatehouse.theme";
const listeners = new Set<() => void>();

function theme(): Theme {
  const kept = localStorage.getItem(key);
  return kept === "light" || kept === "dark" ? kept : "auto";
}

/** Puts the theme on the root, where tokens.css looks. */
export function applyTheme() {
  if (theme() === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme();
}

export function setTheme(next: Theme) {
  localStorage.setItem(key, next);
  applyTheme();
  for (const tell of listeners) tell();
}

export function nextTheme() {
  setTheme(({ auto: "light", light: "dark", dark: "auto" } as const)[theme()]);
}

export function useTheme(): Theme {
  return useSyncExternalStore((tell) => {
    listeners.add(tell);
    return () => void listeners.delete(tell);
  }, theme);
}
