// Captured text is hostile: characters that would not be seen, or would change
// how others look, become signs.

export interface Run {
  text: string;
  title?: string; // absent: text stands as it is
}

/** Cuts text into runs. Joined by their own text, or by what a sign stands for,
 * the runs are the text: nothing is left out. */
export function runs(text: string): Run[] {
  if (ordinary.test(text)) return text === "" ? [] : [{ text }];
  const out: Run[] = [];
  let from = 0;
  for (const found of text.matchAll(odd)) {
    const at = found.index;
    if (plain(text, at, found[0])) continue;
    if (at > from) out.push({ text: text.slice(from, at) });
    out.push(signOf(found[0]));
    from = at + found[0].length;
  }
  if (from < text.length) out.push({ text: text.slice(from) });
  return out;
}

const ordinary = /^[\x20-\x7e]*$/; // most of what a list shows: a list asks a thousand times in a second

// Controls (but tab and line feed), format characters (bidi, zero width, tags),
// line and paragraph separators, lone surrogates, fillers that are drawn as
// nothing, variation selectors.
const odd = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/gu;

function plain(text: string, at: number, c: string): boolean {
  if (c === "\n" || c === "\t") return true;
  if (c === "\r") return text[at + 1] === "\n";
  // Emoji are joined and selected by characters that hide things elsewhere.
  if (c === "\u200d") return pictured.test(text.slice(Math.max(0, at - 6), at)) && /^\p{Extended_Pictographic}/u.test(text.slice(at + 1, at + 3));
  if (c === "\ufe0f") return /[\p{Extended_Pictographic}\p{Emoji_Component}]$/u.test(text.slice(Math.max(0, at - 2), at));
  return false;
}

const pictured = /\p{Extended_Pictographic}[\u{1f3fb}-\u{1f3ff}\ufe0f]{0,2}$/u;

const names: Record<number, string> = {
  0x07: "bell", 0x08: "backspace", 0x0b: "vertical tab", 0x0c: "form feed", 0x0d: "carriage return", 0x1b: "escape", 0x7f: "delete",
  0x85: "next line", 0xad: "soft hyphen", 0x061c: "Arabic letter mark", 0x180e: "Mongolian vowel separator",
  0x200b: "zero width space", 0x200c: "zero width non-joiner", 0x200d: "zero width joiner", 0x200e: "left-to-right mark", 0x200f: "right-to-left mark",
  0x2028: "line separator", 0x2029: "paragraph separator",
  0x202a: "left-to-right embedding", 0x202b: "right-to-left embedding", 0x202c: "pop directional formatting", 0x202d: "left-to-right override", 0x202e: "right-to-left override",
  0x2060: "word joiner", 0x2061: "function application", 0x2062: "invisible times", 0x2063: "invisible separator", 0x2064: "invisible plus",
  0x2066: "left-to-right isolate", 0x2067: "right-to-left isolate", 0x2068: "first strong isolate", 0x2069: "pop directional isolate",
  0x3164: "Hangul filler", 0xfeff: "zero width no-break space",
};

function signOf(c: string): Run {
  const code = c.codePointAt(0) ?? 0;
  const hex = code.toString(16).toUpperCase().padStart(4, "0");
  if (code < 0x20) return { text: String.fromCodePoint(0x2400 + code), title: titleOf(hex, names[code] ?? "control character") };
  if (code === 0x7f) return { text: "␡", title: titleOf(hex, "delete") };
  if (code >= 0xe0020 && code < 0xe007f) {
    const hidden = String.fromCodePoint(code - 0xe0000);
    return { text: `⟨${hidden}⟩`, title: titleOf(hex, `tag character: a hidden “${hidden}”`) };
  }
  return { text: `⟨${hex}⟩`, title: titleOf(hex, names[code] ?? kindOf(code)) };
}

function titleOf(hex: string, name: string): string {
  return `U+${hex} ${name}`;
}

function kindOf(code: number): string {
  if (code >= 0xd800 && code <= 0xdfff) return "half of a surrogate pair";
  if ((code >= 0xfe00 && code <= 0xfe0f) || (code >= 0xe0100 && code <= 0xe01ef)) return "variation selector";
  return code < 0xa0 ? "control character" : "invisible character";
}

/** The text with signs in it, for titles and labels. */
export function visible(text: string): string {
  return runs(text).map((r) => r.text).join("");
}
