// A morning's work of some made-up agents, for pages that list it.
import { talk } from "./agent.ts";
import type { Gateway } from "./gateway.ts";

/** A value that the secret rules find, made up at each start: no scanner of the
 * sources sees one. */
export const secret = `ghp_${"Ab3dE5gH7jK9mN1pQ3rS5tU7vW9xY1z"}${Math.random().toString(36).slice(2, 7).padEnd(5, "0")}`;

export async function seed(g: Gateway) {
  const fix = talk(g, "5f3c8a1e-fix-the-login");
  for (const text of ["Look at the login form\n[think]\ncall: Read {\"file_path\":\"src/login.ts\"}", "run: npm test", "[words 40]", "run: git status\nrun: git diff"]) await fix.say(text);
  const docs = talk(g, "9b22c7d0-write-docs", "claude-opus-4-5");
  for (const text of ["Write the quarterly zeppelin report\n[words 120]", "say: The zeppelin lands at dawn", `Deploy with the token ${secret}\nsay: done`]) await docs.say(text);
  const odd = talk(g, "77aa01ff-odd", "claude-haiku-4-5");
  for (const text of ["hello", "[fail 529]", "[error 2]", "[cut 2]"]) await odd.say(text).catch(() => 0);
  await openAI(g, "gpt-5-codex", "Sort this list of ports");
}

async function openAI(g: Gateway, model: string, text: string) {
  const answer = await fetch(`${g.agents}/openai/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer made-up", "user-agent": "codex_cli_rs/0.50.0" },
    body: JSON.stringify({ model, input: [{ role: "user", content: [{ type: "input_text", text }] }], tools: [] }),
  });
  await answer.text();
}
