// The live page in Chromium, for the benchmark: `node watch.mjs LINK` writes what it
// shows, a JSON object a look, until its standard input ends.
import { chromium } from "playwright-core";

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
await page.exposeFunction("look", (glimpse) => process.stdout.write(JSON.stringify(glimpse) + "\n"));
await page.goto(process.argv[2]);
await page.locator("h1").waitFor({ state: "attached" });
await page.evaluate(() => {
  let longest = 0;
  let before = performance.now();
  const frame = (now) => {
    longest = Math.max(longest, now - before);
    before = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  setInterval(() => {
    const list = document.querySelector('[role="grid"]');
    const newest = list?.querySelector('[aria-rowindex="2"]')?.getAttribute("data-id") ?? "";
    const rows = Math.max(0, Number(list?.getAttribute("aria-rowcount") ?? 1) - 1);
    window.look({ at: Date.now(), newest, rows, frame: longest });
    longest = 0;
  }, 250);
});
process.stdin.resume();
await new Promise((ended) => process.stdin.once("end", ended));
await browser.close();
