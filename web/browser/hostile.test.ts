// Text that means harm, in every place where an agent, a model or a tool can put
// some, on every page.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, open, shot, type Window } from "./browser.ts";
import { gateway, type Gateway } from "./gateway.ts";
import { key } from "./story.ts";

const long = process.env["LONG"] ? 10 : 1;

let g: Gateway;
let browser: Browser;
let leaks: Server; // whoever calls it was led to
let provider: Server;
let called = 0;
let bad = "";
const name = () => bad.slice(0, 300).replaceAll("\n", " ");
// No header can hold the others.
const session = '<img/src=x/onerror=alert(1)>"\'><script>alert(2)</script>&amp;' + "w".repeat(40);

const listen = async (s: Server) => {
  await new Promise<void>((done) => s.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(s.address() as AddressInfo).port}`;
};

beforeAll(async () => {
  leaks = createServer((_, res) => (called++, res.end("leaked")));
  const leak = `${await listen(leaks)}/leak`;
  bad = [
    `<img src="${leak}" onerror="alert(1)"><script>document.title="owned";alert(2)</script><svg onload=alert(3)><style>*{display:none!important}</style>`,
    `![a picture](${leak}) [a link](javascript:alert(4)) <${leak}> <iframe src="${leak}"></iframe><base href="${leak}"><meta http-equiv=refresh content="0;url=${leak}">`,
    "\x1b[2J\x1b[31mred\x07\x1b]8;;http://evil.example\x07link\x1b]8;;\x07", "invoice\u202egnp.exe\u2066\u2067", "pass\u200bw\u200dord\ufeff \u2028 \u{e0041}", "\0\x08\x7f\u0085",
    "W".repeat(3_000), "क्षि".repeat(300), "Z" + "\u0301".repeat(500), "{{7*7}} ${alert(5)} </textarea></script><!--",
  ].join("\n");
  provider = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (c: Buffer) => chunks.push(c)).on("end", () => answer(JSON.parse(String(Buffer.concat(chunks))) as Asked, res));
  });
  [g, browser] = await Promise.all([gateway(undefined, await listen(provider)), launch()]);
  await seed();
});
afterAll(async () => {
  await browser?.close();
  await g?.remove();
  for (const s of [leaks, provider]) (s?.closeAllConnections(), s?.close());
});

interface Asked {
  model: string;
  messages: { content: unknown }[];
}

function answer(asked: Asked, res: import("node:http").ServerResponse) {
  const said = JSON.stringify(asked.messages.at(-1)?.content ?? "");
  const fails = said.includes("please fail");
  res.writeHead(fails ? 400 : 200, { "content-type": "application/json" });
  res.end(
    JSON.stringify(
      fails
        ? { type: "error", error: { type: name(), message: bad } }
        : {
            id: "m", type: "message", role: "assistant", model: asked.model, stop_reason: asked.messages.length > 1 ? "end_turn" : "tool_use", usage: { input_tokens: 5, output_tokens: 5 },
            content: [{ type: "thinking", thinking: bad, signature: "x" }, { type: "text", text: bad }, ...(asked.messages.length > 1 ? [] : [{ type: "tool_use", id: "c<b>1", name: name(), input: { command: bad, [name()]: bad } }])],
          },
    ),
  );
}

async function call(messages: unknown[], model = name()): Promise<number> {
  const response = await fetch(`${g.agents}/anthropic/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": "made-up", "anthropic-version": "2023-06-01", "x-claude-code-session-id": session, "x-claude-code-agent-id": "", "user-agent": `claude-cli/2 <script>alert(6)</script>` },
    body: JSON.stringify({ model, max_tokens: 9, system: bad, tools: [{ name: name(), description: bad, input_schema: { type: "object", properties: { [name()]: { type: "string", description: bad } } } }], messages }),
  });
  await response.arrayBuffer();
  return response.status;
}

async function seed() {
  const first = { role: "user", content: bad };
  const result = { role: "user", content: [{ type: "tool_result", tool_use_id: "c<b>1", is_error: true, content: `${bad}\n${key}` }] };
  const said = { role: "assistant", content: [{ type: "tool_use", id: "c<b>1", name: name(), input: { command: bad } }] };
  expect(await call([first])).toBe(200);
  expect(await call([first, said, result])).toBe(200);
  expect(await call([first, said, result, { role: "user", content: "please fail" }])).toBe(400);
  const heap = { role: "user", content: `heap ${"a line of a long text\n".repeat(50_000 * long)}${"x".repeat(1_000_000 * long)}` };
  expect(await call([first, said, result, heap])).toBe(200);
}

const flowOf = async (q: string) => ((await (await g.admin("GET", `/rows?q=${encodeURIComponent(q)}`)).json()) as { id: string }[]).at(-1)!.id;

