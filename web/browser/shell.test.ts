import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { talk } from "./agent.ts";
import { axe } from "./axe.ts";
import { launch, open, shot } from "./browser.ts";
import { gateway, type Gateway } from "./gateway.ts";

let g: Gateway;
let browser: Browser;

beforeAll(async () => {
  [g, browser] = await Promise.all([gateway(), launch()]);
});
afterAll(async () => {
  await browser?.close();
  await g?.remove();
});

const places = ["/live", "/sessions", "/search", "/decisions", "/overview", "/setup", "/flows/nobody", "/nowhere"];

test("a link lets in once, and leaves the address", async () => {
  const link = await g.link();
  const w = await open(browser, link);
  await w.page.getByRole("navigation", { name: "Pages" }).waitFor();
  expect(w.page.url()).toBe(`${g.console}/live`);
  await w.page.reload();
  await w.page.getByRole("navigation", { name: "Pages" }).waitFor();
  const other = await open(browser, link);
  await other.page.getByRole("heading", { name: "This link no longer works" }).waitFor();
  expect(await other.page.getByText("gatehouse open").count()).toBe(1);
  expect(await axe(other.page)).toEqual([]);
  await shot(other.page, "door-light");
  const third = await open(browser, g.console);
  await third.page.getByRole("heading", { name: "Log in to Gatehouse" }).waitFor();
  expect([...w.faults, ...other.faults, ...third.faults]).toEqual([]);
});

for (const theme of ["light", "dark"] as const) {
  test(`every page is clean in ${theme}`, async () => {
    const w = await open(browser, await g.link(), theme);
    for (const place of places) {
      await w.page.goto(g.console + place);
      await w.page.getByRole("navigation", { name: "Pages" }).waitFor();
      await w.page.waitForLoadState("networkidle", { timeout: 2_000 }).catch(() => undefined);
      expect(await axe(w.page), place).toEqual([]);
      await shot(w.page, `${place.slice(1).replaceAll("/", "-")}-${theme}`);
    }
    expect(w.faults).toEqual([]);
  });
}

test("the keyboard goes everywhere", async () => {
  const { page, faults } = await open(browser, await g.link());
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("s");
  await page.waitForURL("**/sessions");
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await shot(page, "keys-light");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("overv");
  await shot(page, "palette-light");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/overview");
  await page.keyboard.press("/");
  await page.keyboard.type("model:claude*");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/overview?q=model%3Aclaude*");
  expect(faults).toEqual([]);
});

test("Ctrl+K finds sessions and flows on record", async () => {
  await talk(g, "zeppelin-2f9c").say("hello");
  const [{ id } = { id: "" }] = (await (await g.admin("GET", "/rows?q=session:zeppelin-2f9c")).json()) as { id: string }[];
  const { page, faults } = await open(browser, await g.link());
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("no-such-zeppelin");
  const found = page.getByRole("listbox", { name: "Found" });
  await found.getByText("Search no-such-zeppelin").waitFor();
  expect(await found.getByText(/^Session /).count()).toBe(0); // nor what was typed
  await page.getByRole("combobox", { name: /^Page, session/ }).fill("zepp");
  await found.getByText("Session zeppelin-2f9c").waitFor();
  await shot(page, "palette-session-light");
  expect(await axe(page)).toEqual([]);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/sessions/zeppelin-2f9c?principal=*");
  await page.keyboard.press("Control+k");
  await page.keyboard.type(id.slice(0, -2));
  await found.getByText(`Flow ${id}`).click();
  await page.waitForURL(`**/flows/${id}`);
  expect(faults).toEqual([]);
});

test("a gateway that answers with an error is not said to be away", async () => {
  const { page, context } = await open(browser, await g.link());
  const says = { status: 500, contentType: "application/json", body: JSON.stringify({ error: { kind: "internal", message: "the index can't be read" } }) };
  await page.context().route(/\/api\/v1\/(events|rows|journal)/, (route) => route.fulfill(says));
  await page.goto(`${g.console}/live`);
  await page.getByText("the index can't be read").waitFor();
  expect(await page.getByText("is it running?").count()).toBe(0);
  await page.goto(`${g.console}/setup?tab=record`);
  await page.getByRole("region", { name: "Verified" }).getByText("the index can't be read").waitFor(); // an empty box says nothing of the record
  await context.close();
});

test("a gateway that is gone is waited for", async () => {
  const { page, faults } = await open(browser, await g.link());
  await page.getByText("connected", { exact: true }).or(page.getByText("live", { exact: true })).waitFor();
  await g.stop();
  await page.getByText(/connection lost, trying again in \d+ s/).waitFor();
  await g.start();
  await page.getByText("connected", { exact: true }).or(page.getByText("live", { exact: true })).waitFor();
  expect(faults).toEqual([]);
});
