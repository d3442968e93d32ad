// From codes to pixels. A frame looks up one code for each pixel, so it costs the same for any matrix.

import { STEPS } from "./codes.ts";
import { type Level, type Pyramid, pooledSide } from "./pyramid.ts";
import type { Span } from "./span.ts";

/** The fewest halvings after which a pooled cell is at least a pixel wide, so that no cell is skipped. */
export function levelFor(cells: number, pixels: number): number {
  return Math.max(0, Math.ceil(Math.log2(cells / pixels) - 1e-9));
}

/** For each pixel of an axis, the index of the pooled cell under its centre. */
export function pixelIndex(span: Span, pixels: number, cells: number, level: number): Int32Array {
  const index = new Int32Array(pixels);
  const last = pooledSide(cells, level) - 1;
  const step = span.size / pixels;
  for (let p = 0; p < pixels; p++) {
    index[p] = Math.min(last, Math.max(0, Math.floor(span.start + (p + 0.5) * step) >> level));
  }
  return index;
}

export interface Frame {
  width: number;
  height: number;
  rows: Span;
  columns: Span;
}

/** How many cells share a pixel, down and across: 1 × 1 when every cell is at least a pixel. */
export function cellsPerPixel(frame: Frame): [number, number] {
  return [2 ** levelFor(frame.rows.size, frame.height), 2 ** levelFor(frame.columns.size, frame.width)];
}

/** Writes the visible part of a matrix into `out` (width x height packed pixels). */
export function paintFrame(
  out: Uint32Array,
  pyramid: Pyramid,
  base: Level,
  frame: Frame,
  lut: Uint32Array,
): void {
  const rowLevel = levelFor(frame.rows.size, frame.height);
  const columnLevel = levelFor(frame.columns.size, frame.width);
  const level = pyramid.level(rowLevel, columnLevel);
  const rows = pixelIndex(frame.rows, frame.height, base.rows, rowLevel);
  const columns = pixelIndex(frame.columns, frame.width, base.columns, columnLevel);
  paintLevel(out, level, rows, columns, lut);
}

function paintLevel(
  out: Uint32Array,
  level: Level,
  rows: Int32Array,
  columns: Int32Array,
  lut: Uint32Array,
): void {
  const width = columns.length;
  const { codes } = level;
  for (let y = 0; y < rows.length; y++) {
    const start = y * width;
    if (y > 0 && rows[y] === rows[y - 1]) {
      out.copyWithin(start, start - width, start);
      continue;
    }
    const line = rows[y] * level.columns;
    for (let x = 0; x < width; x++) out[start + x] = lut[codes[line + columns[x]]];
  }
}

/** "#rrggbb" or "#rgb" as the packed pixel that a little-endian RGBA ImageData expects. */
export function packColor(hex: string): number {
  const [r, g, b] = parseHex(hex);
  return pack(r, g, b);
}

export function parseHex(hex: string): [number, number, number] {
  const digits = hex.trim().replace(/^#/, "");
  const full = digits.length === 3 ? digits.replace(/./g, "$&$&") : digits;
  const value = Number.parseInt(full, 16);
  if (!/^[0-9a-f]{6}$/i.test(full)) throw new Error(`colour is "${hex}"; expected #rgb or #rrggbb`);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function pack(r: number, g: number, b: number): number {
  return (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
}

/** The packed pixel of each of the 256 codes: the colour table, then the six marks. */
export function makeLut(table: ArrayLike<number>, marks: readonly string[]): Uint32Array {
  const lut = new Uint32Array(256);
  for (let code = 0; code <= STEPS; code++) {
    lut[code] = pack(table[3 * code], table[3 * code + 1], table[3 * code + 2]);
  }
  marks.forEach((color, i) => {
    lut[STEPS + 1 + i] = packColor(color);
  });
  return lut;
}

/** Whether dark text is the easier to read on a packed pixel (WCAG relative luminance). */
export function wantsDarkText(pixel: number): boolean {
  const linear = (channel: number) => ((channel & 255) / 255) ** 2.2;
  return 0.2126 * linear(pixel) + 0.7152 * linear(pixel >> 8) + 0.0722 * linear(pixel >> 16) > 0.18;
}
