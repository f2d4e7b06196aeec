import { expect, test } from "vitest";
import { runs, visible } from "./signs";

test("what would not be seen is shown", () => {
  const cases: [string, string][] = [
    ["plain\ttext\nmore\r\n", "plain\ttext\nmore\r\n"],
    ["\x1b[31mred", "␛[31mred"],
    ["a\rb", "a␍b"],
    ["\x00\x7f\x85", "␀␡⟨0085⟩"],
    ["ab\u202etxt.exe\u202c", "ab⟨202E⟩txt.exe⟨202C⟩"],
    ["pass\u200bword", "pass⟨200B⟩word"],
    ["\ufeffbegin", "⟨FEFF⟩begin"],
    ["\u{e0069}\u{e0067}", "⟨i⟩⟨g⟩"],
    ["half \ud83d here", "half ⟨D83D⟩ here"],
    ["line\u2028end", "line⟨2028⟩end"],
    ["x\ufe01\u{e0101}", "x⟨FE01⟩⟨E0101⟩"],
  ];
  for (const [text, want] of cases) expect(visible(text), JSON.stringify(text)).toBe(want);
});

test("letters of every language, and emoji, stand as they are", () => {
  for (const text of ["Grüße, 世界", "שלום عليكم", "नमस्ते", "👩‍💻 ❤️ 👍🏽 1️⃣ 🏳️‍🌈", "e\u0301"]) expect(visible(text)).toBe(text);
});

test("a joiner between letters is no emoji", () => {
  expect(visible("a\u200db")).toBe("a⟨200D⟩b");
  expect(visible("a\ufe0f")).toBe("a⟨FE0F⟩");
});

test("a sign says what it stands for", () => {
  expect(runs("\u202e")).toEqual([{ text: "⟨202E⟩", title: "U+202E right-to-left override" }]);
});

test("a long text is cut in a time that grows with its length", () => {
  const text = "👩\u200d".repeat(50_000);
  expect(runs(text).length).toBeGreaterThan(1);
});
