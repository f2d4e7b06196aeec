import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { talk } from "./agent.ts";
import { axe } from "./axe.ts";
import { launch, open, shot, type Window } from "./browser.ts";
import { gateway, type Gateway } from "./gateway.ts";
import { many } from "./many.ts";
import { secret, seed } from "./seed.ts";

let g: Gateway;
let browser: Browser;
let w: Window;
let page: Page;

beforeAll(async () => {
  [g, browser] = await Promise.all([gateway(), launch()]);
  await talk(g, "first", "claude-opus-4-5").say("hello");
  await seed(g);
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

const flows = () => page.getByRole("grid", { name: "Flows" });
const row = (text: string | RegExp) => flows().getByRole("row").filter({ hasText: text });
const following = () => page.getByText("Following: new flows come in at the top").waitFor();

test("rows come as they happen; before the first, the page says how", async () => {
  const fresh = await gateway();
  const { page, faults } = await open(browser, await fresh.link());
  await page.getByRole("heading", { name: "No flows yet" }).waitFor();
  await page.getByText(/gatehouse run .*-- claude/).waitFor();
  await shot(page, "live-empty-light");
  await page.getByText("Following: new flows come in at the top").waitFor();
  await seed(fresh);
  const rows = page.getByRole("grid", { name: "Flows" }).getByRole("row");
  await rows.filter({ hasText: "gpt-5-codex" }).getByRole("img", { name: "done" }).waitFor();
  expect(await rows.filter({ hasText: "secret.github-token" }).count()).toBe(1);
  expect(await page.content()).not.toContain(secret);
  expect(faults).toEqual([]);
  await fresh.remove();
});

for (const theme of ["light", "dark"] as const) {
  test(`list and panel are clean in ${theme}`, async () => {
    const { page, faults } = await open(browser, await g.link(), theme);
    const rows = page.getByRole("grid", { name: "Flows" }).getByRole("row");
    await rows.nth(5).waitFor();
    await shot(page, `live-${theme}`);
    await rows.filter({ hasText: "secret.github-token" }).click();
    await page.getByRole("complementary", { name: "Flow" }).getByText("Findings (1)").waitFor();
    expect(await axe(page)).toEqual([]);
    await shot(page, `live-panel-${theme}`);
    await page.setViewportSize({ width: 1024, height: 768 });
    await shot(page, `live-panel-${theme}-1024`);
    await page.keyboard.press("/");
    await page.getByRole("option").first().waitFor();
    expect(await axe(page)).toEqual([]);
    expect(faults).toEqual([]);
  });
}

test("names are masked until they are asked for", async () => {
  await row("claude-opus-4-5").first().waitFor();
  const { who } = (await (await g.admin("GET", "/rows?limit=1")).json() as { principal: string }[]).map((r) => ({ who: r.principal.split("/")[0]! }))[0]!;
  expect(await row(`${who}/`).count()).toBe(0);
  await page.getByRole("button", { name: "Show names" }).click();
  await row(`${who}/`).first().waitFor();
  await page.reload();
  await row(`${who}/`).first().waitFor();
});

test("the keyboard does it all", async () => {
  await row("claude-opus-4-5").first().waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await page.keyboard.press("Enter");
  const panel = page.getByRole("complementary", { name: "Flow" });
  await panel.getByText("gpt-5-codex").waitFor();
  expect(new URL(page.url()).searchParams.get("flow")).toMatch(/^f/);
  await page.keyboard.press("j"); // the panel goes along
  await panel.getByText("claude-haiku-4-5").waitFor();
  await page.reload(); // and the address holds it
  await panel.getByText("claude-haiku-4-5").waitFor();
  await page.keyboard.press("Escape");
  await panel.waitFor({ state: "detached" });
  await row("claude-opus-4-5").first().waitFor();
  await page.keyboard.press("G");
  await page.keyboard.press("Enter");
  await panel.getByTitle("first", { exact: true }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("g");
  await panel.getByText("gpt-5-codex").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await following();
});

test("a list that is paused counts what waits", async () => {
  await row("claude-opus-4-5").first().waitFor();
  await page.keyboard.press(" ");
  await page.waitForURL("**/live?paused=1");
  await talk(g, "later", "claude-waits").say("hello");
  await page.getByRole("button", { name: "1 new" }).waitFor();
  expect(await row("claude-waits").count()).toBe(0);
  await page.keyboard.press(" ");
  await row("claude-waits").waitFor();
  await page.waitForURL("**/live");
  await row("claude-waits").click(); // who looks at a row wants it to stay
  await talk(g, "later still", "claude-waits-longer").say("hello");
  await page.getByRole("button", { name: "1 new" }).click();
  await row("claude-waits-longer").waitFor();
  await following();
});

test("a list that is pointed at can be clicked", async () => {
  const m = await many(g, 100_000, 100);
  const { page, faults } = await open(browser, await m.link());
  const first = page.getByRole("grid", { name: "Flows" }).locator('[aria-rowindex="5"]');
  await first.hover();
  await page.getByRole("button", { name: /^↑ [\d,]+ new$/ }).waitFor();
  const id = await first.getAttribute("data-id");
  await first.click();
  await page.waitForURL((url) => url.searchParams.get("flow") === id);
  expect(faults).toEqual([]);
  await m.end();
});

test("a filter that can't be read is pointed at; one that can narrows the list, live", async () => {
  await row("claude-opus-4-5").first().waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("agent:claude modle:x ");
  const alert = page.getByRole("alert");
  await alert.getByText("Column 14:").waitFor();
  await alert.getByText("did you mean model?").waitFor();
  expect(await alert.locator("mark").textContent()).toBe("modle:x");
  await shot(page, "live-filter-wrong-light");
  await page.keyboard.press("Enter"); // as it stands it chooses nothing
  await page.getByText("there is no field modle").first().waitFor();
  await page.getByRole("button", { name: "Clear the filter" }).click();
  await page.keyboard.press("/");
  await page.keyboard.type("mod");
  await page.keyboard.press("Tab");
  await page.getByRole("option", { name: "gpt-5-codex" }).waitFor(); // from what was recorded
  await page.keyboard.type("claude-op");
  await page.keyboard.press("Tab");
  await page.getByText(/^\d+ flows$/).waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL("**/live?q=model%3Aclaude-opus-4-5");
  await row("claude-opus-4-5").first().waitFor();
  await row("gpt-5-codex").waitFor({ state: "detached" });
  const before = await flows().getAttribute("aria-rowcount");
  await talk(g, "not this", "claude-other").say("hello");
  await talk(g, "but this", "claude-opus-4-5").say("hello");
  await expect.poll(() => flows().getAttribute("aria-rowcount")).toBe(String(Number(before) + 1));
  expect(await row("claude-other").count()).toBe(0);
});

test("who has a filter to mend stays in the box, and saves no view of it", async () => {
  await row("claude-opus-4-5").first().waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("is:blok");
  await page.keyboard.press("Enter");
  await page.getByText("is can't be blok").first().waitFor();
  const box = page.getByRole("combobox", { name: "Filter" });
  for (let i = 0; i < 4; i++) await page.keyboard.press("Backspace");
  await page.keyboard.type("done");
  expect(await box.inputValue()).toBe("is:done");
  expect(await page.getByRole("dialog").count()).toBe(0);
  await page.keyboard.press("Enter");
  await row("claude-opus-4-5").first().waitFor();
  await expect.poll(() => box.evaluate((e) => e === document.activeElement)).toBe(false);
  await page.goto(`${g.console}/live?q=is:blok`);
  await page.getByText("is can't be blok").first().waitFor();
  await page.keyboard.press("v");
  await page.getByText("This filter can’t be read, so it can’t be saved").waitFor();
  expect(await page.getByRole("button", { name: "Save", exact: true }).count()).toBe(0);
});

test("the count beside the filter is that of the list", async () => {
  await page.goto(`${g.console}/live?q=session:counted`);
  const box = page.getByRole("search");
  await box.getByText("0 flows").waitFor();
  const t = talk(g, "counted");
  for (const text of ["one", "two", `Deploy with ${secret}`]) await t.say(text);
  await flows().locator('[data-id]').nth(2).waitFor();
  await box.getByText("3 flows", { exact: true }).waitFor();
  await page.goto(`${g.console}/decisions?q=session:counted`);
  await page.getByText("1 in all").waitFor();
  await box.getByText("1 flow", { exact: true }).waitFor();
});

test("a view is saved, found again and deleted", async () => {
  await page.goto(`${g.console}/live?q=agent:codex`);
  await row("gpt-5-codex").waitFor();
  await page.keyboard.press("v");
  const dialog = page.getByRole("dialog", { name: "Saved views" });
  await dialog.getByLabel("Name of the view").fill("Codex <b>only</b>");
  await page.keyboard.press("Enter");
  await dialog.getByRole("button", { name: /^Codex <b>only<\/b>/ }).waitFor();
  await shot(page, "live-views-light");
  expect(await axe(page)).toEqual([]);
  await page.goto(`${g.console}/sessions`);
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  await page.keyboard.press("v");
  await dialog.getByRole("button", { name: /^Codex <b>only<\/b>/ }).click();
  await page.waitForURL("**/live?q=agent%3Acodex");
  await page.keyboard.press("v");
  await dialog.getByRole("button", { name: "Delete Codex <b>only</b>" }).click();
  await dialog.getByText("There are none yet.").waitFor();
});

/** A call whose answer comes as a stream, and may break off. */
async function streamed(session: string, text: string) {
  const answer = await fetch(`${g.agents}/anthropic/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": "made-up", "anthropic-version": "2023-06-01", "x-claude-code-session-id": session, "user-agent": "claude-cli/2.1.197 (external, cli)" },
    body: JSON.stringify({ model: "claude-sonnet-4-5", max_tokens: 64, stream: true, tools: [{ name: "Bash", input_schema: { type: "object" } }], messages: [{ role: "user", content: text }] }),
  });
  await answer.text().catch(() => "");
}

test("calls that failed or broke off don't look done", async () => {
  for (const [text, name] of [["[fail 529]", "failed: overloaded_error"], ["[error 2]", "failed: overloaded_error"], ["[cut 2]", /aborted/]] as const) {
    const session = `ended-${text.slice(1, 4)}`;
    await streamed(session, `${text}\nsay: a b c d e f g h i j k l`);
    await page.goto(`${g.console}/live?q=session:${session}`);
    await flows().getByRole("img", { name }).waitFor();
    expect(await flows().getByRole("img", { name: "done" }).count()).toBe(0);
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: "Flow" }).getByText(name).first().waitFor();
    await shot(page, `live-ended-${text.slice(1, 4)}`);
    await page.goto(`${g.console}/sessions/${session}`);
    await page.getByRole("region", { name: /^Turn 1,/ }).getByText(name).first().waitFor();
    await page.getByRole("region", { name: "Outline" }).getByRole("img", { name }).waitFor();
    await shot(page, `session-ended-${text.slice(1, 4)}`);
  }
});

test("hostile names are text", async () => {
  const model = '<img src=x onerror="document.title=1">\u202eevil\u001b[31m\u200b';
  await talk(g, "</script><script>document.title=1</script>", model).say("hello");
  await fetch(`${g.agents}/anthropic/v1/models/%3Cimg%20src=x%3E%E2%80%AE?q=<b>`, { headers: { "x-api-key": "made-up" } }).then((r) => r.text());
  await row("/v1/models/").waitFor();
  await row(/<img src=x onerror="document\.title=1">⟨202E⟩evil␛\[31m⟨200B⟩/).click();
  const panel = page.getByRole("complementary", { name: "Flow" });
  await panel.getByTitle('<img src=x onerror="document.title=1">⟨202E⟩').first().waitFor();
  await row("/v1/models/").click();
  await panel.getByTitle(/^GET \/v1\/models\//).waitFor();
  expect(await page.locator("main img, main script, main b").count()).toBe(0);
  expect(await page.title()).toBe("Live · Gatehouse");
  await shot(page, "live-hostile-light");
});

test("a gateway that restarts is found again", async () => {
  await row("claude-opus-4-5").first().waitFor();
  await g.stop();
  await page.getByRole("alert").getByText("gatehouse up").waitFor();
  expect(await row("claude-opus-4-5").count()).toBeGreaterThan(0); // what was there stays
  await shot(page, "live-lost-light");
  await g.start();
  await following();
  await talk(g, "after", "claude-after-restart").say("hello");
  await row("claude-after-restart").getByRole("img", { name: "done" }).waitFor();
});

test("a hundred thousand rows scroll", { timeout: 180_000 }, async () => {
  const m = await many(g, 100_000, 0);
  const { page, context, faults } = await open(browser, await m.link());
  const list = page.getByRole("grid", { name: "Flows" });
  await page.goto(`${m.console}/live`, { waitUntil: "commit" });
  const first = await page.evaluate(async () => {
    while (!document.querySelector("[data-id]")) await new Promise(requestAnimationFrame);
    return performance.now();
  });
  console.log(`the first of 100,000 rows stands ${first.toFixed(0)} ms after the address was asked for`);
  await list.getByRole("row").nth(20).waitFor();
  const cpu = await meter(context, page);
  const scroll = (by: number, most: number) =>
    list.evaluate(
      async (grid, [by, most]) => {
        const frames: number[] = [];
        let last = performance.now();
        let drawn = 0;
        while (frames.length < most && grid.scrollTop + grid.clientHeight < 2_700_000) {
          grid.scrollTop += by;
          await new Promise(requestAnimationFrame);
          frames.push(performance.now() - last);
          last = performance.now();
          drawn = Math.max(drawn, grid.querySelectorAll("[data-id]").length);
        }
        return { frames, drawn };
      },
      [by, most] as const,
    );
  const wheel = await scroll(120, 300);
  report("a wheel's steps", wheel.frames, await cpu());
  const fling = await scroll(8_000, Infinity);
  report("to the end of 100,000 rows", fling.frames, await cpu());
  expect(await list.getAttribute("aria-rowcount")).toBe("100001");
  expect(Math.max(wheel.drawn, fling.drawn)).toBeLessThan(80); // only what is seen is drawn
  await page.getByText("These are all: 100,000 flows.").waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("g");
  await list.locator('[aria-rowindex="2"][aria-selected="true"]').waitFor();
  await page.keyboard.press("G");
  await list.locator('[aria-rowindex="100001"][aria-selected="true"]').waitFor();
  await shot(page, "live-many-light");
  expect(faults).toEqual([]);
  await m.end();
});

test("a thousand flows a second are kept up with", async () => {
  const m = await many(g, 100_000, 100);
  const { page, context, faults } = await open(browser, await m.link());
  const list = page.getByRole("grid", { name: "Flows" });
  await list.getByRole("row").nth(20).waitFor();
  const cpu = await meter(context, page);
  const shown = await list.evaluate(async (grid) => {
    const frames: number[] = [];
    let last = performance.now();
    const newest = () => Number(grid.querySelector('[aria-rowindex="2"]')?.getAttribute("data-id")?.slice(1));
    const from = newest();
    while (newest() < from + 6_000) {
      await new Promise(requestAnimationFrame);
      frames.push(performance.now() - last);
      last = performance.now();
    }
    return frames;
  });
  report("a thousand flows a second", shown, await cpu());
  await shot(page, "live-fast-light");
  expect(Number(await list.getAttribute("aria-rowcount"))).toBeGreaterThan(6_000);
  await list.evaluate((grid) => grid.scrollTo({ top: 2_000 })); // scrolled away it stands still
  await page.getByRole("button", { name: /^↑ [\d,]+ new$/ }).waitFor();
  const stands = await list.getAttribute("aria-rowcount");
  await page.getByRole("button", { name: /^↑ \d,\d{3} new$/ }).waitFor();
  expect(await list.getAttribute("aria-rowcount")).toBe(stands);
  await page.keyboard.press("f");
  await page.getByText("Following: new flows come in at the top").waitFor();
  expect(faults).toEqual([]);
  await m.end();
});

/** What the page's main thread did since it was asked last. */
async function meter(context: BrowserContext, page: Page): Promise<() => Promise<string>> {
  const cdp = await context.newCDPSession(page);
  await cdp.send("Performance.enable");
  const read = async () => Object.fromEntries((await cdp.send("Performance.getMetrics")).metrics.map((m) => [m.name, m.value]));
  let before = await read();
  return async () => {
    const after = await read();
    const of = (name: string) => (after[name] ?? 0) - (before[name] ?? 0);
    const text = `${of("Timestamp").toFixed(1)} s, ${of("ThreadTime").toFixed(2)} s of CPU (script ${of("ScriptDuration").toFixed(2)}, layout and style ${(of("LayoutDuration") + of("RecalcStyleDuration")).toFixed(2)} s of the clock), heap ${(after["JSHeapUsedSize"]! / 1e6).toFixed(0)} MB`;
    before = after;
    return text;
  };
}

/** Figures for people: a shared machine's times judge nothing. */
function report(what: string, frames: number[], cpu: string) {
  const sorted = frames.toSorted((a, b) => a - b);
  const at = (p: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))]!.toFixed(0);
  console.log(`${what}: ${frames.length} frames, median ${at(0.5)} ms, 95 % ${at(0.95)} ms, longest ${at(1)} ms; ${cpu}`);
}