/** What must hold of whatever page is shown. */
async function harmless({ page, faults }: Window, place: string) {
  const text = () => page.locator("#page").innerText();
  await expect.poll(text, { timeout: 10_000, message: place }).toMatch(/^[^]+\n[^]/); // more than its title
  await expect.poll(() => page.getByText(/^Reading .*…$/).count(), { timeout: 20_000, message: place }).toBe(0);
  const made = await page.evaluate(() => document.querySelectorAll("#page img, #page script, #page iframe, #page style, #page base, #page meta, #page a[href^=javascript], #page [onerror], #page [onload]").length);
  expect(made, place).toBe(0);
  expect(await page.title(), place).toMatch(/ · Gatehouse$/);
  for (const width of [1024, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth), { message: `${place} is wider than ${width}` }).toBeLessThanOrEqual(width);
    await expect.poll(() => page.evaluate(tooWide), { message: `${place} is wider than its part of ${width}` }).toEqual([]);
  }
  await page.keyboard.press("?"); // it still answers
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog", { name: "Keys" }).waitFor({ state: "detached" });
  expect(faults, place).toEqual([]);
}

/** What makes a page wider than its part of the window. */
function tooWide(): string[] {
  const main = document.getElementById("page")!;
  if (main.scrollWidth <= main.clientWidth) return [];
  const edge = main.getBoundingClientRect().right;
  return [...main.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > edge).map((e) => `<${e.localName} class="${e.getAttribute("class")}">`);
}

async function enter(place = "/live"): Promise<Window> {
  const w = await open(browser, await g.link());
  w.page.setDefaultTimeout(15_000);
  w.page.on("dialog", (d) => (w.faults.push(`dialog: ${d.message()}`), void d.dismiss()));
  await w.page.goto(g.console + place);
  return w;
}

test("every page that lists it", async () => {
  const flow = await flowOf("finding:secret.*");
  const failed = await flowOf("status:400");
  const w = await enter();
  const q = encodeURIComponent(`model:"${name().replaceAll(/["\\]/g, "")}"`);
  await expect.poll(async () => ((await (await g.admin("GET", "/search?q=invoice*&why=test")).json()) as { hits: unknown[] }).hits.length, { timeout: 20_000 }).toBeGreaterThan(0);
  for (const place of [
    "/live", `/live?flow=${flow}`, `/live?flow=${failed}`, `/live?q=${q}`, `/live?q=${encodeURIComponent(name())}`, "/sessions", "/search?q=invoice*", "/search?q=alert", `/search?q=${encodeURIComponent(bad)}`,
    `/decisions?flow=${flow}`, "/decisions?tab=rules", "/decisions?tab=found", `/decisions?q=${encodeURIComponent(name())}`, "/overview?by=model", "/overview?by=session", "/overview?by=agent", "/overview?by=principal",
    "/setup", "/setup?tab=coverage", "/setup?tab=health", "/setup?tab=record", "/setup?tab=readers", `/flows/${flow}`, `/flows/${failed}`, `/flows/${flow}?tab=facts`, `/flows/${encodeURIComponent(name())}`, `/sessions/${encodeURIComponent(name())}`,
  ]) {
    await w.page.goto(g.console + place);
    await harmless(w, place);
    await shot(w.page, `hostile${place.slice(0, 24).replaceAll(/[^a-z]/g, "-")}`);
  }
  expect(called).toBe(0);
  await w.context.close();
});

const turn = (page: Page, n: number) => page.getByRole("region", { name: new RegExp(`^Turn ${n},`) });

test("its session, with all of it open", async () => {
  const w = await enter(`/sessions/${encodeURIComponent(session)}`);
  const { page } = w;
  await turn(page, 1).waitFor();
  for (const k of ["t", "u", "j", "o", "j", "o"]) await page.keyboard.press(k);
  await page.getByText('document.title="owned"').first().waitFor();
  await harmless(w, "the session");
  await turn(page, 1).getByTitle("U+202E right-to-left override").first().waitFor();
  await page.keyboard.press("r");
  await page.getByRole("dialog", { name: /Bytes and headers/ }).getByRole("tab").nth(1).click();
  await page.getByRole("button", { name: /^Read/ }).click();
  await page.getByRole("dialog", { name: /Bytes and headers/ }).getByText(/max_tokens/).first().waitFor();
  expect(w.faults).toEqual([]);
  expect(called).toBe(0);
  await w.context.close();
});

test(`a body of ${2 * long} MB is read when it is asked for`, async () => {
  const w = await enter(`/sessions/${encodeURIComponent(session)}?flow=${await flowOf("size>1MB")}`);
  const { page } = w;
  await page.getByText(/^heap a line of a long text/).first().waitFor();
  await page.getByRole("button", { name: /^Show (all|.* more)/ }).first().click();
  await harmless(w, "the long text");
  await page.keyboard.press("r");
  const dialog = page.getByRole("dialog", { name: /Bytes and headers/ });
  await dialog.getByRole("tab").nth(1).click();
  await dialog.getByRole("button", { name: /^Read/ }).click();
  await dialog.getByText(/max_tokens/).first().waitFor();
  await page.keyboard.press("Escape");
  await harmless(w, "the long bytes");
  await w.context.close();
});
