// From the first start to the turn where a secret left, and who looked at it.
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { talk } from "./agent.ts";
import { axe } from "./axe.ts";
import { launch, open, type Window } from "./browser.ts";
import { gateway, type Gateway } from "./gateway.ts";
import { secret } from "./seed.ts";

let g: Gateway;
let browser: Browser;
let w: Window;
let page: Page;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  g = await gateway(); // it only reports: the secret leaves
  w = await open(browser, g.printed);
  page = w.page;
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
});
afterEach(async () => {
  expect(w.faults).toEqual([]);
  await w.context.close();
  await g.remove();
});

const turn = (n: number) => page.getByRole("region", { name: new RegExp(`^Turn ${n},`) });
const grid = () => page.getByRole("grid", { name: "Flows" });
const claude = () => page.getByRole("region", { name: "Claude Code" });
const leakFlow = async () => ((await (await g.admin("GET", "/rows?q=finding:secret.*")).json()) as { id: string }[])[0]!.id;

/** Somebody's agent at work: in its second turn a token leaves. */
async function work() {
  const agent = talk(g, "3c91f7e2-deploy");
  for (const text of ["Look at the deploy script\nsay: It needs a token.", `Deploy with ${secret} then\nsay: Deployed.`, "say: All is well\nIs it up?"]) expect(await agent.say(text)).toBe(200);
}

const indexed = async () => {
  await expect.poll(async () => ((await (await g.admin("GET", "/search?q=deploy&why=test")).json()) as { indexed: { done: number; total: number }; hits: unknown[] }).hits.length, { timeout: 15_000 }).toBeGreaterThan(0);
};

/** What was read, newest first, as the page tells it. */
const readings = () => page.getByRole("region", { name: "Readings, newest first" }).locator("tbody tr");

