// A session as a coding agent makes it: a system prompt, tools, reminders, calls with
// their results, a sub-agent, a picture, a failing test, a key in a file, a call for a
// title, and a compaction. What the model does stands in texts that
// the agent adds, which the simulated provider reads as its script.
import type { Gateway } from "./gateway.ts";

type Block = Record<string, unknown>;
type Message = { role: "user" | "assistant"; content: string | Block[] };
/** What a tool gives for a call. */
export type Tools = (name: string, input: Record<string, string>) => { content: string | Block[]; failed?: boolean };

export interface Run {
  session: string;
  model?: string;
  system?: string;
  tools?: Block[];
  subagent?: string;
  parent?: string;
}

export class Agent {
  messages: Message[] = [];
  #results: Tools;

  constructor(readonly g: Gateway, readonly run: Run, results: Tools = () => ({ content: "done" })) {
    this.#results = results;
  }

  /** A person asks; the model calls tools until it answers. script is what it does. Gives the last status. */
  async ask(prompt: string | Block[], script: string[] = []): Promise<number> {
    const said = typeof prompt === "string" ? [{ type: "text", text: prompt }] : prompt;
    const added = script.length > 0 ? [{ type: "text", text: `Caveat: The messages below are the script of the simulated model.\n${script.join("\n")}` }] : [];
    this.messages.push({ role: "user", content: [...said, ...added] });
    for (;;) {
      const { status, content } = await this.call();
      if (!content) return status;
      this.messages.push({ role: "assistant", content });
      const calls = content.filter((c) => c["type"] === "tool_use");
      if (calls.length === 0) return status;
      const results = calls.map((c) => {
        const { content: text, failed } = this.#results(String(c["name"]), c["input"] as Record<string, string>);
        return { type: "tool_result", tool_use_id: c["id"], content: text, ...(failed ? { is_error: true } : {}) };
      });
      this.messages.push({ role: "user", content: results });
    }
  }

  async call(body: Block = {}): Promise<{ status: number; content?: Block[] }> {
    const { session, model = "claude-sonnet-4-5", system = "You are a test.", tools = [], subagent, parent } = this.run;
    const answer = await fetch(`${this.g.agents}/anthropic/v1/messages`, {
      method: "POST",
      headers: {
        "content-type": "application/json", "x-api-key": "made-up", "anthropic-version": "2023-06-01",
        "x-claude-code-session-id": session, "user-agent": "claude-cli/2.1.197 (external, cli)",
        ...(subagent ? { "x-claude-code-agent-id": subagent } : {}),
        ...(parent ? { "x-claude-code-parent-agent-id": parent } : {}),
      },
      body: JSON.stringify({ model, max_tokens: 8192, system: [{ type: "text", text: system, cache_control: { type: "ephemeral" } }], ...(tools.length > 0 ? { tools } : {}), messages: marked(this.messages), ...body }),
    });
    const got = (await answer.json()) as { content?: Block[] };
    return { status: answer.status, ...(got.content ? { content: got.content } : {}) };
  }
}

/** The last message asks for what is before it to be kept in the cache. */
function marked(messages: Message[]): Message[] {
  return messages.map((m, i) => {
    if (i < messages.length - 1 || typeof m.content === "string") return m;
    return { ...m, content: m.content.map((c, j) => (j === m.content.length - 1 ? { ...(c as Block), cache_control: { type: "ephemeral" } } : c)) as Block[] };
  });
}

const tool = (name: string, description: string, properties: Record<string, [string, string]>): Block => ({
  name,
  description,
  input_schema: {
    type: "object",
    properties: Object.fromEntries(Object.entries(properties).map(([k, [type, text]]) => [k, { type, description: text }])),
    required: [Object.keys(properties)[0]],
    additionalProperties: false,
  },
});

export const tools = [
  tool("Bash", "Executes a command in a shell and returns what it prints.\n\nUsage:\n- Quote paths that contain spaces.\n- A command may take up to 10 minutes.\n- Never use it to read files: use Read.", { command: ["string", "The command to execute"], description: ["string", "What it does, in 5 to 10 words"], timeout: ["number", "Milliseconds"] }),
  tool("Read", "Reads a file from the local file system. Images are shown.", { file_path: ["string", "The absolute path of the file"], offset: ["number", "The line to start from"], limit: ["number", "The number of lines"] }),
  tool("Edit", "Replaces an exact string in a file.", { file_path: ["string", "The absolute path of the file"], old_string: ["string", "The text to replace"], new_string: ["string", "The text to put in its place"] }),
  tool("Grep", "Searches the contents of files with a regular expression.", { pattern: ["string", "The regular expression"], path: ["string", "Where to search"], glob: ["string", "Which files"] }),
  tool("Task", "Starts another agent for a task of several steps. It answers once, with a report.", { prompt: ["string", "The task for the agent"], description: ["string", "The task in 3 to 5 words"], subagent_type: ["string", "The kind of agent"] }),
];

export const system = `You are a coding agent. You help a person with their software.

# Tone
Be short. Say what you did and what is left; don't praise.

# Doing tasks
- Read before you write. Follow the conventions of the code around.
- Run the tests after each change:

\`\`\`sh
npm test -- --run
\`\`\`

- Never commit unless you were asked to.

# Environment
Working directory: /home/ada/shop
Platform: linux
Branch: fix/login
`;

