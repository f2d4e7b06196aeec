// What other pages of the same machine can make a browser do: nothing. And a page
// that was open while the gateway was away goes on by itself.
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, open, type Window } from "./browser.ts";
import { gateway, type Gateway } from "./gateway.ts";
import { seed } from "./seed.ts";

let g: Gateway;
let browser: Browser;
let foreign: Server; // somebody else's page, on another port of this machine
let origin: string;

beforeAll(async () => {
  foreign = createServer((_, res) => (res.writeHead(200, { "content-type": "text/html" }), res.end("<!doctype html><title>foreign</title><p>hello")));
  await new Promise<void>((done) => foreign.listen(0, "127.0.0.1", done));
  origin = `http://127.0.0.1:${(foreign.address() as AddressInfo).port}`;
  [g, browser] = await Promise.all([gateway(), launch()]);
  await seed(g);
});
afterAll(async () => {
  await browser?.close();
  await g?.remove();
  (foreign?.closeAllConnections(), foreign?.close());
});

async function enter(place = "/live"): Promise<Window> {
  const w = await open(browser, await g.link());
  await w.page.getByRole("navigation", { name: "Pages" }).waitFor();
  await w.page.goto(g.console + place);
  return w;
}

/** What a foreign page tries, and what became of it. */
function tries(console: string) {
  const api = `${console}/api/v1`;
  const asked = async (path: string, init?: RequestInit) => {
    try {
      const answer = await fetch(api + path, { credentials: "include", ...init });
      return answer.type === "opaque" ? "opaque" : `${answer.status} ${(await answer.text()).slice(0, 80)}`;
    } catch {
      return "refused";
    }
  };
  const event = (e: Element, names: string[]) =>
    new Promise<string>((done) => {
      for (const n of names) e.addEventListener(n, () => done(n));
      document.body.append(e);
    });
  const image = () => Object.assign(document.createElement("img"), { src: `${api}/status` });
  const script = () => Object.assign(document.createElement("script"), { src: `${api}/rows` });
  const source = () => new Promise<string>((done) => {
    const s = new EventSource(`${api}/events`, { withCredentials: true });
    s.onerror = () => (s.close(), done("refused"));
    s.onmessage = s.onopen = () => done("open");
  });
  return (async () => ({
    status: await asked("/status"),
    simple: await asked("/status", { mode: "no-cors" }),
    word: await asked("/status", { headers: { "Gatehouse-Page": "guess" } }),
    reload: await asked("/policy/reload", { method: "POST" }),
    login: await asked("/login", { method: "POST", body: JSON.stringify({ token: "guess" }), headers: { "content-type": "text/plain" } }),
    image: await event(image(), ["load", "error"]),
    script: await event(script(), ["load", "error"]),
    events: await source(),
  }))();
}

test("a page of another port gets nothing", async () => {
  const { context } = await enter();
  expect((await context.cookies(g.console)).length).toBe(1);
  const page = await context.newPage();
  const answers: { url: string; status: number }[] = [];
  page.on("response", (r) => r.url().startsWith(`${g.console}/api/`) && answers.push({ url: r.url(), status: r.status() }));
  await page.goto(origin);
  const before = await (await g.admin("GET", "/journal?kind=event")).text();
  const got = await page.evaluate(tries, g.console);
  expect(got).toEqual({ status: "refused", simple: "opaque", word: "refused", reload: "refused", login: "refused", image: "error", script: "error", events: "refused" });
  expect(answers.length).toBeGreaterThan(0);
  for (const a of answers) expect(a.status, a.url).toBeGreaterThanOrEqual(400); // also those that it could not have read
  expect(await (await g.admin("GET", "/journal?kind=event")).text()).toBe(before);
  await context.close();
});

test("a form of another port does nothing, and no frame holds the page", async () => {
  const { context } = await enter();
  for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
    const page = await context.newPage();
    await page.goto(origin);
    const answer = page.waitForResponse(/policy\/reload/);
    await page.evaluate(([to, enc]) => {
      const form = Object.assign(document.createElement("form"), { method: "post", action: `${to}/api/v1/policy/reload`, enctype: enc });
      document.body.append(form);
      form.submit();
    }, [g.console, type]);
    expect((await answer).status()).toBe(403);
  }
  const page = await context.newPage();
  await page.goto(origin);
  const frame = await page.evaluate(async (to) => {
    const f = Object.assign(document.createElement("iframe"), { src: `${to}/live` });
    await new Promise((done) => (f.addEventListener("load", done), document.body.append(f)));
    try {
      return f.contentDocument?.title ?? "closed to us";
    } catch {
      return "closed to us";
    }
  }, g.console);
  expect(frame).toBe("closed to us");
  const inside = page.frames().find((f) => f !== page.mainFrame())!;
  expect(inside.url()).not.toContain("/live"); // the browser shows its own page in its place
  await context.close();
});

/** An answer to a cookie or a Host that a program makes up. */
function ask(path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((done, lost) => request(g.console + path, { headers }, (r) => (r.resume(), done(r.statusCode ?? 0))).on("error", lost).end());
}

