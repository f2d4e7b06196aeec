// A session as one file, opened as a file: no server, no network.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { axe } from "./axe.ts";
import { launch, open, shot } from "./browser.ts";
import { gateway, type Gateway } from "./gateway.ts";
import { Agent, key, story, tools } from "./story.ts";

let g: Gateway;
let browser: Browser;
const folder = mkdtempSync(join(tmpdir(), "gatehouse-file-"));

beforeAll(async () => {
  [g, browser] = await Promise.all([gateway(), launch()]);
  await story(g, "shop");
});
afterAll(async () => {
  await browser?.close();
  await g?.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** Exports a session and opens the file, without a network. */
async function opened(session: string, theme: "light" | "dark" = "light", query = ""): Promise<{ page: Page; faults: string[]; text: string }> {
  const answer = await g.admin("GET", `/sessions/${encodeURIComponent(session)}/export.html?why=a+test${query}`);
  expect(answer.status).toBe(200);
  const text = await answer.text();
  const path = join(folder, "session.html");
  writeFileSync(path, text);
  return { ...(await read(path, theme)), text };
}

async function read(path: string, theme: "light" | "dark" = "light"): Promise<{ page: Page; faults: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: theme, reducedMotion: "reduce", offline: true });
  const page = await context.newPage();
  const faults: string[] = [];
  const address = pathToFileURL(path).href;
  page.on("pageerror", (e) => faults.push(`error: ${e.message}`));
  page.on("console", (m) => faults.push(`console: ${m.text()}`));
  page.on("request", (r) => r.url() !== address && !r.url().startsWith("data:image/") && faults.push(`request: ${r.url()}`));
  await page.goto(address);
  await page.locator("h1").waitFor({ state: "attached" });
  return { page, faults };
}

const turn = (page: Page, n: number) => page.getByRole("region", { name: new RegExp(`^Turn ${n},`) });

for (const theme of ["light", "dark"] as const) {
  test(`a session reads as in the console, in ${theme}`, async () => {
    const { page, faults, text } = await opened("shop", theme);
    expect(text).not.toContain(key);
    expect(text).not.toContain(key.slice(8, 24));
    await page.getByRole("heading", { name: /Round 1 The test of the cart fails/ }).waitFor();
    const first = turn(page, 2);
    await first.getByRole("button", { name: /Bash npm test/ }).click();
    await first.getByText("AssertionError: expected 1200 to be 3600").waitFor();
    await shot(page, `offline-${theme}`);
    expect(await axe(page)).toEqual([]);
    const outline = page.getByRole("region", { name: "Outline" });
    await outline.getByRole("button", { name: /Sub-agent a7f3c1d2/ }).click();
    await page.getByRole("button", { name: /started by Task Find callers of total/ }).click();
    await outline.getByRole("button", { name: "compacted" }).click();
    await page.getByRole("img", { name: "image/png that was sent" }).waitFor();
    await page.getByText("Values that rules found are masked").waitFor();
    expect(await page.getByRole("link").count()).toBe(0);
    expect(await page.getByRole("button", { name: /Bytes and headers|a link to|Export|Reveal/ }).count()).toBe(0);
    expect(await axe(page)).toEqual([]);
    expect(faults).toEqual([]);
    await page.context().close();
  });
}

