// Made-up rows, the same for the same number.
import type { Row, State, Verdict } from "../src/api/types.ts";

const agents = ["claude", "codex", "gemini", "opencode"];
const models = ["claude-sonnet-4-5", "gpt-5-codex", "gemini-2.5-pro", "claude-opus-4-5", "claude-haiku-4-5"];
const tools = [["Bash"], ["Read", "Grep"], ["Edit"], ["shell"], ["WebFetch"], []];
const people = ["ann", "bob", "ci"];

/** The nth row of many. */
export function made(n: number, state: State): Row {
  const chance = hash(n);
  const of = <T>(list: readonly T[], shift: number) => list[(chance >>> shift) % list.length]!;
  const verdict: Verdict = chance % 97 === 0 ? "block" : chance % 53 === 0 ? "redact" : "pass";
  const open = state === "open";
  return {
    id: `f${String(n).padStart(22, "0")}`,
    started: new Date(1_760_000_000_000 + n * 1_700).toISOString(),
    state: verdict === "block" ? "refused" : open ? "open" : chance % 61 === 0 ? "aborted" : "done",
    status: open ? 0 : verdict === "block" ? 403 : 200,
    verdict,
    ...(chance % 41 === 0 && verdict === "pass" ? { would: "block" as const } : {}),
    session: `5f3c-${(n / 40) | 0}`,
    turn: n % 40,
    ...(chance % 29 === 0 ? { subagent: "explore" } : {}),
    agent: of(agents, 3),
    principal: of(people, 5),
    entrance: chance % 3 === 0 ? "intercept" : "redirect",
    provider: "anthropic",
    api: "messages",
    model: of(models, 7),
    method: "POST",
    path: "/v1/messages",
    tools: open ? [] : of(tools, 9),
    ...(verdict === "pass" ? {} : { rules: ["secret.github-token"], severity: "high", why: "secret.github-token in a tool's result" }),
    input: open ? 0 : chance % 900,
    output: open ? 0 : (chance >>> 4) % 3_000,
    cache_read: open ? 0 : (n % 40) * 2_500,
    cache_write: open ? 0 : (chance >>> 6) % 4_000,
    cost_usd: open || chance % 37 === 0 ? null : (chance % 4_000) / 10_000,
    first_byte_ms: open ? null : 200 + (chance % 2_500),
    duration_ms: open ? null : 900 + (chance % 42_000),
    request_bytes: 8_000 + (n % 40) * 6_100,
    response_bytes: open ? 0 : (chance >>> 3) % 60_000,
  };
}

function hash(n: number): number {
  let h = Math.imul(n + 1, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 0;
}
