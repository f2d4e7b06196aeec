// Overview, Decisions, Set-up and health.
import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { talk } from "./agent.ts";
import { axe } from "./axe.ts";
import { launch, open, shot } from "./browser.ts";
import { gateway, type Gateway } from "./gateway.ts";

const policy = `version: 1
mode: enforce
rules:
  # A comment that the page shows as one.
  - {rule: secret.github-token, do: block, why: "no tokens of GitHub # here"}
  - {rule: secret.*, min_confidence: 50, do: redact, why: credentials don't leave this machine}
default: flag
tests:
  - {rule: secret.github-token, expect: block}
  - {rule: secret.jwt, expect: redact}
`;

// Made up; the first has the checksum that tokens of GitHub have.
const token = "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";
const awsKey = "AKIAQYLPMN5HHHFPZAM2";
const hostile = '=HYPERLINK("http://evil.example")<img src=x onerror=alert(1)>\u202egnp';

let g: Gateway;
let browser: Browser;

beforeAll(async () => {
  [g, browser] = await Promise.all([gateway(policy), launch()]);
});
afterAll(async () => {
  await browser?.close();
  await g?.remove();
});

async function enter(place: string, theme: "light" | "dark" = "light") {
  const w = await open(browser, await g.link(), theme);
  await w.page.getByRole("navigation", { name: "Pages" }).waitFor();
  await w.page.goto(g.console + place);
  await w.page.getByRole("navigation", { name: "Pages" }).waitFor();
  return w;
}

interface Sums {
  groups: { keys: string[]; flows: number; cost_usd: number | null }[];
  total: { flows: number; turns: number; cost_usd: number; unpriced: number };
}

const sums = async (by: string) => (await (await g.admin("GET", `/overview?by=${by}`)).json()) as Sums;

/** The cells of a table's rows, by its name. */
async function cells(page: Page, table: string): Promise<string[][]> {
  const rows = page.getByRole("region", { name: table }).locator("tbody tr");
  return rows.evaluateAll((all) => all.map((r) => [...r.children].map((c) => (c as HTMLElement).innerText.trim())));
}

/** Saves what a click downloads, and gives its text. */
async function download(page: Page, click: () => Promise<void>): Promise<{ name: string; text: string }> {
  const [file] = await Promise.all([page.waitForEvent("download"), click()]);
  return { name: file.suggestedFilename(), text: readFileSync(await file.path(), "utf8") };
}

test("before the first call every page says what to do", async () => {
  const { page, faults } = await enter("/overview");
  await page.getByText("No flow in this time").waitFor();
  await page.goto(`${g.console}/decisions`);
  await page.getByText("Nothing was blocked or redacted").waitFor();
  await page.goto(`${g.console}/decisions?tab=allowed`);
  await page.getByText("Nothing is allowed beside the policy").waitFor();
  await page.goto(`${g.console}/setup?tab=readers`);
  await page.getByText("Nobody has read any content yet").waitFor();
  await page.goto(`${g.console}/setup`);
  await page.getByText("No agent has called a model through Gatehouse yet").waitFor();
  await shot(page, "setup-empty-light");
  expect(faults).toEqual([]);
});

test("a light turns green with the first model call, while one looks", async () => {
  const { page, faults } = await enter("/setup");
  const claude = page.getByRole("region", { name: "Claude Code" });
  await claude.getByText("none yet by its base URL").waitFor();
  await page.getByText("live", { exact: true }).waitFor();
  expect(await talk(g, "first").say("say: hello")).toBe(200);
  const link = claude.getByRole("link", { name: /first model call/ });
  await link.waitFor();
  expect(await claude.getByText("none yet").count()).toBe(0); // there is no forward proxy
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await claude.getByRole("button", { name: /Copy/ }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^gatehouse run --data \S+ -- claude$/);
  await claude.getByText("Base URL", { exact: true }).click();
  await claude.getByText(`export ANTHROPIC_BASE_URL=${g.agents}/anthropic`).waitFor();
  await link.click();
  await page.waitForURL("**/flows/f*");
  expect(faults).toEqual([]);
});

