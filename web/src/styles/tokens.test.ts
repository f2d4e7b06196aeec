// Every text colour can be read on every ground, and every colour of a chart can be
// seen on its panel, in both themes (WCAG 2.2, 1.4.3 and 1.4.11).
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const css = readFileSync(new URL("tokens.css", import.meta.url), "utf8");
const tokens = new Map([...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(([, name, light, dark]) => [name!, [light!, dark!]] as const));

const texts = ["ink", "muted", "accent", "pass", "block", "ask", "redact", "info", "sign"];
const grounds = ["ground", "panel", "raised"];

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

for (const [i, theme] of ["light", "dark"].entries()) {
  const of = (name: string) => tokens.get(name)![i]!;
  test(`text can be read in ${theme}`, () => {
    for (const t of texts) for (const g of grounds) expect(contrast(of(t), of(g)), `${t} on ${g}`).toBeGreaterThanOrEqual(4.5);
    expect(contrast(of("on-accent"), of("accent"))).toBeGreaterThanOrEqual(4.5);
  });
  test(`charts can be seen in ${theme}`, () => {
    const series = [...tokens.keys()].filter((n) => n.startsWith("series-"));
    expect(series).toHaveLength(7);
    for (const s of series) expect(contrast(of(s), of("panel")), s).toBeGreaterThanOrEqual(3);
  });
}