test("by the mouse", async () => {
  await page.getByRole("heading", { name: "No flows yet" }).waitFor();
  await page.getByRole("link", { name: "Set-up" }).first().click();
  await page.getByText("No agent has called a model through Gatehouse yet").waitFor();
  await claude().getByText("none yet by its base URL").waitFor();
  await claude().getByRole("button", { name: /Copy/ }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain("-- claude");
  await page.getByText("live", { exact: true }).waitFor();

  await work();
  await claude().getByRole("link", { name: /first model call/ }).waitFor();

  await page.getByRole("link", { name: "Live" }).click();
  const row = grid().getByRole("row").filter({ hasText: "secret.github-token" });
  await row.waitFor();
  await row.click();
  await page.getByRole("complementary", { name: "Flow" }).getByText("Findings (1)").waitFor();

  await page.getByRole("link", { name: "Decisions" }).click();
  await page.getByRole("region", { name: "Decisions, newest first" }).getByRole("button", { name: /secret\.github-token/ }).waitFor();

  await indexed();
  await page.getByRole("link", { name: "Search" }).click();
  await page.getByRole("combobox", { name: "Search" }).fill("finding:secret.* deploy*");
  await page.keyboard.press("Enter");
  const hit = page.getByRole("list", { name: "Hits" }).getByRole("listitem").filter({ hasText: "Deploy with" });
  await hit.getByRole("link", { name: "Open the turn" }).click();
  await turn(2).and(page.locator(":focus")).waitFor();
  expect(new URL(page.url()).searchParams.get("flow")).toBe(await leakFlow());
  expect(await page.content()).not.toContain(secret);

  await turn(2).locator('[data-finding="secret.github-token"]').first().click();
  const note = page.getByRole("dialog", { name: "Finding" });
  await note.getByRole("textbox").fill("is it still valid? incident 7");
  await note.getByRole("button", { name: "Reveal the value" }).click();
  await note.getByText(secret).waitFor();
  await page.keyboard.press("Escape");

  await page.getByRole("link", { name: "Set-up" }).click();
  await page.getByRole("link", { name: "Who read" }).click();
  await readings().filter({ hasText: "is it still valid? incident 7" }).getByText(/a value was revealed/).waitFor();
  await readings().filter({ hasText: "search for finding:secret.* deploy*" }).waitFor();
  await readings().filter({ hasText: "session 3c91f7e2" }).first().waitFor();
  expect(await axe(page)).toEqual([]);
});

/** Goes to a control by Tab alone. */
async function tabTo(what: ReturnType<Page["locator"]>) {
  for (let i = 0; i < 120; i++) {
    if (await what.first().evaluate((e) => e === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not lead to ${what}`);
}

const keys = async (...list: string[]) => {
  for (const k of list) await page.keyboard.press(k);
};

test("by the keyboard alone", async () => {
  await page.getByRole("heading", { name: "No flows yet" }).waitFor();
  await keys("g", "u");
  const copy = claude().getByRole("button", { name: /Copy/ });
  await copy.waitFor();
  await tabTo(copy);
  await keys("Enter");
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain("-- claude");
  await page.getByText("live", { exact: true }).waitFor();
  await work();
  await claude().getByRole("link", { name: /first model call/ }).waitFor();

  await keys("g", "l");
  await grid().getByRole("row").filter({ hasText: "secret.github-token" }).waitFor();
  await keys("/");
  await page.keyboard.type("finding:secret.*");
  await keys("Enter");
  await page.waitForURL("**/live?q=finding*");
  await expect.poll(() => grid().getByRole("row").filter({ hasText: "claude-sonnet" }).count()).toBe(1);
  await keys("j", "Enter");
  await page.getByRole("complementary", { name: "Flow" }).getByText("Findings (1)").waitFor();

  await keys("g", "d");
  await page.getByRole("region", { name: "The decision" }).getByText("secret.github-token").first().waitFor();

  await indexed();
  await keys("g", "f", "/");
  await page.keyboard.type("finding:secret.* deploy*");
  await keys("Enter");
  const hits = page.getByRole("list", { name: "Hits" }).getByRole("listitem");
  await hits.first().waitFor();
  const at = (await hits.allInnerTexts()).findIndex((t) => t.includes("Deploy with"));
  for (let i = 0; i <= at; i++) await keys("j");
  await keys("Enter");
  await turn(2).and(page.locator(":focus")).waitFor();

  await keys("]");
  const mark = turn(2).locator('[data-finding="secret.github-token"]').first();
  await mark.and(page.locator(":focus")).waitFor();
  await keys("Enter");
  const note = page.getByRole("dialog", { name: "Finding" });
  await tabTo(note.getByRole("textbox"));
  await page.keyboard.type("by hand, incident 8");
  await keys("Enter");
  await note.getByText(secret).waitFor();
  await keys("Escape");
  await note.waitFor({ state: "detached" });

  await keys("g", "u");
  const readers = page.getByRole("link", { name: "Who read" });
  await readers.waitFor();
  await tabTo(readers);
  await keys("Enter");
  await readings().filter({ hasText: "by hand, incident 8" }).getByText(/a value was revealed/).waitFor();
});

test("names are masked on every page, by one switch", async () => {
  await work();
  const row = ((await (await g.admin("GET", "/rows?q=finding:secret.*")).json()) as { id: string; principal: string }[])[0]!;
  const { who } = (await (await g.admin("GET", "/status")).json()) as { who: string };
  const places = [
    `/live?flow=${row.id}`, "/sessions", "/sessions/3c91f7e2-deploy", `/flows/${row.id}`, `/flows/${row.id}?tab=facts`, `/decisions?flow=${row.id}`, "/overview?by=principal", "/setup?tab=coverage", "/setup?tab=readers",
  ];
  const text = () => page.locator("#page").innerText();
  const person = row.principal.split("/")[0]!;
  const masked = /\p{L}+·[0-9a-f]{2}/u;
  for (const place of places) {
    await page.goto(g.console + place);
    await expect.poll(text, { message: place }).toMatch(masked);
    expect(await text(), place).not.toContain(`${person}/`);
    expect(await text(), `${place}: ${who}`).not.toMatch(new RegExp(`\\b${who}\\b`));
  }
  await page.getByRole("banner").getByRole("button", { name: "Show names" }).click();
  for (const place of places) {
    await page.goto(g.console + place);
    await expect.poll(text, { message: place }).toContain(person);
    expect(await text(), place).not.toMatch(masked);
  }
});
