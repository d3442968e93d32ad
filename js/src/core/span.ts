// The part of an axis that is on screen, in cells: `start` may be fractional, `size` cells are visible.

export interface Span {
  start: number;
  size: number;
}

/** Fewer cells than this are never shown on a longer axis: beyond it there is nothing more to see. */
const CLOSEST = 3;

export function whole(cells: number): Span {
  return { start: 0, size: cells };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), Math.max(low, high));
}

/** Zooms by `factor` (> 1 is closer), keeping the cell at the fraction `at` of the axis where it is. */
export function zoom(span: Span, cells: number, at: number, factor: number): Span {
  return resize(span, cells, at, span.size / factor);
}

/** Shows `size` cells, keeping the cell at the fraction `at` of the axis where it is. */
export function resize(span: Span, cells: number, at: number, wanted: number): Span {
  const size = clamp(wanted, Math.min(CLOSEST, cells), cells);
  return { start: clamp(span.start + at * (span.size - size), 0, cells - size), size };
}

/** Moves by a number of cells and stops at the ends. */
export function pan(span: Span, cells: number, by: number): Span {
  return { start: clamp(span.start + by, 0, cells - span.size), size: span.size };
}

/** The nearest span that shows the cells first..last, widened only when they do not fit. */
export function reveal(span: Span, cells: number, first: number, last: number): Span {
  const size = clamp(last + 1 - first, span.size, cells);
  return { start: clamp(clamp(span.start, last + 1 - size, first), 0, cells - size), size };
}

/** The cell under a position on an axis `length` long, or -1 outside of it. */
export function cellAt(span: Span, cells: number, length: number, position: number): number {
  if (position < 0 || position >= length) return -1;
  const cell = Math.floor(span.start + (position / length) * span.size);
  return cell >= 0 && cell < cells ? cell : -1;
}

/** Where the leading edge of a cell stands on an axis `length` long. */
export function edgeOf(span: Span, length: number, cell: number): number {
  return ((cell - span.start) / span.size) * length;
}

/** The cells touched by the stretch between two positions, in either order; empty is [0, -1]. */
export function cellsBetween(
  span: Span,
  cells: number,
  length: number,
  a: number,
  b: number,
): [number, number] {
  const at = (position: number) => Math.floor(span.start + (clamp(position, 0, length) / length) * span.size);
  const first = clamp(at(Math.min(a, b)), 0, cells - 1);
  const last = clamp(at(Math.max(a, b)), 0, cells - 1);
  return cells > 0 ? [first, last] : [0, -1];
}