test("sums are the ledger's; an unknown price is unknown, and the total partial", async () => {
  for (const [session, model] of [["one", "claude-sonnet-4-5"], ["two", "claude-opus-4-5"], ["one", "model-nobody-knows"]] as const) {
    expect(await talk(g, session, model).say("say: some words")).toBe(200);
  }
  expect(await talk(g, "=1+1", hostile).say("say: hostile")).toBe(200);
  const { page, faults } = await enter("/overview?by=model");
  const { groups, total } = await sums("model");
  await page.getByRole("region", { name: "Sums by model" }).waitFor();
  const rows = await cells(page, "Sums by model");
  expect(rows.length).toBe(groups.length);
  for (const g of groups.filter((g) => /^[\w-]+$/.test(g.keys[0] ?? ""))) {
    const row = rows.find((r) => r[0] === g.keys[0]);
    expect(Number(row?.[1]), g.keys[0]).toBe(g.flows);
    expect(row?.[7] === "unknown", g.keys[0]).toBe(g.cost_usd === null);
  }
  const figures = page.locator("dl").first();
  expect(await figures.innerText()).toMatch(new RegExp(`Calls\\s+${total.flows}\\s`));
  expect(await figures.innerText()).toMatch(/Spend\s+partial\s+≥ \$[\d.]+\s+2 calls unpriced/);
  expect(total.unpriced).toBe(2);
  await page.getByRole("link", { name: "model-nobody-knows" }).click();
  await page.waitForURL(/\/live\?q=since.*model-nobody-knows/);
  expect(faults).toEqual([]);
});

test("a table is a file for a spreadsheet, in which no name is a formula", async () => {
  const { page, faults } = await enter("/overview?by=model");
  const file = await download(page, () => page.getByRole("button", { name: "CSV" }).first().click());
  expect(file.name).toMatch(/^gatehouse-by-model-\d{4}-\d\d-\d\d\.csv$/);
  const lines = file.text.split("\r\n");
  expect(lines[0]).toMatch(/^model,calls,turns,input_tokens,.*cost_usd/);
  expect(lines.length - 2).toBe((await sums("model")).groups.length);
  expect(file.text).toContain('"\'=HYPERLINK(""http://evil.example"")<img');
  expect(lines.find((l) => l.startsWith("model-nobody-knows,"))).toContain(",unknown,");
  await page.getByText("Session", { exact: true }).click();
  await page.getByRole("region", { name: "Sums by session" }).waitFor();
  expect((await download(page, () => page.getByRole("button", { name: "CSV" }).first().click())).text).toContain("\r\n'=1+1,");
  expect(faults).toEqual([]);
});

test("a hostile name is text", async () => {
  const { page, faults } = await enter("/overview?by=model");
  await page.getByRole("region", { name: "Sums by model" }).waitFor();
  expect(await page.locator("img[src=x]").count()).toBe(0);
  expect(await page.locator(".sign", { hasText: "⟨202E⟩" }).count()).toBeGreaterThan(0);
  await page.getByRole("link", { name: /HYPERLINK/ }).click();
  await page.waitForURL(/\/live\?q=/);
  await page.getByText("1 flows").or(page.getByText("1 flow")).first().waitFor();
  expect(faults).toEqual([]);
});

test("persons are masked, and never ranked", async () => {
  const { page, faults } = await enter("/overview?by=principal");
  const region = page.getByRole("region", { name: "Sums by principal" });
  const who = (await sums("principal")).groups[0]!.keys[0]!;
  await region.getByText(/^\p{L}·[0-9a-f]{2}/u).waitFor();
  expect(await page.locator("main").innerText()).not.toContain(who);
  expect(await region.getByRole("button").count()).toBe(0); // no column sorts
  expect((await download(page, () => page.getByRole("button", { name: "CSV" }).first().click())).text).not.toContain(who);
  await page.getByRole("button", { name: "Show names" }).click();
  await region.getByRole("link", { name: who }).waitFor();
  expect(faults).toEqual([]);
});

