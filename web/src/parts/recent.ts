// Filters that were used before, in this browser.

const key = "gatehouse.filters";
const most = 30;

export function recent(): string[] {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? "[]") as unknown;
    return Array.isArray(kept) ? kept.filter((q) => typeof q === "string") : [];
  } catch {
    return [];
  }
}

export function remember(q: string) {
  if (q === "") return;
  localStorage.setItem(key, JSON.stringify([q, ...recent().filter((old) => old !== q)].slice(0, most)));
}

export function forget() {
  localStorage.removeItem(key);
}
