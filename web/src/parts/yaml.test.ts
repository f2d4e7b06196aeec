import { expect, test } from "vitest";
import { tokens } from "./yaml";

const kinds = (line: string) => tokens(line).filter((t) => t.text.trim() !== "").map((t) => `${t.kind} ${t.text}`);

test("a policy's lines", () => {
  expect(kinds("mode: enforce # now")).toEqual(["key mode", "mark :", "word enforce", "comment # now"]);
  expect(kinds("  - {rule: secret.*, do: block}")).toEqual(["mark -", "mark {", "key rule", "mark :", "plain secret.*", "mark ,", "key do", "mark :", "word block", "mark }"]);
  expect(kinds(`why: "a # in it"`)).toEqual(["key why", "mark :", 'text "a # in it"']);
  expect(kinds("why: don't leave this machine # x")).toContain("comment # x");
});

test("no character is lost", () => {
  for (const line of ["", "a: b:c", "fact: [host=x:1, 'y']", '"open', "\t\u202e#", "why: credentials don't leave"]) {
    expect(tokens(line).map((t) => t.text).join("")).toBe(line);
  }
});