test("a false alarm that is allowed here passes with the next call", async () => {
  const agent = talk(g, "alarm");
  expect(await agent.say(`say: no\nmy token is ${token}`)).toBe(400);
  expect(await talk(g, "secret").say(`say: yes\nthe key is ${awsKey}`)).toBe(200);
  const { page, faults } = await enter("/decisions");
  const list = page.getByRole("region", { name: "Decisions, newest first" });
  await list.getByRole("button", { name: /secret\.github-token/ }).click();
  const detail = page.getByRole("region", { name: "The decision" });
  await detail.getByText("no tokens of GitHub").first().waitFor();
  await detail.getByRole("button", { name: "Why?" }).click();
  const why = detail.getByRole("group", { name: "Why it was decided so" });
  await why.getByText("rules[0]").waitFor();
  expect(await axe(page)).toEqual([]);
  await shot(page, "decisions-light");
  await detail.getByRole("button", { name: "False alarm: allow…" }).click();
  const dialog = page.getByRole("dialog", { name: "Allow a false alarm" });
  expect(await dialog.getByRole("button", { name: "Allow it" }).isDisabled()).toBe(true); // it needs a reason
  await dialog.getByLabel("Reason").fill("it is our test key");
  await shot(page, "allow-light");
  expect(await axe(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Allow it" }).click();
  await detail.getByText("it is our test key").waitFor();
  const again = talk(g, "alarm again");
  expect(await again.say(`say: now\nmy token is ${token}`)).toBe(200);
  await page.getByRole("link", { name: /^Allowed/ }).click();
  expect((await cells(page, "What is allowed")).map((r) => [r[0], r.at(-1)])).toEqual([["it is our test key", "Revoke"]]);
  await page.getByRole("button", { name: /Revoke/ }).click();
  await page.getByText("revoked", { exact: true }).waitFor();
  expect(await talk(g, "alarm once more").say(`say: now\nmy token is ${token}`)).toBe(400);
  expect(faults).toEqual([]);
});

test("a value that was redacted is revealed, and who read it is on record", async () => {
  const { page, faults } = await enter("/decisions?q=verdict:redact");
  const detail = page.getByRole("region", { name: "The decision" });
  await detail.getByRole("article", { name: "secret.aws-access-key" }).waitFor();
  expect(await page.locator("main").innerText()).not.toContain(awsKey);
  await detail.getByRole("button", { name: "Reveal the value…" }).click();
  const dialog = page.getByRole("dialog", { name: "Reveal a value" });
  expect(await dialog.getByRole("textbox").inputValue()).toBe(""); // why is for its reader to say
  await dialog.getByLabel("Reason").fill("is it a real one?");
  await dialog.getByRole("button", { name: "Reveal it" }).click();
  await dialog.getByText(awsKey).waitFor();
  await shot(page, "reveal-light");
  await page.keyboard.press("Escape");
  await page.getByText(awsKey).waitFor({ state: "detached" });
  await page.goto(`${g.console}/setup?tab=readers`);
  const reading = page.getByRole("region", { name: "Readings, newest first" }).locator("tr", { hasText: "is it a real one?" });
  await reading.getByText(/a value was revealed: f_/).waitFor();
  expect(faults).toEqual([]);
});

test("decisions are grouped by rule and by value", async () => {
  const { page, faults } = await enter("/decisions?tab=found");
  await page.getByRole("region", { name: "Values that were found" }).waitFor();
  const rows = await cells(page, "Values that were found");
  expect(rows.find((r) => r[0]?.startsWith("secret.github-token"))?.[4]).toBe("2"); // two calls, one value
  await page.getByRole("link", { name: "By rule" }).click();
  await page.getByRole("link", { name: "secret.github-token" }).click();
  await page.waitForURL(/q=finding/);
  await page.getByText("2 in all").waitFor();
  expect(faults).toEqual([]);
});

test("the policy in force is readable, and says what it would do", async () => {
  const { page, faults } = await enter("/decisions?tab=policy&line=5");
  const text = page.getByRole("region", { name: "The policy’s text" });
  await text.getByText("mode").first().waitFor();
  const lines = await text.locator("li").allInnerTexts();
  expect(lines.map((l) => l.replace(/^\d+\s/, "")).join("\n").replace(/ /g, "")).toBe(policy.trimEnd().replace(/ /g, ""));
  expect(await text.locator("li[aria-current=true]").innerText()).toContain("secret.github-token");
  await page.getByText("2 pass").waitFor();
  await page.getByRole("button", { name: "Ask the policy" }).click();
  await page.getByText("policy.yaml:5").waitFor();
  expect(faults).toEqual([]);
});

test("a file that is wrong is not in force, and the page says why", async () => {
  const { writeFileSync } = await import("node:fs");
  const { page, faults } = await enter("/decisions?tab=policy");
  writeFileSync(`${g.data}/policy.yaml`, policy.replace("mode: enforce", "mode: enforced"));
  await page.getByRole("button", { name: "Reload the file" }).click();
  await page.getByText("The file as it stands now is not in force").waitFor();
  await page.getByText(/enforced/).first().waitFor();
  await shot(page, "policy-wrong-light");
  await page.goto(`${g.console}/setup?tab=health`);
  await page.getByText("the policy file as it stands is not in force").first().waitFor();
  writeFileSync(`${g.data}/policy.yaml`, policy);
  expect((await g.admin("POST", "/policy/reload")).status).toBe(200);
  expect(faults).toEqual([]);
});

test("who read is on record with the reason, and the record is verified here", async () => {
  const flows = (await (await g.admin("GET", "/rows?limit=1")).json()) as { id: string }[];
  await g.admin("GET", `/flows/${flows[0]!.id}/content/request?why=${encodeURIComponent("an audit <b>of</b> May")}`);
  const { page, faults } = await enter("/setup?tab=readers");
  await page.getByText("an audit <b>of</b> May").waitFor();
  await page.getByRole("link", { name: flows[0]!.id }).waitFor();
  await page.getByRole("link", { name: "The record" }).click();
  await page.getByRole("button", { name: "Verify now" }).click();
  await page.getByText("all is as it was written").waitFor();
  await page.reload();
  await page.getByText("all is as it was written").waitFor();
  expect(faults).toEqual([]);
});

test("moments when enforcement was off are told", async () => {
  const { writeFileSync } = await import("node:fs");
  writeFileSync(`${g.data}/policy.yaml`, policy.replace("mode: enforce", "mode: report"));
  await g.admin("POST", "/policy/reload");
  await g.stop();
  await g.start();
  writeFileSync(`${g.data}/policy.yaml`, policy);
  await g.admin("POST", "/policy/reload");
  const { page, faults } = await enter("/setup?tab=health");
  await page.getByRole("region", { name: "When enforcement was off", exact: true }).waitFor();
  const states = (await cells(page, "When enforcement was off")).map((r) => r[3]);
  expect(states).toEqual(["report", "no gateway", "report"]);
  expect(faults).toEqual([]);
});

test("the keyboard decides", async () => {
  const { page, faults } = await enter("/live");
  await page.keyboard.press("g");
  await page.keyboard.press("d");
  await page.getByRole("region", { name: "The decision" }).waitFor();
  const first = await page.getByRole("region", { name: "The decision" }).innerText();
  await page.keyboard.press("j");
  await page.waitForURL(/flow=/);
  await expect.poll(() => page.getByRole("region", { name: "The decision" }).innerText()).not.toBe(first);
  await page.goto(`${g.console}/decisions?q=finding:secret.github-token`);
  await page.getByRole("button", { name: "False alarm: allow…" }).first().focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Allow a false alarm" }).waitFor();
  await page.keyboard.type("by the keyboard");
  await page.keyboard.press("Enter");
  await page.getByText("by the keyboard").first().waitFor();
  await page.goto(`${g.console}/overview`);
  await page.getByRole("radio", { name: "7 days" }).focus();
  await page.keyboard.press("ArrowRight");
  await page.waitForURL(/since=30d/);
  expect(faults).toEqual([]);
});

test("a filter that can't be read says where and why", async () => {
  for (const place of ["overview", "decisions"]) {
    const { page, faults } = await enter(`/${place}?q=modle:claude`);
    await page.getByRole("main").getByText(/there is no field modle/).waitFor();
    await page.getByRole("search").getByText(/did you mean model/).waitFor();
    expect(faults).toEqual([]);
  }
});

const places = [
  "/overview", "/overview?by=model&of=tokens", "/overview?by=session", "/overview?by=day&of=calls", "/overview?by=principal",
  "/decisions", "/decisions?tab=rules", "/decisions?tab=found", "/decisions?tab=allowed", "/decisions?tab=policy",
  "/setup", "/setup?tab=coverage", "/setup?tab=health", "/setup?tab=record", "/setup?tab=readers",
];

for (const theme of ["light", "dark"] as const) {
  test(`every part is clean in ${theme}`, async () => {
    const { page, faults } = await enter("/overview", theme);
    for (const place of places) {
      await page.goto(g.console + place);
      await page.getByRole("navigation", { name: "Pages" }).waitFor();
      await page.locator("main section, main table, main h2").first().waitFor();
      await page.getByText(/^Reading /).first().waitFor({ state: "detached" });
      expect(await axe(page), place).toEqual([]);
      for (const [width, height] of [[1440, 900], [1024, 768]] as const) {
        await page.setViewportSize({ width, height });
        await shot(page, `boards${place.replaceAll(/[/?=&]/g, "-")}-${theme}-${width}`);
        expect(await page.evaluate(() => document.documentElement.scrollWidth), `${place} is wider than ${width}`).toBeLessThanOrEqual(width);
      }
    }
    expect(faults).toEqual([]);
  });
}
