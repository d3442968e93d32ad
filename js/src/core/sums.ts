// Sums of rows and columns as bars: how long each is, and one bar for all that share a pixel.

import { formatNumber } from "./format.ts";
import { edgeOf, type Span } from "./span.ts";

export interface Sums {
  rows: ArrayLike<number>;
  columns: ArrayLike<number>;
}

/** The values that bars span; zero is always among them, as bars start there. */
export interface Extent {
  low: number;
  high: number;
}

export interface Bar {
  /** Edges along the axis of rows or columns. */
  from: number;
  to: number;
  value: number;
}

export function extentOf(sums: ArrayLike<number>): Extent {
  let [low, high] = [0, 0];
  for (let i = 0; i < sums.length; i++) {
    if (!Number.isFinite(sums[i])) continue;
    low = Math.min(low, sums[i]);
    high = Math.max(high, sums[i]);
  }
  return { low, high };
}

/** Where a sum lies between the ends of the extent, 0 to 1; an infinite one reaches its end. */
export function shareOf(value: number, { low, high }: Extent): number {
  return high > low ? (Math.min(high, Math.max(low, value)) - low) / (high - low) : 0;
}

/** "max 1.23": what the longest bar stands for. */
export function extentWords({ low, high }: Extent): string {
  if (low < 0 && high > 0) return `${formatNumber(low)} to ${formatNumber(high)}`;
  return low < 0 ? `min ${formatNumber(low)}` : `max ${formatNumber(high)}`;
}

/** Bars of the visible cells (those in `only`, if given); of all whose middle is in one pixel the largest is seen. */
export function barsOf(
  sums: ArrayLike<number>,
  span: Span,
  length: number,
  only: readonly number[] | null = null,
): Bar[] {
  const cells = only ?? Array.from({ length: sums.length }, (_, k) => k);
  const pooled = length < span.size;
  const bars: Bar[] = [];
  for (const cell of cells) {
    const bar = { ...edges(span, length, cell, pooled), value: sums[cell] };
    if (bar.to <= 0 || bar.from >= length || Number.isNaN(bar.value)) continue;
    const last = bars[bars.length - 1];
    if (pooled && last?.from === bar.from) last.value = larger(last.value, bar.value);
    else bars.push(bar);
  }
  return bars;
}

function edges(span: Span, length: number, cell: number, pooled: boolean): { from: number; to: number } {
  const pixel = Math.floor(edgeOf(span, length, cell + 0.5));
  if (pooled) return { from: pixel, to: pixel + 1 };
  return { from: edgeOf(span, length, cell), to: edgeOf(span, length, cell + 1) };
}

function larger(a: number, b: number): number {
  return Math.abs(b) > Math.abs(a) ? b : a;
}
