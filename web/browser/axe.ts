import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  id: string;
  help: string;
  nodes: { html: string; failureSummary?: string }[];
}

/** What axe finds on the page: WCAG 2.2 A and AA. Of a page that is still drawn anew while
 * axe goes over it, elements that are gone read as empty: what is wrong is so twice. */
export async function axe(page: Page): Promise<string[]> {
  return (await look(page)).length === 0 ? [] : look(page);
}

async function look(page: Page): Promise<string[]> {
  await page.evaluate(source); // not a script of the page: its policy stays as it is
  const found = await page.evaluate(async () => {
    const run = (window as unknown as { axe: { run(o: unknown): Promise<{ violations: Violation[] }> } }).axe.run;
    return (await run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })).violations;
  });
  return found.flatMap((v) => v.nodes.map((n) => `${v.id}: ${v.help}\n  ${n.html.slice(0, 200)}\n  ${n.failureSummary ?? ""}`));
}
