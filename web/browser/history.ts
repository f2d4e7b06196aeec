// Work of the days before, as a recording that `gatehouse import` reads.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { binary, type Gateway } from "./gateway.ts";

const json = [{ name: "content-type", value: "application/json" }];

interface Made {
  url: string;
  headers: { name: string; value: string }[];
  asked: unknown;
  answered: unknown;
}

const header = (all: Record<string, string>) => [...json, ...Object.entries(all).map(([name, value]) => ({ name, value }))];

function claude(session: string, model: string, n: number): Made {
  return {
    url: "https://api.anthropic.com/v1/messages",
    headers: header({ "x-api-key": "made-up", "anthropic-version": "2023-06-01", "x-claude-code-session-id": session, "user-agent": "claude-cli/2.1.197 (external, cli)" }),
    asked: { model, max_tokens: 8192, messages: [{ role: "user", content: `Go on with ${session}` }] },
    answered: {
      id: `msg_${session}${n}`, type: "message", role: "assistant", model, stop_reason: "end_turn", content: [{ type: "text", text: "Done." }],
      usage: { input_tokens: 900 + 37 * n, cache_read_input_tokens: 41_000 + 900 * n, cache_creation_input_tokens: 3_100, output_tokens: 700 + 29 * n },
    },
  };
}

function codex(session: string, n: number): Made {
  return {
    url: "https://api.openai.com/v1/responses",
    headers: header({ authorization: "Bearer made-up", "user-agent": "codex_cli_rs/0.50.0", originator: "codex_cli_rs", session_id: session }),
    asked: { model: "gpt-5", input: [{ role: "user", content: [{ type: "input_text", text: `Go on with ${session}` }] }] },
    answered: {
      id: `resp_${session}${n}`, object: "response", status: "completed", model: "gpt-5", output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "Done." }] }],
      usage: { input_tokens: 38_000 + 700 * n, input_tokens_details: { cached_tokens: 30_000 }, output_tokens: 1_900 + 20 * n, output_tokens_details: { reasoning_tokens: 900 } },
    },
  };
}

function gemini(n: number): Made {
  return {
    url: "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:generateContent",
    headers: header({ "x-goog-api-key": "made-up", "user-agent": "GeminiCLI/0.20.0/gemini-2.5-pro (linux; x64)" }),
    asked: { contents: [{ role: "user", parts: [{ text: `Explain module ${n}` }] }] },
    answered: { modelVersion: "gemini-2.5-pro", candidates: [{ content: { role: "model", parts: [{ text: "It does." }] }, finishReason: "STOP" }], usageMetadata: { promptTokenCount: 52_000, candidatesTokenCount: 2_100, totalTokenCount: 54_100 } },
  };
}

/** Imports some days of work of three agents. The amounts follow a plan, not chance: pictures stay alike. */
export function history(g: Gateway, days = 28) {
  const entries: { startedDateTime: string; [key: string]: unknown }[] = [];
  for (let ago = days; ago > 0; ago--) {
    const day = new Date(Date.now() - ago * 86_400_000);
    const quiet = day.getUTCDay() % 6 === 0;
    const add = (many: number, hour: number, made: (n: number) => Made) => {
      for (let n = 0; n < (quiet ? many / 5 : many); n++) entries.push(entry(new Date(day).setUTCHours(hour, n * 3, 7), made(n)));
    };
    add(14 + ((ago * 7) % 9), 8, (n) => claude(`checkout-${ago}`, "claude-sonnet-4-5", n));
    add(3 + ((ago * 5) % 7), 10, (n) => claude(`review-${ago}`, "claude-opus-4-5", n));
    add(6 + ((ago * 3) % 8), 13, (n) => codex(`ports-${ago}`, n));
    add((ago * 2) % 6, 15, gemini);
  }
  const file = join(g.data, "history.har");
  writeFileSync(file, JSON.stringify({ log: { version: "1.2", entries: entries.sort((a, b) => (a.startedDateTime < b.startedDateTime ? -1 : 1)) } }));
  const done = spawnSync(binary, ["import", file, "--data", g.data], { encoding: "utf8" });
  if (done.status !== 0) throw new Error(done.stderr);
}

function entry(at: number, { url, headers, asked, answered }: Made) {
  return {
    startedDateTime: new Date(at).toISOString(), time: 4_200, timings: { send: 1, wait: 900, receive: 3_299 },
    request: { method: "POST", url, httpVersion: "HTTP/1.1", headers, postData: { mimeType: "application/json", text: JSON.stringify(asked) } },
    response: { status: 200, httpVersion: "HTTP/1.1", headers: json, content: { mimeType: "application/json", text: JSON.stringify(answered) } },
  };
}
