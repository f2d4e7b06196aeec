import { expect, test } from "vitest";
import { masks } from "./masked";

test("one person is one mask, in the alphabet's order, with the program", () => {
  const got = masks(["bob/claude", "ann/codex", "bob/codex", "key:ci"]);
  expect([...got.values()]).toEqual(["person 2/claude", "person 1/codex", "person 2/codex", "person 3"]);
});
