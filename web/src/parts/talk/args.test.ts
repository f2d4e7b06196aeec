import { expect, test } from "vitest";
import type { Mark } from "../../api/conversation";
import { argsOf, definitions, gist } from "./args";

const mark = (start: number, end: number): Mark => ({ start, end, rule: "r", shown: "text", from: 0, to: 0 });

test("arguments are told, and marks go with them", () => {
  const raw = '{ "command" : "echo \\"\\u00fc\\" rm -rf /", "n": {"a": [1, "}"]}, "b":true }';
  const at = raw.indexOf("rm");
  const got = argsOf(raw, [mark(at, at + 8)])!;
  expect(got.map((a) => [a.name, a.text])).toEqual([["command", 'echo "ü" rm -rf /'], ["n", '{"a": [1, "}"]}'], ["b", "true"]]);
  const [m] = got[0]!.marks;
  expect(got[0]!.text.slice(m!.start, m!.end)).toBe("rm -rf /");
  expect(got[1]!.marks.map((m) => m.end - m.start)).toEqual([0]); // elsewhere
});

test("what is no object is left alone", () => {
  for (const raw of ["", "x", "[1]", '{"cut": "of', "null", "3"]) expect(argsOf(raw), raw).toBeUndefined();
  expect(argsOf("{}")).toEqual([]);
  expect(argsOf('{"a":1}')).toEqual([{ name: "a", text: "1", marks: [] }]);
  expect(argsOf('{"":""}')).toEqual([{ name: "", text: "", marks: [] }]);
});

test("definitions of every provider are read", () => {
  const names = (raw: string) => definitions(raw, "x").map((d) => `${d.name}|${d.description}|${d.schema !== ""}|${d.rest.replaceAll(/\s/g, "")}`);
  expect(names('{"name":"Bash","description":"d","input_schema":{}}')).toEqual(["Bash|d|true|"]);
  expect(names('{"type":"function","function":{"name":"f","parameters":{}}}')).toEqual(["f||true|"]);
  expect(names('{"type":"function","name":"f","parameters":{}}')).toEqual(["f||true|"]);
  expect(names('{"type":"web_search"}')).toEqual(['x||false|{"type":"web_search"}']);
  expect(names('{"type":"custom","custom":{"name":"c","format":{}}}')).toEqual(['c||false|{"format":{}}{"type":"custom"}']);
  expect(names('{"type":"web_search_20250305","name":"web_search","max_uses":8}')).toEqual(['web_search||false|{"type":"web_search_20250305","max_uses":8}']);
  const space = '{"type":"namespace","name":"functions","description":"All of it","tools":[{"type":"custom","name":"exec","description":"d","format":{"type":"text"}},{"type":"function","name":"wait","parameters":{}}]}';
  expect(names(space)).toEqual(['functions.exec|d|false|{"type":"custom","format":{"type":"text"}}', "functions.wait||true|"]);
  expect(definitions(space).map((d) => d.about)).toEqual(["All of it", undefined]);
  expect(names('{"cut')).toEqual(["x||true|"]);
});

test("nothing that a definition says is left out", () => {
  const deep = "[".repeat(50_000) + "]".repeat(50_000);
  for (const raw of [
    '"said"', "[0,\"said\"]", "null", '{"said":null}', '{"type":"function","function":{"name":"f"},"said":1}', '{"type":"said","function":{"name":"f"}}', '{"type":"function","function":{"name":"f"},"tools":"said"}',
    '{"function":"said"}', '{"function":{"name":"f","said":1},"cache_control":{}}', '{"name":["said"]}', '{"description":{"said":1}}', '{"type":["said"]}', '{"name":"a","input_schema":null,"parameters":"said"}',
    '{"type":"namespace","name":"said","tools":[]}', '{"type":"namespace","description":"said","tools":[]}', '{"type":"namespace","tools":"said"}', '{"type":"namespace","tools":[null,"said"]}',
    '{"type":"namespace","name":["said"],"tools":[{"name":"f"}]}', '{"type":"namespace","said":1,"tools":[{"name":"f","x":1}]}', '{"tools":[{"name":"said"}]}', `{"name":"said","input_schema":${deep}}`, '{"__proto__":{"said":1}}',
  ]) {
    const told = definitions(raw, "n");
    expect(told.length, raw.slice(0, 80)).toBeGreaterThan(0);
    expect(JSON.stringify(told), raw.slice(0, 80)).toContain(raw === "null" ? "null" : "said");
  }
});

test("what a tool gave, without what its agent wrote around it", () => {
  expect(gist('{"output":"<untrusted_context>\\nOutput: main.go\\npic.png\\nProcess Group PGID: 7"}')).toBe("main.go\npic.png\nProcess Group PGID: 7");
  expect(gist('{"output":"package main\\n\\tx\\"y')).toBe('package main\n\tx"y');
  expect(gist("Script completed\nWall time 0.1 seconds\nOutput:\n\nA=1\nB=2")).toBe("A=1\nB=2");
  expect(gist("Exit code 1\nno such file")).toBe("Exit code 1\nno such file");
  expect(gist('{"a":{"output":"x"}}')).toBe('{"a":{"output":"x"}}');
  expect(gist("")).toBe("");
});
