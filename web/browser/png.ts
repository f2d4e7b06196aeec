// Makes a picture of a page small: of the 256 colours that it has most, as a page of
// text has few that count.
import { crc32, deflateSync, inflateSync } from "node:zlib";

const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

/** A PNG of 8-bit RGB or RGBA, not interlaced (Chromium's), as one with a palette. */
export function smaller(png: Buffer): Buffer {
  const { width, height, rgb } = pixels(png);
  const count = new Map<number, number>();
  for (const c of rgb) count.set(c, (count.get(c) ?? 0) + 1);
  const palette = [...count].sort((a, b) => b[1] - a[1]).slice(0, 256).map(([c]) => c);
  const index = new Map(palette.map((c, i) => [c, i]));
  const rows = Buffer.alloc(height * (width + 1)); // each begins with 0: no filter
  for (let i = 0; i < rgb.length; i++) {
    const c = rgb[i]!;
    let at = index.get(c);
    if (at === undefined) index.set(c, (at = nearest(c, palette)));
    rows[Math.floor(i / width) * (width + 1) + 1 + (i % width)] = at;
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.from(palette.flatMap((c) => [c >> 16, (c >> 8) & 255, c & 255]));
  return Buffer.concat([signature, chunk("IHDR", head), chunk("PLTE", colours), chunk("IDAT", deflateSync(rows, { level: 9 })), chunk("IEND", Buffer.alloc(0))]);
}

function nearest(c: number, palette: number[]): number {
  let [best, least] = [0, Infinity];
  for (const [i, p] of palette.entries()) {
    const d = ((c >> 16) - (p >> 16)) ** 2 + (((c >> 8) & 255) - ((p >> 8) & 255)) ** 2 + ((c & 255) - (p & 255)) ** 2;
    if (d < least) [best, least] = [i, d];
  }
  return best;
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  out.set(body, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

function pixels(png: Buffer): { width: number; height: number; rgb: Uint32Array } {
  const data: Buffer[] = [];
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const each = png[25] === 6 ? 4 : 3;
  const raw = inflateSync(Buffer.concat(data));
  const row = width * each;
  const out = Buffer.alloc(height * row);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (row + 1)]!;
    for (let x = 0; x < row; x++) {
      const left = x < each ? 0 : out[y * row + x - each]!;
      const up = y === 0 ? 0 : out[(y - 1) * row + x]!;
      const corner = x < each || y === 0 ? 0 : out[(y - 1) * row + x - each]!;
      out[y * row + x] = raw[y * (row + 1) + 1 + x]! + [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter]!;
    }
  }
  return { width, height, rgb: Uint32Array.from({ length: width * height }, (_, i) => (out[i * each]! << 16) | (out[i * each + 1]! << 8) | out[i * each + 2]!) };
}

function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}
