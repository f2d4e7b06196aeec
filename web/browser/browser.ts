// Chromium, and what every page of it must not do.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";

const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export async function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: flags });
}

export interface Window {
  page: Page;
  context: BrowserContext;
  /** What the page did that no page of ours may: an error in the console, a
   * breach of its policy, a call to another host. */
  faults: string[];
}

/** Each of the console's answers waits for up to so many milliseconds when SLOW says so:
 * what a test takes for granted of their order shows, as it may on a busy machine. */
const slow = Number(process.env["SLOW"] ?? 0);

export async function open(browser: Browser, link: string, scheme: "light" | "dark" = "light"): Promise<Window> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: scheme, reducedMotion: "reduce" });
  if (slow > 0) {
    await context.route(/\/api\/v1\//, async (route) => {
      await new Promise((go) => setTimeout(go, Math.random() * slow));
      await route.continue().catch(() => undefined); // the page may be gone
    });
  }
  const page = await context.newPage();
  const faults: string[] = [];
  const origin = new URL(link).origin;
  page.on("pageerror", (e) => faults.push(`error: ${e.message}`));
  page.on("console", (m) => m.type() === "error" && !ordinary.test(m.text()) && faults.push(`console: ${m.text()}`));
  page.on("request", (r) => !r.url().startsWith(origin) && !/^(data|blob):/.test(r.url()) && faults.push(`request: ${r.url()}`));
  await page.goto(link);
  await page.locator("h1").waitFor({ state: "attached" }); // in, or told why not
  return { page, context, faults };
}

// Chromium logs every answer that is no 2xx; the page shows them in words.
const ordinary = /^Failed to load resource/;

/** Saves a picture when SHOTS names a folder. */
export async function shot(page: Page, name: string) {
  const dir = process.env["SHOTS"];
  if (!dir) return;
  mkdirSync(dir, { recursive: true });
  await page.screenshot({ path: join(dir, `${name}.png`) });
}
