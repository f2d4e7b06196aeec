// The real binary before a simulated provider, in a data folder of its own.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const binary = resolve(process.env["GATEHOUSE"] ?? "../bin/gatehouse");

export interface Gateway {
  agents: string; // where agents call, with http://
  console: string; // the page's origin
  data: string;
  /** Calls the admin API with the folder's token. */
  admin(method: string, path: string, body?: unknown): Promise<Response>;
  link(): Promise<string>; // to the page; works once
  printed: string; // the link that the last start printed
  stop(): Promise<void>;
  start(): Promise<void>; // again, at the same addresses
  remove(): Promise<void>; // for good
}

/** Starts a gateway. policy is the text of its policy.yaml; without one it only reports.
 * provider answers in the simulated one's place. */
export async function gateway(policy?: string, provider?: string): Promise<Gateway> {
  const data = mkdtempSync(join(tmpdir(), "gatehouse-web-"));
  if (policy) writeFileSync(join(data, "policy.yaml"), policy);
  const simulate = provider === undefined ? run(["simulate", "--listen", "127.0.0.1:0", "--pace", "1ms"]) : undefined;
  const upstream = provider ?? (await simulate!.says(/listens on (\S+)/))[1]!;
  const config = join(data, "test.yaml");
  let listen = "127.0.0.1:0";
  let page = "127.0.0.1:0";
  let child: Child;
  const g: Gateway = {
    agents: "", console: "", data, printed: "",
    async start() {
      const upstreams = ["anthropic", "openai", "gemini"].map((n) => `  ${n}: {url: ${upstream}}\n`).join("");
      writeFileSync(config, `listen: ${listen}\nconsole: ${page}\nintercept: {listen: off}\nidentity: {anonymous: tester}\nupstreams:\n${upstreams}`);
      child = run(["up", "--config", config, "--data", data]);
      const [, a, c] = await child.says(/listens on http:\/\/([^,\s]+), console http:\/\/([^,\s]+)/);
      [listen, page] = [a!, c!];
      [g.agents, g.console] = [`http://${listen}`, `http://${page}`];
      g.printed = (await child.says(/(http:\S+\/login#\S+)\s/))[1]!;
    },
    stop: () => child.end(),
    async remove() {
      await Promise.all([child.end(), simulate?.end()]);
      rmSync(data, { recursive: true, force: true });
    },
    admin: (method, path, body) =>
      fetch(`${g.console}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${readFileSync(join(data, "console.token"), "utf8").trim()}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    async link() {
      const answer = await g.admin("POST", "/links");
      return ((await answer.json()) as { link: string }).link;
    },
  };
  await g.start();
  return g;
}

interface Child {
  says(what: RegExp): Promise<RegExpExecArray>;
  end(): Promise<void>;
}

function run(args: string[]): Child {
  const child: ChildProcess = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const hear = (chunk: Buffer) => (said += chunk);
  child.stdout?.on("data", hear);
  child.stderr?.on("data", hear);
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  return {
    says: (what) =>
      new Promise((found, lost) => {
        const look = () => {
          const match = what.exec(said);
          if (match) found(match);
        };
        child.stdout?.on("data", look);
        child.stderr?.on("data", look);
        child.once("exit", () => lost(new Error(`gatehouse ${args[0]} ended: ${said}`)));
        look();
      }),
    end() {
      child.kill("SIGTERM");
      return ended;
    },
  };
}
