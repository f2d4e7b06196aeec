// Answers that come line by line.
import { call, parseProblem, type Init, type Params } from "./client";

/** Cuts a stream of bytes into lines, wherever its chunks end. */
export async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += decoder.decode(value, { stream: !done });
      const lines = rest.split("\n");
      rest = done ? "" : (lines.pop() ?? "");
      for (const line of lines) yield line.endsWith("\r") ? line.slice(0, -1) : line;
      if (done) return;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Reads JSON lines. An answer that broke off ends with an error line: it is
 * thrown as a Problem, after what came before it. */
export async function* stream<T>(path: string, params?: Params, init?: Init): AsyncGenerator<T> {
  const answer = await call(path, params, init);
  if (!answer.body) return;
  for await (const line of linesOf(answer.body)) {
    if (line === "") continue;
    const problem = line.startsWith('{"error":') ? parseProblem(answer.status, line) : undefined;
    if (problem) throw problem;
    yield JSON.parse(line) as T;
  }
}

/** All of a route's lines. */
export async function list<T>(path: string, params?: Params, signal?: AbortSignal): Promise<T[]> {
  const all: T[] = [];
  for await (const item of stream<T>(path, params, signal ? { signal } : {})) all.push(item);
  return all;
}
