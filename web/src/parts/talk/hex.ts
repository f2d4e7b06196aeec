// Bytes as people look at them.

export interface HexLine {
  at: string;
  hex: string;
  text: string;
}

export function hexLines(bytes: Uint8Array, from: number, count: number): HexLine[] {
  const out: HexLine[] = [];
  for (let at = from; at < Math.min(bytes.length, from + count); at += 16) {
    const line = [...bytes.subarray(at, Math.min(at + 16, from + count))];
    out.push({
      at: at.toString(16).padStart(8, "0"),
      hex: line.map((b) => b.toString(16).padStart(2, "0")).join(" ").padEnd(47),
      text: line.map((b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : "·")).join(""),
    });
  }
  return out;
}

/** Where to cut bytes near at, so that no character of UTF-8 is cut. */
export function cutAt(bytes: Uint8Array, at: number): number {
  if (at >= bytes.length) return bytes.length;
  let cut = at;
  while (cut > 0 && at - cut < 4 && ((bytes[cut] ?? 0) & 0xc0) === 0x80) cut--;
  return ((bytes[cut] ?? 0) & 0xc0) === 0x80 ? at : cut;
}
