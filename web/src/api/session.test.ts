import { expect, test } from "vitest";
import { takeToken } from "./session";

test("a token leaves the address at once, and nothing else does", () => {
  const cases: [string, string, string, string | undefined, string | undefined][] = [
    ["/login", "", "#abc_DEF-1", "abc_DEF-1", "/login"],
    ["/login", "", "#token=abc", "abc", "/login"],
    ["/live", "?q=x", "#token=abc", "abc", "/live?q=x"],
    ["/live", "?q=x", "#page", undefined, undefined],
    ["/login", "", "", undefined, undefined],
  ];
  for (const [pathname, search, hash, want, left] of cases) {
    let address: string | undefined;
    const history = { state: null, replaceState: (_: unknown, __: string, url?: string | URL | null) => void (address = String(url)) };
    expect(takeToken({ pathname, search, hash }, history)).toBe(want);
    expect(address).toBe(left);
  }
});
