// Sums of rows and columns in a picture: the same bars as on the screen, over all cells.

import { SUMS_BESIDE } from "./layout.ts";
import type { Palette } from "./palette.ts";
import { whole } from "./span.ts";
import { type Bar, barsOf, extentOf, extentWords, type Sums, shareOf } from "./sums.ts";
import { text } from "./svg.ts";

/** Room above the plots of a picture in which some panel has sums. */
export const PICTURED_SUMS_ABOVE = 36;
/** Room right of the row names. */
export const PICTURED_SUMS_BESIDE = SUMS_BESIDE;
/** Where the bars of rows begin, right of their names, and how far the bars of columns stay from the plot. */
const BESIDE = 26;
const NEAR = 4;
const HIGH = 18;
const LONG = 48;

export interface Chosen {
  rows: readonly number[];
  columns: readonly number[];
}

export interface Plot {
  x: number;
  y: number;
  side: number;
}

export function drawSums(sums: Sums, chosen: Chosen, plot: Plot, palette: Palette): string {
  const { x, y, side } = plot;
  const extents = { rows: extentOf(sums.rows), columns: extentOf(sums.columns) };
  const left = x + side + BESIDE;
  const words = (at: number, top: number, line: string, anchor = "start") =>
    text(at, top, line, palette.muted, 8, `text-anchor="${anchor}"`);
  const right = (value: number) => left + LONG * shareOf(value, extents.rows);
  const high = (value: number) => y - NEAR - HIGH * shareOf(value, extents.columns);
  const row = ({ from, to, value }: Bar) => box(right(0), y + from, right(value), y + to - gap(from, to));
  const column = ({ from, to, value }: Bar) => box(x + from, high(0), x + to - gap(from, to), high(value));
  const both = (only: Chosen | null) =>
    barsOf(sums.rows, whole(sums.rows.length), side, only?.rows).map(row).join("") +
    barsOf(sums.columns, whole(sums.columns.length), side, only?.columns).map(column).join("");
  return [
    `<g fill="${palette.sum}">${both(null)}</g>`,
    `<g fill="${palette.accent}">${both(chosen)}</g>`,
    words(x, y - HIGH - NEAR - 5, "column sums"),
    words(x + side, y - HIGH - NEAR - 5, extentWords(extents.columns), "end"),
    words(left, y - 14, "row sums"),
    words(left, y - 4, extentWords(extents.rows)),
  ].join("");
}

function box(x0: number, y0: number, x1: number, y1: number): string {
  const [width, height] = [Math.abs(x1 - x0), Math.abs(y1 - y0)];
  const at = (value: number) => value.toFixed(2);
  return `<rect x="${at(Math.min(x0, x1))}" y="${at(Math.min(y0, y1))}" width="${at(width)}" height="${at(height)}"/>`;
}

function gap(from: number, to: number): number {
  return to - from >= 4 ? 1 : 0;
}
