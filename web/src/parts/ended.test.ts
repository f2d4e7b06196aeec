import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ended } from "./ended";

type Case = Parameters<typeof ended>[0] & { is: string };
const cases = JSON.parse(readFileSync(new URL("../../../internal/flow/testdata/ends.json", import.meta.url), "utf8")) as Case[];

test("page and gateway say the same of how a flow ended", () => {
  for (const { is, ...flow } of cases) expect(ended(flow).text, JSON.stringify(flow)).toBe(is);
});