export const cart = `import { price } from "./price";

export interface Line {
  sku: string;
  quantity: number;
}

/** The sum of a cart, in cents. */
export function total(lines: Line[]): number {
  return lines.reduce((sum, line) => sum + price(line.sku), 0);
}
`;

// In two, so that nobody's scanner takes this file for a leak.
export const key = "ghp_" + "k3Zt9QwXr7LmN2vB8cYd5HfJ1sPaG4eU6Toi";

const failing = `
 FAIL  src/cart.test.ts > total > counts quantities
AssertionError: expected 1200 to be 3600

- Expected  3600
+ Received  1200

 Test Files  1 failed | 11 passed (12)
      Tests  1 failed | 86 passed (87)
   Duration  1.84s`;

const passing = `
 Test Files  12 passed (12)
      Tests  87 passed (87)
   Duration  1.79s`;

// 96 × 48: a bar chart.
export const picture = "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC";

/** Plays the session. Gives the key that stood in a file. */
export async function story(g: Gateway, session: string): Promise<void> {
  let runs = 0;
  const results: Tools = (name, input) => {
    if (name === "Read" && input["file_path"]?.endsWith(".env")) return { content: `     1\tDATABASE_URL=postgres://localhost/shop\n     2\tGITHUB_TOKEN=${key}\n     3\tPORT=8080\n` };
    if (name === "Read") return { content: cart.split("\n").map((l, i) => `${String(i + 1).padStart(6)}\t${l}`).join("\n") };
    if (name === "Bash" && input["command"]?.startsWith("npm test")) return runs++ === 0 ? { content: `Exit code 1\n${failing}`, failed: true } : { content: passing };
    if (name === "Grep") return { content: "src/checkout.ts:41:  const sum = total(cart.lines);\nsrc/mail.ts:12:  total(order.lines),\nsrc/cart.test.ts:9:    expect(total(lines)).toBe(3600);" };
    if (name === "Task") return { content: "Callers of total(): src/checkout.ts:41 and src/mail.ts:12. Both pass lines with quantities." };
    if (name === "Edit") return { content: `The file ${input["file_path"]} has been updated.` };
    return { content: "fix/login\nnothing to commit, working tree clean" };
  };
  const title = new Agent(g, { session, model: "claude-haiku-4-5", system: "Write a title of at most 6 words for this conversation." });
  await title.ask("Title: The test of the cart fails.", ["say: Mend the cart's failing test"]);

  const main = new Agent(g, { session, system, tools }, results);
  await main.ask(
    "The test of the cart fails. Find out why and mend it.",
    [
      "[think]", "run: npm test -- --run", 'call: Read {"file_path":"/home/ada/shop/src/cart.ts"}',
      'call: Edit {"file_path":"/home/ada/shop/src/cart.ts","old_string":"sum + price(line.sku)","new_string":"sum + line.quantity * price(line.sku)"}', "run: npm test -- --run",
      "say: `total` added each line's price once, whatever its quantity. It multiplies now:",
      "say: ", "say: ```ts", "say: return lines.reduce((sum, line) => sum + line.quantity * price(line.sku), 0);", "say: ```", "say: ", "say: All 87 tests pass. Nothing is committed.",
    ],
  );
  const task = "Find every caller of total() in /home/ada/shop/src and say whether it passes lines with quantities.";
  const ask = main.ask("Who else calls total()? Check that they still do what they should.", [
    "[parallel]", `call: Task {"description":"Find callers of total","prompt":${JSON.stringify(task)},"subagent_type":"explore"}`, 'call: Read {"file_path":"/home/ada/shop/.env"}',
    "say: Two callers, checkout and mail; both pass quantities, so their sums were too small before and are right now.",
  ]);
  await ask;
  const sub = new Agent(g, { session, subagent: "a7f3c1d2", system: "You explore code and report. You change nothing.", tools: tools.slice(0, 4) }, results);
  await sub.ask(task, ['call: Grep {"pattern":"total\\\\(","path":"src"}', "say: Callers of total(): src/checkout.ts:41 and src/mail.ts:12. Both pass lines with quantities."]);
  await main.ask(
    [{ type: "text", text: "This is what the shop shows. Is the sum right?" }, { type: "image", source: { type: "base64", media_type: "image/png", data: picture } }],
    ["[think]", "say: Yes: 3 × $12.00 is $36.00, and that is what it shows."],
  );
  const short = new Agent(g, { session, system, tools }, results);
  await short.ask("This session is being continued from a previous conversation that ran out of context. Summary: the cart's total ignored quantities; src/cart.ts is mended, all tests pass, nothing is committed.\n\nPlease continue.", ["run: git status", "say: The tree is clean but for src/cart.ts. Shall I commit it?"]);
}

/** A session of so many turns whose last body has about so many bytes. */
export async function long(g: Gateway, session: string, turns: number, bytes: number): Promise<void> {
  const each = Math.max(200, Math.floor(bytes / turns));
  let n = 0;
  const agent = new Agent(g, { session, system, tools }, (_, input) => ({ content: `${input["command"] ?? ""}\n`.padEnd(each, `line ${n++} of what the command printed, with words enough to read\n`) }));
  const perRound = 8;
  for (let done = 0; done < turns; done += perRound) {
    const calls = Math.min(perRound, turns - done) - 1;
    await agent.ask(`Step ${done / perRound + 1}: go on.`, [...Array.from({ length: calls }, (_, i) => `run: make step-${done + i}`), `say: Step ${done / perRound + 1} is done.`]);
  }
}
