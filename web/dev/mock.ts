// npm run dev -- --mode mock: answers what a gateway at hand can't show, such as
// 100,000 rows. What stands in no line here is asked of the real one. Never in the
// product: nothing under src imports it.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Plugin } from "vite";
import { made } from "./rows.ts";

export type Answer = (url: URL, res: ServerResponse) => void;

/** Routes that answer with total rows, and then with flows that begin, pace each tenth
 * of a second. */
export function routes(total: number, pace: number): Record<string, Answer> {
  return {
    "/api/v1/rows": (url, res) => {
      const before = url.searchParams.get("before");
      const end = before ? Number.parseInt(before.slice(1), 10) : total;
      const limit = Number(url.searchParams.get("limit") ?? 200);
      const first = Math.max(0, end - limit);
      if (first > 0) res.setHeader("X-More", "1");
      json(res, Array.from({ length: end - first }, (_, i) => made(first + i, "done")));
    },
    "/api/v1/rows/count": (_, res) => json(res, { count: total }),
    "/api/v1/events": (_, res) => {
      res.setHeader("Content-Type", "text/event-stream");
      let n = total;
      let id = 0;
      const send = (event: string, data: unknown) => res.write(`id: m.${id++}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
      send("ready", {});
      const timer = setInterval(() => {
        const began = Array.from({ length: pace }, () => made(n++, "open"));
        const ended = began.map((_, i) => made(n - pace * 20 + i, "done"));
        if (pace > 0) send("flow", [...ended, ...began]);
      }, 100);
      res.on("close", () => clearInterval(timer));
    },
  };
}

function json(res: ServerResponse, body: unknown) {
  res.setHeader("Content-Type", "application/json");
  res.end(JSON.stringify(body));
}

export function mock(): Plugin {
  const answers = routes(Number(process.env["ROWS"] ?? 100_000), Number(process.env["PACE"] ?? 2));
  return {
    name: "gatehouse-mock",
    configureServer(server) {
      server.middlewares.use((req: IncomingMessage, res: ServerResponse, next: () => void) => {
        const url = new URL(req.url ?? "/", "http://mock");
        const answer = answers[url.pathname];
        return answer ? answer(url, res) : next();
      });
    },
  };
}
