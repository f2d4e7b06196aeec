// Text that people and models write has headings and code in it. It stays text: its
// characters are all shown; only how they look follows from what they seem to be.

export interface Segment {
  look: "text" | "code" | "fence" | "heading";
  start: number; // UTF-16 units
  end: number;
}

/** Cuts text into segments that are, one behind the other, the text. */
export function segments(text: string): Segment[] {
  const out: Segment[] = [];
  let at = 0;
  let fence = "";
  while (at < text.length) {
    const end = lineEnd(text, at);
    const line = text.slice(at, end);
    const mark = /^\s{0,3}(`{3,}|~{3,})/.exec(line)?.[1] ?? "";
    if (fence !== "") {
      add(out, "fence", at, end);
      if (mark.startsWith(fence) && line.trim() === mark) fence = "";
    } else if (mark !== "") {
      fence = mark;
      add(out, "fence", at, end, true);
    } else if (/^#{1,6} \S/.test(line)) {
      add(out, "heading", at, end);
    } else {
      codes(out, text, at, end);
    }
    at = end;
  }
  return out;
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end + 1;
}

function codes(out: Segment[], text: string, start: number, end: number) {
  let at = start;
  for (const found of text.slice(start, end).matchAll(/`[^`\n]+`/g)) {
    add(out, "text", at, start + found.index);
    add(out, "code", start + found.index, start + found.index + found[0].length, true);
    at = start + found.index + found[0].length;
  }
  add(out, "text", at, end);
}

/** fresh: it begins anew, also behind one that looks the same. */
function add(out: Segment[], look: Segment["look"], start: number, end: number, fresh = look === "heading") {
  if (start >= end) return;
  const last = out.at(-1);
  if (last && last.look === look && !fresh) last.end = end;
  else out.push({ look, start, end });
}
