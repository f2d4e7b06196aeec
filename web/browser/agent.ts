// A made-up agent that talks to the gateway as Claude Code does. What the person
// says is the script of the simulated provider: `gatehouse simulate -h` lists its lines.
import type { Gateway } from "./gateway.ts";

export interface Talk {
  session: string;
  messages: unknown[];
  /** One call: the person says text, the model answers. Gives the answer's status. */
  say(text: string): Promise<number>;
}

const tools = ["Bash", "Read", "Write"].map((name) => ({ name, description: `${name} of the test`, input_schema: { type: "object" } }));

export function talk(g: Gateway, session: string, model = "claude-sonnet-4-5"): Talk {
  const t: Talk = {
    session,
    messages: [],
    async say(text) {
      t.messages.push({ role: "user", content: text });
      const answer = await fetch(`${g.agents}/anthropic/v1/messages`, {
        method: "POST",
        headers: {
          "content-type": "application/json", "x-api-key": "made-up", "anthropic-version": "2023-06-01",
          "x-claude-code-session-id": session, "user-agent": "claude-cli/2.1.197 (external, cli)",
        },
        body: JSON.stringify({ model, max_tokens: 1024, system: "You are a test.", tools, messages: t.messages }),
      });
      const body = (await answer.json()) as { content?: { type: string; id?: string }[] };
      if (body.content) {
        t.messages.push({ role: "assistant", content: body.content });
        const calls = body.content.filter((c) => c.type === "tool_use");
        if (calls.length > 0) t.messages.push({ role: "user", content: calls.map((c) => ({ type: "tool_result", tool_use_id: c.id, content: "done" })) });
      }
      return answer.status;
    },
  };
  return t;
}
