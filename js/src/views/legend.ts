// The colour bar of a matrix and the marks that occur in it.

import { MARKS } from "../core/codes.ts";
import type { Matrix } from "../core/content.ts";
import { plural, ticksOf } from "../core/format.ts";
import { make } from "./dom.ts";

export function makeScale(matrix: Matrix, dark: boolean): HTMLElement {
  const bar = make("span", { class: "nbw-bar" });
  bar.style.background = gradient(dark ? matrix.colors.dark : matrix.colors.light);
  const ticks = make(
    "span",
    { class: "nbw-ticks" },
    ...ticksOf(matrix).map((text) => make("span", {}, text)),
  );
  const unit = matrix.unit ? [make("span", { class: "nbw-scale-unit" }, matrix.unit)] : [];
  return make("span", { class: "nbw-scale" }, bar, ticks, ...unit);
}

/** Only the marks that occur, with how many cells wear them. */
export function makeMarks(matrix: Matrix): HTMLElement[] {
  return matrix.marks.flatMap((count, i) => {
    if (count === 0) return [];
    const swatch = make(
      "i",
      { class: `nbw-swatch nbw-mark-${i + 1}`, "aria-hidden": "true" },
      MARKS[i].glyph,
    );
    return [make("span", { class: "nbw-mark" }, swatch, `${MARKS[i].label}: ${plural(count, "cell")}`)];
  });
}

function gradient(table: ArrayLike<number>): string {
  const stops = Array.from({ length: 25 }, (_, i) => {
    const code = Math.round((i * 249) / 24);
    return `rgb(${table[3 * code]} ${table[3 * code + 1]} ${table[3 * code + 2]})`;
  });
  return `linear-gradient(to right, ${stops.join(", ")})`;
}
