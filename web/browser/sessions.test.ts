import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { talk } from "./agent.ts";
import { axe } from "./axe.ts";
import { launch, open, shot, type Window } from "./browser.ts";
import { gateway, type Gateway } from "./gateway.ts";
import { seed } from "./seed.ts";

let g: Gateway;
let browser: Browser;
let w: Window;
let page: Page;

beforeAll(async () => {
  [g, browser] = await Promise.all([gateway(), launch()]);
});
afterAll(async () => {
  await browser?.close();
  await g?.remove();
});
beforeEach(async () => {
  w = await open(browser, await g.link());
  page = w.page;
  await page.goto(`${g.console}/sessions`);
});
afterEach(async () => {
  expect(w.faults).toEqual([]);
  await w.context.close();
});

const list = () => page.getByRole("grid", { name: "Sessions" });
const names = () => list().getByRole("row").locator("a").allTextContents();

test("no sessions: where to begin", async () => {
  await page.getByRole("heading", { name: "No sessions yet" }).waitFor();
  await page.getByRole("main").getByRole("link", { name: "Set-up" }).click();
  await page.waitForURL("**/setup");
});

test("none that has a turn", async () => {
  await fetch(`${g.agents}/anthropic/v1/models`, { headers: { "x-api-key": "made-up" } });
  await page.getByRole("heading", { name: "No session has a turn yet" }).waitFor({ timeout: 15_000 });
  await page.getByRole("button", { name: "Show it" }).click();
  await list().getByRole("row").locator("a").first().waitFor();
});

test("sessions, the last first, or the most expensive", async () => {
  await seed(g);
  await page.reload();
  await list().getByText("9b22c7d0-write-docs").waitFor();
  expect((await names()).slice(1)).toEqual(["77aa01ff-odd", "9b22c7d0-write-docs", "5f3c8a1e-fix-the-login"]);
  await list().getByRole("button", { name: "Decided" }).click(); // which session had something
  expect((await names())[0]).toBe("9b22c7d0-write-docs");
  const would = /^0 blocked, 0 redacted; of 1 enforcing/;
  expect(await list().getByRole("row").filter({ hasText: "9b22c7d0-write-docs" }).getByTitle(would).innerText()).toMatch(/1$/);
  expect(await list().getByTitle(/enforcing would have made/).count()).toBe(1);
  await list().getByRole("button", { name: "Turns" }).click();
  expect((await names())[0]).not.toBe("9b22c7d0-write-docs");
  await list().getByRole("button", { name: "Cost" }).click();
  expect((await names())[0]).toBe("9b22c7d0-write-docs");
  const byCost = () => expect.poll(() => list().getByRole("columnheader", { name: "Cost" }).getAttribute("aria-sort")).toBe("descending");
  await byCost();
  await list().getByRole("row").locator("a").first().click();
  await page.waitForURL("**/sessions/9b22c7d0-write-docs?principal=*");
  await page.goBack();
  await byCost();
  await page.reload(); // the address holds it, so it can be sent to somebody
  await byCost();
  expect((await names())[0]).toBe("9b22c7d0-write-docs");
  const docs = list().getByRole("row").filter({ hasText: "9b22c7d0-write-docs" });
  expect(await docs.textContent()).toMatch(/claude.*claude-opus-4-5.*3–/);
  await page.getByText(/without a turn (is|are) left out/).waitFor({ timeout: 15_000 });
  const before = (await names()).length;
  await page.getByRole("button", { name: /^Show (it|them)$/ }).click();
  await page.getByText(/without a turn/).waitFor({ state: "detached" });
  expect((await names()).length).toBeGreaterThan(before);
  expect(new URL(page.url()).search).toBe("?sort=cost&all=1");
  await talk(g, "unpriced", "claude-nobody-knows").say("hello");
  const [{ duration_ms: took } = { duration_ms: 0 }] = (await (await g.admin("GET", "/rows?q=session:unpriced%20state:done")).json()) as { duration_ms: number }[];
  await list().getByRole("row").filter({ hasText: "claude-nobody-knows" }).getByText("unknown", { exact: true }).waitFor({ timeout: 15_000 });
  // A session of one call lasted as long as that.
  await list().getByRole("row").filter({ hasText: "claude-nobody-knows" }).getByText(`${Math.floor(took)} ms`, { exact: true }).waitFor();
});

for (const theme of ["light", "dark"] as const) {
  test(`clean in ${theme}`, async () => {
    const { page, faults } = await open(browser, await g.link(), theme);
    await page.goto(`${g.console}/sessions`);
    await page.getByText("9b22c7d0-write-docs").waitFor();
    await page.keyboard.press("j");
    expect(await axe(page)).toEqual([]);
    await shot(page, `sessions-${theme}`);
    await page.setViewportSize({ width: 1024, height: 768 });
    await shot(page, `sessions-${theme}-1024`);
    expect(faults).toEqual([]);
  });
}

test("a filter chooses sessions that have such a flow; the keyboard opens one", async () => {
  await list().getByText("9b22c7d0-write-docs").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("tool:Read");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/sessions?q=tool%3ARead");
  await list().getByText("9b22c7d0-write-docs").waitFor({ state: "detached" });
  await page.getByText("1 session", { exact: true }).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/sessions/5f3c8a1e-fix-the-login?principal=*");
  await page.goBack();
  await page.waitForURL("**/sessions?q=tool%3ARead");
});

test("a gateway that is gone: what was there stays, and it is said", async () => {
  await list().getByText("9b22c7d0-write-docs").waitFor();
  await g.stop();
  await page.getByText("The gateway does not answer; what is here may be old.").waitFor({ timeout: 30_000 });
  await list().getByText("9b22c7d0-write-docs").waitFor();
  await g.start();
  await page.getByText("The gateway does not answer; what is here may be old.").waitFor({ state: "detached", timeout: 30_000 });
});
