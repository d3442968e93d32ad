// The colour bar of a matrix and the marks that occur in it.

import { MARKS } from "../core/codes.ts";
import type { Matrix } from "../core/content.ts";
import { plural, ticksOf } from "../core/format.ts";
import { make } from "./dom.ts";

export function makeScale(matrix: Matrix, dark: boolean): HTMLElement {
  return colorScale(dark ? matrix.colors.dark : matrix.colors.light, ticksOf(matrix), matrix.unit);
}

/** A bar of a colour table, what stands under its ends and its middle, and what it is a scale of. */
export function colorScale(table: ArrayLike<number>, ticks: readonly string[], unit = ""): HTMLElement {
  const bar = make("span", { class: "nbw-bar" });
  bar.style.background = gradient(table);
  const under = make("span", { class: "nbw-ticks" }, ...ticks.map((text) => make("span", {}, text)));
  const named = unit ? [make("span", { class: "nbw-scale-unit" }, unit)] : [];
  return make("span", { class: "nbw-scale" }, bar, under, ...named);
}

/** Only the marks that occur, with how many cells wear them. */
export function makeMarks(matrix: Matrix): HTMLElement[] {
  return matrix.marks.flatMap((count, i) => (count > 0 ? [makeMark(i, plural(count, "cell"))] : []));
}

/** One of the six marks, and how many of what wear it. */
export function makeMark(i: number, count: string): HTMLElement {
  const swatch = make("i", { class: `nbw-swatch nbw-mark-${i + 1}`, "aria-hidden": "true" }, MARKS[i].glyph);
  return make("span", { class: "nbw-mark" }, swatch, `${MARKS[i].label}: ${count}`);
}

export function gradient(table: ArrayLike<number>): string {
  const stops = Array.from({ length: 25 }, (_, i) => {
    const code = Math.round((i * 249) / 24);
    return `rgb(${table[3 * code]} ${table[3 * code + 1]} ${table[3 * code + 2]})`;
  });
  return `linear-gradient(to right, ${stops.join(", ")})`;
}
