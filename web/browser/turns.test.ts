// A session of very many turns.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, open } from "./browser.ts";
import { gateway, type Gateway } from "./gateway.ts";

const total = process.env["LONG"] ? 50_000 : 3_000;

let g: Gateway;
let browser: Browser;

beforeAll(async () => {
  [g, browser] = await Promise.all([gateway(), launch()]);
  let next = 0;
  const some = async () => {
    while (next < total) await call(next++);
  };
  await Promise.all(Array.from({ length: 8 }, some));
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await g?.remove();
});

async function call(n: number) {
  const answer = await fetch(`${g.agents}/anthropic/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": "made-up", "anthropic-version": "2023-06-01", "x-claude-code-session-id": "endless", "user-agent": "claude-cli/2.1.197 (external, cli)" },
    body: JSON.stringify({ model: "claude-sonnet-4-5", max_tokens: 64, tools: [{ name: "Bash", input_schema: { type: "object" } }], messages: [{ role: "user", content: `Step ${n}\nsay: done ${n}` }] }),
  });
  await answer.arrayBuffer();
  if (answer.status !== 200) throw new Error(`call ${n}: ${answer.status}`);
}

const turn = (page: Page, n: number) => page.getByRole("region", { name: new RegExp(`^Turn ${n},`) });

test(`a session of ${total} turns is read at its begin, in its middle and at its end`, async () => {
  const { page, faults } = await open(browser, await g.link());
  await page.goto(`${g.console}/sessions/endless`);
  await turn(page, 1).waitFor();
  const to = page.getByRole("textbox", { name: /^turn of/ });
  for (const n of [total / 2, total - 7, 2]) {
    await to.fill(String(n));
    await page.getByRole("button", { name: "Go", exact: true }).click();
    await turn(page, n).and(page.locator(":focus")).waitFor();
    await turn(page, n + 1).waitFor(); // its window may still be on its way
    await page.keyboard.press("j");
    await turn(page, n + 1).and(page.locator(":focus")).waitFor();
  }
  await page.getByRole("button", { name: "Latest" }).click();
  await turn(page, total).and(page.locator(":focus")).waitFor();
  expect(await page.locator("section[data-flow]").count()).toBeLessThan(40);
  for (let i = 0; i < 30; i++) await page.mouse.wheel(0, -3_000); // back, by the wheel
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.goto(`${g.console}/sessions`);
  await page.getByRole("grid", { name: "Sessions" }).getByText("endless").waitFor();
  await page.goto(`${g.console}/live`);
  await page.getByRole("grid", { name: "Flows" }).getByRole("row").nth(5).waitFor();
  expect(faults).toEqual([]);
}, 240_000);
