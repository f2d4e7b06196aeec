import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { talk } from "./agent.ts";
import { axe } from "./axe.ts";
import { launch, open, shot, type Window } from "./browser.ts";
import { fakeSearch } from "./found.ts";
import { gateway, type Gateway } from "./gateway.ts";
import { secret, seed } from "./seed.ts";

let g: Gateway;
let browser: Browser;
let w: Window;
let page: Page;

beforeAll(async () => {
  [g, browser] = await Promise.all([gateway(), launch()]);
  await seed(g);
  const long = talk(g, "long", "claude-sonnet-4-5");
  for (const text of ["Where does the marmalade go?", "say: to the pantry", "say: and stays there"]) await long.say(text);
});
afterAll(async () => {
  await browser?.close();
  await g?.remove();
});
beforeEach(async () => {
  w = await open(browser, await g.link());
  page = w.page;
});
afterEach(async () => {
  expect(w.faults).toEqual([]);
  await w.context.close();
});

const hits = () => page.getByRole("list", { name: "Hits" }).getByRole("listitem");

/** Searches until the index has read what was recorded. */
async function search(q: string) {
  await page.goto(`${g.console}/search?q=${encodeURIComponent(q)}`);
  const again = page.getByRole("button", { name: "Search again" });
  const answered = page.getByText(/hits?, newest first/).or(page.getByRole("heading", { level: 2 }));
  for (await answered.first().waitFor(); await again.isVisible(); ) await again.click({ timeout: 1_000 }).catch(() => undefined);
}

test("before a search, the page says how", async () => {
  await page.goto(`${g.console}/search`);
  await page.getByRole("heading", { name: "Search all that was said" }).waitFor();
  expect(await axe(page)).toEqual([]);
  await shot(page, "search-empty-light");
  await page.keyboard.press("/");
  await page.keyboard.type("zeppelin");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/search?q=zeppelin");
});

test("a text is one hit where it first stood, however often it was sent again", async () => {
  await search("marmalade");
  await hits().first().waitFor();
  const asked = hits().filter({ hasText: "User" }); // the model repeats it: that is another
  expect(await asked.count()).toBe(1);
  expect(await asked.locator("mark").allTextContents()).toEqual(["marmalade"]);
  await asked.getByText("sent again 2×").waitFor();
  expect(await axe(page)).toEqual([]);
  await shot(page, "search-light");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/sessions\/long\?principal=.+&flow=f/);
  const { entries } = (await (await g.admin("GET", "/journal?kind=read")).json()) as { entries: { query?: string; why: string }[] };
  expect(entries.filter((e) => e.query?.includes("marmalade")).at(-1)?.why).toBe("looking in the console");
});

test("what is typed is not searched for", async () => {
  await page.getByRole("grid", { name: "Flows" }).waitFor();
  await page.keyboard.press("/");
  const read = page.waitForResponse(/\/filter\?.*q=quince/);
  await page.keyboard.type("quince");
  await read;
  await page.keyboard.press("Escape");
  await search("zeppelin"); // whatever came before is on record by now
  const journal = await (await g.admin("GET", "/journal?kind=read")).text();
  expect(journal).toContain("zeppelin");
  expect(journal).not.toContain("quince");
});

test("texts and fields together", async () => {
  await search("zeppelin model:claude-opus*");
  await hits().first().waitFor();
  await search("zeppelin model:gpt*");
  await page.getByRole("heading", { name: "Nothing was found" }).waitFor();
  await search("model:gpt*");
  await page.getByRole("link", { name: "Show them in Live" }).click();
  await page.waitForURL("**/live?q=model%3Agpt*");
});

test("a filter that can't be read says where", async () => {
  await page.goto(`${g.console}/search?q=${encodeURIComponent("zeppelin modle:x")}`);
  await page.getByText("there is no field modle").first().waitFor();
});

test("an index that is still built says how far it is; snippets are text", async () => {
  await fakeSearch(page);
  await page.goto(`${g.console}/search?q=zeppelin`);
  await page.getByText("40 % of what was recorded has been read so far").waitFor();
  expect(await hits().first().textContent()).toContain("<b onclick=alert(1)>late</b> ⟨202E⟩ again␛[31m");
  expect(await page.locator("main b").count()).toBe(0);
  await page.getByRole("button", { name: "Older ones" }).click();
  await hits().nth(5).waitFor();
  expect(await axe(page)).toEqual([]);
  await shot(page, "search-building-light");
});

test("values that rules find are masked", async () => {
  await search(`"Deploy with the token"`);
  await hits().first().waitFor();
  await shot(page, "search-masked-light");
  expect(await page.content()).not.toContain(secret);
});

test("definitions and system prompts are shown when they are asked for", async () => {
  await search("test");
  const chips = page.getByRole("group", { name: "Show hits in" });
  await page.getByText(/more in .*tool definitions/).waitFor();
  expect(await hits().filter({ hasText: "Tool definition" }).count()).toBe(0);
  await chips.getByRole("button", { name: "Tool definitions" }).click();
  await page.waitForURL(/show=.*definitions/);
  await hits().filter({ hasText: "Tool definition" }).first().waitFor();
  await page.reload();
  await hits().filter({ hasText: "Tool definition" }).first().waitFor();
  expect(await chips.getByRole("button", { name: "Tool definitions" }).getAttribute("aria-pressed")).toBe("true");
});
