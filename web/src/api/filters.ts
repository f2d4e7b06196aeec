// What may be typed next in a filter. The language is docs/reference/filters.md's;
// whether a filter is right, only the server says.

export interface Field {
  name: string;
  kind: string;
  choices: string[];
  example: string;
}

export interface Choice {
  text: string; // what is put in
  says: string;
}

export interface Completion {
  from: number; // what is typed of it, in UTF-16 units
  to: number;
  choices: Choice[];
}

/** Names of which the values are known from what was recorded. */
export type Known = Partial<Record<string, readonly string[]>>;

/** The field whose value is being typed; "" is none. */
export function fieldAt(text: string, caret: number): string {
  return /^([a-z_]+)[:<>]/i.exec(termAt(text, caret).text)?.[1]?.toLowerCase() ?? "";
}

/** Completes what stands before the caret. Without a choice there is nothing to say. */
export function complete(text: string, caret: number, fields: Field[], known: Known = {}): Completion {
  const term = termAt(text, caret);
  const none = { from: caret, to: caret, choices: [] };
  if (term.text === "" || term.text.startsWith('"')) return none;
  const test = /^([a-z_]+)(:|[<>]=?)(.*)$/is.exec(term.text);
  if (!test) return { from: term.from, to: caret, choices: names(term.text.toLowerCase(), fields) };
  const [, name, operator, rest] = test as unknown as [string, string, string, string];
  const field = fields.find((f) => f.name === name.toLowerCase());
  if (!field || rest.includes('"')) return none;
  const typed = rest.slice(rest.lastIndexOf(",") + 1);
  const choices = values(field, operator, known[field.name] ?? [])
    .filter((c) => c.text.toLowerCase().startsWith(typed.toLowerCase()) && c.text !== typed)
    .slice(0, 12);
  return { from: caret - typed.length, to: caret, choices };
}

/** The text with a choice taken, and where the caret is then. */
export function taken(text: string, c: Completion, choice: Choice): { text: string; caret: number } {
  const end = /[:<>=]$/.test(choice.text) || text[c.to] === " " ? "" : " ";
  const put = choice.text + end;
  return { text: text.slice(0, c.from) + put + text.slice(c.to), caret: c.from + put.length };
}

/** The term that the caret stands behind, without what negates it. */
function termAt(text: string, caret: number): { from: number; text: string } {
  let from = 0;
  let quoted = false;
  for (let i = 0; i < caret; i++) {
    const c = text[i];
    if (c === "\\" && quoted) i++;
    else if (c === '"') quoted = !quoted;
    else if (!quoted && (c === " " || c === "(" || c === ")")) from = i + 1;
  }
  while (text[from] === "-") from++;
  return { from, text: text.slice(from, Math.max(from, caret)) };
}

const compared = new Set(["number", "dollars", "size", "duration"]);

function names(typed: string, fields: Field[]): Choice[] {
  return fields
    .filter((f) => f.name.startsWith(typed))
    .sort((a, b) => usual(a.name) - usual(b.name))
    .slice(0, 8)
    .map((f) => ({ text: f.name + (compared.has(f.kind) ? ">" : ":"), says: f.choices.length > 0 ? f.choices.slice(0, 5).join(", ") : f.example }));
}

const first = ["model", "agent", "verdict", "tool", "finding", "cost", "since", "session", "is", "state", "tokens", "duration"];

function usual(name: string): number {
  const place = first.indexOf(name);
  return place < 0 ? first.length : place;
}

const whens = [
  ["15m", "15 minutes ago"], ["1h", "an hour ago"], ["12h", "12 hours ago"], ["1d", "a day ago"], ["7d", "a week ago"], ["today", "since midnight"], ["yesterday", "since midnight before"],
] as const;

function values(f: Field, operator: string, known: readonly string[]): Choice[] {
  if (f.kind === "time") return whens.map(([text, says]) => ({ text, says }));
  if (f.kind === "status") return ["200", "4xx", "5xx", "429"].map((text) => ({ text, says: "" }));
  if (f.choices.length > 0) return f.choices.map((text) => ({ text, says: "" }));
  if (f.kind === "text") return [...known.map((k) => ({ text: safe(k), says: "" })), ...(operator === ":" ? [{ text: "unknown", says: "those that have none" }] : [])];
  const example = f.example.replace(/^[a-z_]+(:|[<>]=?)/, "");
  return example.includes("..") ? [] : [{ text: example, says: `such as ${f.example}` }];
}

/** A value as the language takes it. */
function safe(value: string): string {
  return /^[\w./@:-]+$/.test(value) ? value : `"${value.replace(/[\\"]/g, "\\$&")}"`;
}
