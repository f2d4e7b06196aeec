// A gateway's console with more rows than a test has time to make: the real page and
// the real routes, but for the rows, which dev/mock.ts makes up.
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { routes } from "../dev/mock.ts";
import type { Gateway } from "./gateway.ts";

export interface Many {
  console: string;
  link(): Promise<string>;
  end(): Promise<void>;
}

/** pace is in flows each tenth of a second. */
export async function many(g: Gateway, total: number, pace: number): Promise<Many> {
  const answers = routes(total, pace);
  const server = createServer((req, res) => {
    const url = new URL(req.url ?? "/", g.console);
    const answer = answers[url.pathname];
    if (answer) answer(url, res);
    else forward(g, req, res);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const console = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    console,
    link: async () => (await g.link()).replace(g.console, console),
    end: () => new Promise((done) => (server.close(() => done()), server.closeAllConnections())),
  };
}

function forward(g: Gateway, req: IncomingMessage, res: ServerResponse) {
  const headers = { ...req.headers, host: new URL(g.console).host };
  if (headers.origin) headers.origin = g.console;
  const out = request(g.console + (req.url ?? "/"), { method: req.method, headers }, (answer) => {
    res.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(res);
  });
  out.on("error", () => res.destroy());
  req.pipe(out);
}
