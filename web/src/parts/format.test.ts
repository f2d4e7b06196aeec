import { expect, test } from "vitest";
import { age, bytes, ms, partial, short, shortID, usd } from "./format";

test("tokens are short", () => {
  const cases: [number, string][] = [[0, "0"], [999, "999"], [1_000, "1.0k"], [9_949, "9.9k"], [34_499, "34k"], [999_499, "999k"], [999_500, "1.0M"], [12_000_000, "12M"]];
  for (const [n, want] of cases) expect(short(n)).toBe(want);
});

test("an unknown price is never zero", () => {
  expect(usd(null)).toBe("unknown");
  expect(usd(0)).toBe("$0");
  expect(usd(0.00001)).toBe("<$0.0001");
  expect(usd(0.0042)).toBe("$0.0042");
  expect(usd(1234.5)).toBe("$1,234.50");
  expect(partial(1.5, true)).toBe("≥ $1.50");
  expect(partial(null, true)).toBe("unknown");
});

test("sizes and times", () => {
  expect(bytes(999)).toBe("999 B");
  expect(bytes(1_500)).toBe("1.5 kB");
  expect(bytes(20_971_520)).toBe("21 MB");
  expect(ms(null)).toBe("–");
  expect(ms(840)).toBe("840 ms");
  expect(ms(1_234)).toBe("1.23 s");
  expect(ms(59_960)).toBe("1 m 00 s");
  expect(ms(3_600_000)).toBe("1 h 00 m");
  expect(age(0, 90_000)).toBe("1 m ago");
  expect(shortID("f0k3m1x9a2b3c4d5e6f7g8h9")).toBe("f0k3m…f7g8h9");
});
