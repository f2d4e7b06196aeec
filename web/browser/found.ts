// What a search answers, for what no seed makes: an index that is still built.
import type { Page } from "playwright-core";

const hit = (n: number) => ({
  flow: `f0${String(n).padStart(22, "0")}`, session: "9b22c7d0-write-docs", principal: "tester", turn: n, started: "2026-11-26T10:00:00Z",
  role: n % 2 ? "user" : "assistant", kind: n % 3 ? "text" : "tool_result",
  snippet: [{ text: "…the quarterly " }, { text: "zeppelin", match: true }, { text: " report is <b onclick=alert(1)>late</b> \u202e again\x1b[31m…" }],
  resent: n % 4, last: "",
});

/** Answers searches itself, until the returned function is called. */
export async function fakeSearch(page: Page, indexed = { done: 40, total: 100 }) {
  await page.route("**/api/v1/search?*", (route) => {
    const before = new URL(route.request().url()).searchParams.get("before");
    const from = before ? 4 : 1;
    return route.fulfill({ json: { hits: [hit(from), hit(from + 1), hit(from + 2)], more: !before, ...(before ? {} : { next: "77" }), indexed } });
  });
}