test("keys alone; what was found is told, and not shown", async () => {
  const { page, faults } = await opened("shop");
  const current = () => page.locator('section[data-flow]:focus, section[data-flow].border-accent').first().getAttribute("aria-label");
  await turn(page, 2).waitFor();
  await page.keyboard.press("n");
  await page.keyboard.press("j");
  const was = await current();
  await page.keyboard.press("j");
  await page.waitForFunction((old) => document.querySelector("section[data-flow].border-accent")?.getAttribute("aria-label") !== old, was);
  await page.keyboard.press("k");
  await page.waitForFunction((old) => document.querySelector("section[data-flow].border-accent")?.getAttribute("aria-label") === old, was);
  await page.keyboard.press("[");
  const mark = page.locator('[data-finding="secret.github-token"]');
  await mark.waitFor();
  expect(await mark.textContent()).toBe("●●●●");
  await mark.click();
  await page.getByRole("dialog", { name: "Finding" }).getByText("The value is not in this file.").waitFor();
  expect(await axe(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await page.keyboard.press("f");
  await page.keyboard.type("assertionerror");
  await page.keyboard.press("Enter");
  await page.locator("mark").filter({ hasText: "AssertionError" }).first().waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).getByText("next turn").waitFor();
  expect(faults).toEqual([]);
  await page.context().close();
});

test("what it cost is what the console says", async () => {
  const agent = new Agent(g, { session: "failed-once", system: "You are a test.", tools });
  await agent.ask("Go on.", ["say: ok"]);
  agent.messages.push({ role: "user", content: "[fail 529]" }); // used nothing, so no price of it is missing
  await agent.call();
  const { page, faults } = await opened(agent.run.session);
  await turn(page, 2).waitFor();
  expect(await page.getByText("≥").count()).toBe(0);
  expect(faults).toEqual([]);
  await page.context().close();
  const only = new Agent(g, { session: "failed-only", system: "You are a test.", tools });
  only.messages.push({ role: "user", content: "[fail 529]" });
  await only.call();
  const other = await opened("failed-only");
  await other.page.getByText("no tokens", { exact: true }).waitFor();
  await other.page.context().close();
});

test("long texts are whole", async () => {
  await new Agent(g, { session: "long", system: "You are a test.", tools }).ask(`${"All work and no play makes a long text. ".repeat(2_500)}This is the end of it.`, ["say: ok"]);
  const { page, faults } = await opened("long");
  await page.getByRole("button", { name: /^Show all/ }).click();
  await page.getByText("This is the end of it.").waitFor();
  expect(faults).toEqual([]);
  await page.context().close();
});

test("hostile text stays text", async () => {
  const bad = [
    '</script><script>document.title=2</script><!--<script>', '<img src=http://evil.example/x onerror="document.title=1">', "<style>*{display:none}</style>", "<base href=http://evil.example>",
    "![x](http://evil.example/p.png) [y](javascript:document.title=3)", "invoice\u202etxt.exe", "\u2028]]>\u0000",
  ].join("\n");
  const agent = new Agent(g, { session: "</title><script>document.title=4</script>", system: bad, tools: [{ name: "<b>Bash</b>", description: bad, input_schema: { type: "object" } }] }, () => ({ content: bad }));
  await agent.ask(bad, [`call: <b>Bash</b> {"command":"</script><svg onload=alert(1)>"}`, "say: <img src=http://evil.example/a.png>"]);
  const { page, faults } = await opened(agent.run.session);
  const title = await page.title();
  expect(title).toBe(agent.run.session);
  for (const k of ["j", "o", "u", "t"]) await page.keyboard.press(k);
  await page.getByText("<script>document.title=2</script>").first().waitFor();
  await page.getByTitle("U+202E right-to-left override").first().waitFor();
  expect(await page.evaluate(() => document.querySelectorAll("#root img, #root script, #root style, base, link, iframe, a, #root b:not(:empty)").length)).toBe(0);
  expect(await page.title()).toBe(title);
  expect(faults).toEqual([]);
  await page.context().close();
});

test("on paper all of it is there", async () => {
  const { page, faults } = await opened("shop", "dark");
  await turn(page, 2).waitFor();
  await page.keyboard.press("u");
  await page.emulateMedia({ media: "print" });
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  const paper = page.locator("#root > div").last();
  await paper.getByText("AssertionError: expected 1200 to be 3600").waitFor();
  await paper.getByText("The agent compacted the conversation").waitFor();
  expect(await paper.evaluate((e) => e.scrollHeight > 2 * innerHeight && document.documentElement.scrollHeight >= e.scrollHeight)).toBe(true);
  await page.evaluate(() => window.dispatchEvent(new Event("afterprint")));
  await page.emulateMedia({ media: "screen" });
  await turn(page, 2).waitFor();
  expect(faults).toEqual([]);
  await page.context().close();
});

test("the console saves it, with the values only when that is asked for", async () => {
  const w = await open(browser, await g.link());
  await w.page.goto(`${g.console}/sessions/shop`);
  for (const [mask, name] of [[true, "masked"], [false, "open"]] as const) {
    await w.page.getByRole("button", { name: "Export" }).click();
    const dialog = w.page.getByRole("dialog", { name: "Export this session" });
    await dialog.getByRole("radio", { name: /^A page/ }).check();
    await dialog.getByRole("checkbox", { name: /without the values/ }).setChecked(mask);
    const [download] = await Promise.all([w.page.waitForEvent("download"), dialog.getByRole("button", { name: "Save" }).click()]);
    expect(download.suggestedFilename()).toBe("shop.html");
    const path = join(folder, `${name}.html`);
    await download.saveAs(path);
    expect(readFileSync(path, "utf8").includes(key)).toBe(!mask);
    const { page, faults } = await read(path);
    await page.getByText(mask ? "Values that rules found are masked" : "Nothing is masked.").waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
    await dialog.waitFor({ state: "detached" });
  }
  expect(w.faults).toEqual([]);
  await w.context.close();
});