test("a cookie alone is useless, and so is a name that leads here", async () => {
  const { context, page } = await enter();
  const [cookie] = await context.cookies(g.console);
  const word = await page.evaluate(() => localStorage.getItem("gatehouse.page"));
  const cookies = `${cookie!.name}=${cookie!.value}`;
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict" });
  expect(await ask("/api/v1/status", { cookie: cookies })).toBe(401);
  expect(await ask("/api/v1/status", { cookie: cookies, "gatehouse-page": word! })).toBe(200);
  const { port } = new URL(g.console);
  for (const host of [`evil.example:${port}`, "evil.example", `127.0.0.1.nip.example:${port}`]) {
    for (const path of ["/api/v1/status", "/live", "/"]) expect(await ask(path, { host, cookie: cookies, "gatehouse-page": word! }), host + path).toBeGreaterThanOrEqual(400);
  }
  expect(await ask("/api/v1/status", { cookie: cookies, "gatehouse-page": word!, origin })).toBe(403);
  await context.close();
});

test("a name that is bound anew to this machine opens nothing", async () => {
  const { port } = new URL(g.console);
  const { chromium } = await import("playwright-core");
  const bound = await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: ["--no-sandbox", "--host-resolver-rules=MAP rebound.example 127.0.0.1", "--disable-features=LocalNetworkAccessChecks"] });
  try {
    const page = await bound.newPage();
    const answer = await page.goto(`http://rebound.example:${port}/login${new URL(await g.link()).hash}`);
    expect(answer?.status()).toBeGreaterThanOrEqual(400);
    await page.route("**/theirs", (r) => r.fulfill({ contentType: "text/html", body: "<p>before the name was bound anew" }));
    await page.goto(`http://rebound.example:${port}/theirs`);
    const got = await page.evaluate(async () => [(await fetch("/api/v1/status")).status, (await fetch("/api/v1/rows", { headers: { "Gatehouse-Page": "x" } })).status, (await fetch("/api/v1/login", { method: "POST", body: "{}" })).status]);
    for (const status of got) expect(status).toBe(403);
  } finally {
    await bound.close();
  }
});

/** Where a page stands, as its address and what it shows. */
const states: [place: string, shows: (p: Page) => ReturnType<Page["locator"]>][] = [
  ["/live?q=model%3Aclaude-opus*", (p) => p.getByRole("grid", { name: "Flows" }).getByRole("row").filter({ hasText: "claude-opus-4-5" }).first()],
  ["/sessions?q=agent%3Aclaude", (p) => p.getByText("9b22c7d0-write-docs")],
  ["/sessions/5f3c8a1e-fix-the-login", (p) => p.getByRole("region", { name: /^Turn 1,/ })],
  ["/decisions?tab=found", (p) => p.getByText("secret.github-token").first()],
  ["/overview?by=model&of=tokens", (p) => p.getByRole("region", { name: "Sums by model" })],
  ["/setup?tab=record", (p) => p.getByRole("button", { name: "Verify now" })],
  ["/search?q=zeppelin", (p) => p.getByRole("list", { name: "Hits" }).getByRole("listitem").first()],
];

test("pages that are open while the gateway starts again go on as they were", async () => {
  await expect.poll(async () => ((await (await g.admin("GET", "/search?q=zeppelin&why=test")).json()) as { hits: unknown[] }).hits.length, { timeout: 20_000 }).toBeGreaterThan(0);
  const { context, page: first, faults } = await enter();
  const pages: Page[] = [];
  for (const [place, shows] of states) {
    const page = await context.newPage();
    await page.goto(g.console + place);
    await shows(page).waitFor();
    pages.push(page);
  }
  await g.stop();
  for (const page of pages) await page.getByText(/connection lost, trying again in \d+ s/).first().waitFor();
  for (const [i, page] of pages.entries()) {
    await states[i]![1](page).waitFor(); // what was shown stays
    await page.bringToFront();
  }
  await g.start();
  await seed(g);
  for (const [i, page] of pages.entries()) {
    await page.bringToFront();
    await page.getByRole("banner").getByText(/^(connected|live)$/).waitFor();
    await states[i]![1](page).waitFor();
    expect(page.url()).toBe(g.console + states[i]![0]);
    await expect.poll(() => page.getByRole("alert").filter({ hasText: /\S/ }).count(), { message: states[i]![0] }).toBe(0); // once it is read anew
  }
  await first.bringToFront();
  await first.getByText("gpt-5-codex").nth(1).waitFor(); // the second seed came in by itself
  expect(faults).toEqual([]);
  await context.close();
});

test("each wrong turn says what to do", async () => {
  const { context, page, faults } = await enter();
  const says: [string, string | RegExp, string | RegExp][] = [
    ["/flows/fnobody", /no such flow|There is no flow/i, /removed|data folder|Live/],
    ["/sessions/nobody", "There is no such session", /data folder/],
    ["/live?q=modle%3Ax", "there is no field modle", /did you mean model/],
    ["/sessions?q=modle%3Ax", "there is no field modle", /did you mean model/],
    ["/search?q=modle%3Ax", "there is no field modle", /did you mean model/],
    ["/decisions?q=modle%3Ax", "there is no field modle", /did you mean model/],
    ["/overview?q=modle%3Ax", "there is no field modle", /did you mean model/],
    ["/nowhere", "There is no such page", /pages are on the left/],
  ];
  for (const [place, what, todo] of says) {
    await page.goto(g.console + place);
    await page.getByText(what).first().waitFor();
    await page.getByText(todo).first().waitFor();
  }
  await page.goto(`${g.console}/live`);
  await page.getByRole("grid", { name: "Flows" }).waitFor();
  const old = await open(browser, `${g.console}/login#ghl_${"x".repeat(43)}`);
  await old.page.getByText("gatehouse open").waitFor();
  expect([...faults, ...old.faults]).toEqual([]);
  await context.close();
});
