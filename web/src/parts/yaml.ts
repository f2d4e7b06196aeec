// YAML in colours: as much of it as a policy has. What it does not know is plain.

export interface Token {
  text: string;
  kind: "plain" | "comment" | "key" | "text" | "word" | "mark";
}

const rest = /(\s+)|([{}[\],]|-(?=\s|$))|("(?:[^"\\]|\\.)*"|'[^']*')|([^\s,[\]{}:#"'][^\s,[\]{}:]*(?::(?=\S)[^\s,[\]{}:]*)*)(\s*:(?=\s|$))?|(:)|(.)/g;
const words = /^(true|false|null|off|flag|redact|ask|block|observe|report|enforce|restore|keep|\d+(\.\d+)?)$/;

/** Cuts a line; joined, the tokens are the line. */
export function tokens(line: string): Token[] {
  const hash = commentAt(line);
  const out: Token[] = [];
  const add = (text: string | undefined, kind: Token["kind"]) => text && out.push({ text, kind });
  for (const m of line.slice(0, hash).matchAll(rest)) {
    const [, space, mark, quoted, plain, colon, lone, other] = m;
    add(space, "plain");
    add(mark ?? lone, "mark");
    add(quoted, "text");
    if (plain !== undefined) add(plain, colon !== undefined ? "key" : words.test(plain) ? "word" : "plain");
    add(colon, "mark");
    add(other, "plain");
  }
  add(line.slice(hash), "comment");
  return out;
}

/** Where a comment begins: at a # behind a space, outside of quotes. */
function commentAt(line: string): number {
  let quote = "";
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (quote) {
      if (c === "\\" && quote === '"') i++;
      else if (c === quote) quote = "";
    } else if ((c === '"' || c === "'") && /[\s,[{:]|^$/.test(line[i - 1] ?? "")) quote = c;
    else if (c === "#" && (i === 0 || /\s/.test(line[i - 1]!))) return i;
  }
  return line.length;
}
