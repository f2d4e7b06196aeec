import { expect, test } from "vitest";
import { linesOf } from "./lines";
import { Events } from "./sse";

test("an id counts when its message is whole", () => {
  const events = new Events();
  events.push("id: 1\ndata: x\n\nid: 2\ndata: y\n");
  expect(events.last).toBe("1");
  expect(events.push("\nid: 3\n\n")).toEqual([{ event: "message", data: "y", id: "2" }]);
  expect(events.last).toBe("3");
});

const text = ': hello\r\nid: 7\nevent: flow\ndata: [1,\ndata: 2]\r\n\r\ndata:x\n\nevent: reset\ndata\nid: 8\n\nevent: lost';

test("the same messages, wherever the chunks end", () => {
  const want = [
    { event: "flow", data: "[1,\n2]", id: "7" },
    { event: "message", data: "x", id: "7" },
    { event: "reset", data: "", id: "8" },
  ];
  for (let at = 0; at <= text.length; at++) {
    const events = new Events();
    expect([...events.push(text.slice(0, at)), ...events.push(text.slice(at))], `cut at ${at}`).toEqual(want);
  }
});

test("lines of bytes, wherever the chunks end", async () => {
  const bytes = new TextEncoder().encode('{"a":"ü"}\r\n\n{"b":"👍"}');
  for (let at = 0; at <= bytes.length; at++) {
    const body = new ReadableStream<Uint8Array>({
      start(c) {
        c.enqueue(bytes.slice(0, at));
        c.enqueue(bytes.slice(at));
        c.close();
      },
    });
    const got: string[] = [];
    for await (const line of linesOf(body)) got.push(line);
    expect(got, `cut at ${at}`).toEqual(['{"a":"ü"}', "", '{"b":"👍"}']);
  }
});
