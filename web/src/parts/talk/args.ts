// The arguments of a tool call, as JSON writes them, with the places of their text.
import type { Mark } from "../../api/conversation";

export interface Arg {
  name: string;
  text: string; // of a string what it says; of all else its JSON
  marks: Mark[]; // in text
}

/** Undefined: the text is no object of JSON, or not all of one. */
export function argsOf(raw: string, marks: Mark[] = []): Arg[] | undefined {
  try {
    const all = JSON.parse(raw) as unknown;
    if (typeof all !== "object" || all === null || Array.isArray(all)) return undefined;
  } catch {
    return undefined;
  }
  const out: Arg[] = [];
  let at = raw.indexOf("{") + 1;
  for (;;) {
    const key = token(raw, at);
    if (raw[key.start] !== '"') return out;
    const value = token(raw, raw.indexOf(":", key.end) + 1);
    out.push(argOf(JSON.parse(raw.slice(key.start, key.end)) as string, raw, value, marks));
    at = raw.indexOf(",", value.end) + 1;
    if (at === 0) return out;
  }
}

interface Span {
  start: number;
  end: number;
}

/** The value that begins behind at, in JSON that is known to be right. */
function token(raw: string, at: number): Span {
  let start = at;
  while (/\s/.test(raw[start] ?? "x")) start++;
  let depth = 0;
  for (let i = start; i < raw.length; i++) {
    const c = raw[i]!;
    if (c === '"') i = stringEnd(raw, i) - 1;
    else if (c === "{" || c === "[") depth++;
    else if (c === "}" || c === "]") depth--;
    if (depth < 0) return { start, end: i };
    if (depth === 0 && /[,:}\]\s]/.test(raw[i + 1] ?? ",")) return { start, end: i + 1 };
  }
  return { start, end: raw.length };
}

function stringEnd(raw: string, start: number): number {
  for (let i = start + 1; i < raw.length; i++) {
    if (raw[i] === "\\") i++;
    else if (raw[i] === '"') return i + 1;
  }
  return raw.length;
}

/** Marks that lie elsewhere are empty, so that each keeps its number. */
function argOf(name: string, raw: string, span: Span, marks: Mark[]): Arg {
  const json = raw.slice(span.start, span.end);
  const text = json[0] === '"' ? (JSON.parse(json) as string) : json;
  const place = json[0] === '"' ? places(raw, span) : (at: number) => Math.max(0, at - span.start);
  const moved = marks.map((m) => (m.start < span.end && m.end > span.start ? { ...m, start: place(m.start), end: place(m.end) } : { ...m, start: 0, end: 0 }));
  return { name, text, marks: moved };
}

/** Says where an offset of the JSON is in the text that a string of it says. */
function places(raw: string, span: Span): (at: number) => number {
  return (at) => {
    let n = 0;
    for (let i = span.start + 1; i < Math.min(at, span.end - 1); n++) i += raw[i] === "\\" ? (raw[i + 1] === "u" ? 6 : 2) : 1;
    return n;
  };
}

/** JSON with line ends and indents; anything else as it is. */
export function pretty(raw: string): string {
  if (raw.length > 262_144 || !/^\s*[[{]/.test(raw)) return raw;
  try {
    return JSON.stringify(JSON.parse(raw), null, 2);
  } catch {
    return raw;
  }
}

export interface Definition {
  name: string;
  description: string;
  schema: string; // JSON, of its arguments; "": none
  rest: string; // JSON, what else it says; "": nothing
  about?: string; // what is said of the namespace that it is the first tool of
}

type Json = Record<string, unknown>;

const isObject = (v: unknown): v is Json => typeof v === "object" && v !== null && !Array.isArray(v);

/** What a tool definition says, in the shapes of the providers; a namespace holds
 * several. All that it says is in one of them. */
export function definitions(raw: string, name = ""): Definition[] {
  try {
    const all = JSON.parse(raw) as unknown;
    if (!isObject(all)) return [definition(all, name)];
    const inner = ["function", "custom"].find((key) => isObject(all[key]));
    if (inner) return [definition(all[inner], name, without(all, [inner, ...(all["type"] === "function" ? ["type"] : [])]))];
    const tools = all["tools"];
    if (all["type"] === "namespace" && Array.isArray(tools) && tools.length > 0) return namespaced(tools, without(all, ["type", "tools"]));
    return [definition(all, name)];
  } catch {
    return [{ name, description: "", schema: raw, rest: "" }];
  }
}

function namespaced(tools: unknown[], space: Json): Definition[] {
  const [name, about] = [text(space["name"]), text(space["description"])];
  const beside = without(space, [...(name ? ["name"] : []), ...(about ? ["description"] : [])]);
  return tools.map((d, i) => {
    const one = definition(d, "", i === 0 ? beside : {});
    return { ...one, name: name ? `${name}.${one.name}` : one.name, ...(about && i === 0 ? { about } : {}) };
  });
}

/** beside: what is said around it. */
function definition(d: unknown, name: string, beside: Json = {}): Definition {
  if (!isObject(d)) return { name, description: "", schema: "", rest: more(d, beside) };
  const [own, description, type] = [text(d["name"]), text(d["description"]), text(d["type"])];
  const schema = ["input_schema", "parameters", "parametersJsonSchema"].find((key) => d[key] !== undefined);
  const told = [...(own ? ["name"] : []), ...(description ? ["description"] : []), ...(schema ? [schema] : []), ...(type === "function" ? ["type"] : [])];
  return { name: own || name || type, description, schema: schema ? json(d[schema]) : "", rest: more(without(d, told), beside) };
}

const without = (all: Json, keys: string[]): Json => Object.fromEntries(Object.entries(all).filter(([key]) => !keys.includes(key)));

function more(...said: unknown[]): string {
  return said
    .filter((v) => !isObject(v) || Object.keys(v).length > 0)
    .map(json)
    .join("\n");
}

const text = (v: unknown) => (typeof v === "string" ? v : "");
const json = (v: unknown) => JSON.stringify(v, null, 2);

/** The beginning of what a tool gave, without what agents write around it: Gemini CLI a
 * JSON object and a tag, Codex how the script went. */
export function gist(whole: string): string {
  const text = whole.slice(0, 2_048);
  const inner = /^\s*\{"(?:output|error)":\s*"((?:[^"\\]|\\.)*)/.exec(text)?.[1];
  const said = inner === undefined ? text : unquoted(inner);
  return said
    .replace(/^\s*<untrusted_context>\s*(Output: )?/, "")
    .replace(/^(?:(?:Script completed|Wall time|Chunk ID|Exit code: 0|Process exited with code 0|Original token count)[^\n]*\n)+(?:Output:\n)?\s*/, "")
    .slice(0, 400);
}

function unquoted(inner: string): string {
  try {
    return JSON.parse(`"${inner}"`) as string;
  } catch {
    return inner;
  }
}
