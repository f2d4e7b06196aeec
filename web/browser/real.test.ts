// Sessions of the real agents, as people read them.
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { axe } from "./axe.ts";
import { launch, open, shot } from "./browser.ts";
import { binary, gateway, type Gateway } from "./gateway.ts";

const secret = "sk-test-SECRET-0123456789abcdef";

interface Real {
  name: string;
  args: string[]; // before the prompt
  env: Record<string, string>;
  files?: Record<string, string>; // in its HOME
  call: RegExp; // how the page names what it ran
  system: RegExp; // a word of its system prompt
  tool: RegExp; // one that it has
}

const reals: Real[] = [
  {
    name: "claude", args: ["--allowedTools", "Bash", "--model", "claude-sonnet-4-5", "-p"],
    env: { ANTHROPIC_API_KEY: secret, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1" },
    call: /Bash printf hello-%d-from-tool 42/, system: /Claude/, tool: /^Bash/,
  },
  {
    name: "codex", args: ["exec", "--skip-git-repo-check", "-s", "danger-full-access"],
    env: { OPENAI_API_KEY: secret, CODEX_API_KEY: secret },
    call: /printf hello-%d-from-tool 42/, system: /Codex/, tool: /^clock\./,
  },
  {
    name: "gemini", args: ["--yolo", "-m", "gemini-2.5-pro", "-p"],
    env: { GEMINI_API_KEY: secret, GEMINI_CLI_TRUST_WORKSPACE: "true" },
    files: {
      ".gemini/settings.json": JSON.stringify({
        security: { auth: { selectedType: "gemini-api-key" } }, telemetry: { enabled: false },
        privacy: { usageStatisticsEnabled: false }, general: { disableAutoUpdate: true },
      }),
    },
    call: /run_shell_command printf hello-%d-from-tool 42/, system: /Gemini/, tool: /^run_shell_command/,
  },
];

let g: Gateway;
let browser: Browser;

beforeAll(async () => {
  [g, browser] = await Promise.all([gateway(), launch()]);
});
afterAll(async () => {
  await browser?.close();
  await g?.remove();
});

/** Lets an agent do one tool call, as a person would start it; gives what it said. */
async function run(a: Real, prompt: string): Promise<string> {
  const home = join(g.data, `home-${a.name}`);
  const work = join(home, "work");
  mkdirSync(work, { recursive: true });
  for (const [name, text] of Object.entries(a.files ?? {})) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), text);
  }
  const child = spawn(binary, ["run", "--data", g.data, "--", a.name, ...a.args, prompt], {
    cwd: work, stdio: ["ignore", "pipe", "pipe"],
    env: { ...a.env, PATH: resolve("../test/e2e/node_modules/.bin") + delimiter + process.env["PATH"], HOME: home, LANG: "C.UTF-8", TERM: "dumb", SHELL: "/bin/sh" },
  });
  let said = "";
  child.stdout.on("data", (d: Buffer) => (said += d));
  child.stderr.on("data", (d: Buffer) => (said += d));
  await new Promise((ended) => child.once("close", ended));
  return said;
}

for (const a of reals) {
  test(`${a.name} is read as it worked`, async () => {
    expect(await run(a, "run: printf hello-%d-from-tool 42")).toContain("hello-42-from-tool");
    const { page, faults } = await open(browser, await g.link());
    await page.goto(`${g.console}/sessions?q=agent:${a.name}`);
    await page.getByRole("row").nth(1).click();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: /Round 1 run: printf/ }).waitFor();
    await shot(page, `real-${a.name}`);
    const call = page.getByRole("button", { name: a.call }).first();
    await call.click();
    await page.getByText("hello-42-from-tool").first().waitFor();
    expect(await page.getByText("no result yet").count()).toBe(0);
    for (const folded of await page.getByRole("button", { name: /^System prompt/ }).all()) await folded.click();
    await page.getByText(a.system).filter({ visible: true }).first().waitFor();
    await page.getByRole("button", { name: /^\d+ tools offered/ }).click();
    await page.getByRole("listitem").getByRole("button", { name: a.tool }).first().click();
    await shot(page, `real-${a.name}-tools`);
    await page.getByText("Arguments, as a JSON schema").filter({ visible: true }).first().waitFor();
    expect(await page.getByText("Something of a kind that is not known").count()).toBe(0);
    expect(await axe(page)).toEqual([]);
    expect(faults).toEqual([]);
  }, 120_000);
}
