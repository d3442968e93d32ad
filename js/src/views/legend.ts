// The colour bar of a matrix and the marks that occur in it.

import { BELOW, MARKS } from "../core/codes.ts";
import type { Matrix } from "../core/content.ts";
import { formatCount, formatNumber } from "../core/format.ts";
import { make } from "./dom.ts";

export function makeLegend(matrix: Matrix, dark: boolean): HTMLElement {
  const bar = make("span", { class: "nbw-bar" });
  bar.style.background = gradient(dark ? matrix.colors.dark : matrix.colors.light);
  const ticks = make(
    "span",
    { class: "nbw-ticks" },
    ...ticksOf(matrix).map((text) => make("span", {}, text)),
  );
  const scale = make("span", { class: "nbw-scale" }, bar, ticks);
  const legend = make("div", { class: "nbw-legend" }, scale);
  matrix.marks.forEach((count, i) => {
    if (count === 0) return;
    const swatch = make("i", { class: `nbw-swatch nbw-mark-${i + 1}` }, MARKS[i].glyph);
    const title = `code ${BELOW + i}: cells without a colour on the scale`;
    legend.append(
      make("span", { class: "nbw-mark", title }, swatch, `${MARKS[i].label} ${formatCount(count)}`),
    );
  });
  return legend;
}

export function ticksOf(matrix: Pick<Matrix, "low" | "high" | "diverging" | "unit" | "quantity">): string[] {
  const signed = (value: number) => (matrix.diverging && value > 0 ? "+" : "") + formatNumber(value);
  const middle = (matrix.low + matrix.high) / 2;
  const ticks = matrix.diverging ? [matrix.low, middle, matrix.high] : [matrix.low, matrix.high];
  const texts = ticks.map(signed);
  if (matrix.unit) texts[texts.length - 1] += ` ${matrix.unit}`;
  return texts;
}

function gradient(table: ArrayLike<number>): string {
  const stops = Array.from({ length: 25 }, (_, i) => {
    const code = Math.round((i * 249) / 24);
    return `rgb(${table[3 * code]} ${table[3 * code + 1]} ${table[3 * code + 2]})`;
  });
  return `linear-gradient(to right, ${stops.join(", ")})`;
}
