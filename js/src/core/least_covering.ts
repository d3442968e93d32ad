// Where a box stands in a frame so that it covers as little as can be of what must be seen.

import type { Size } from "./beside.ts";
import type { Point } from "./graph_layout.ts";

/** Places are tried this far apart. */
const STEP = 16;

/** The left upper corner, and how many of the points the box covers there; of places as good the nearest to `to`. */
export function leastCovering(
  box: Size,
  frame: Size,
  top: number,
  points: readonly Point[],
  to: Point,
): { at: Point; covered: number } {
  let best = { at: { x: 0, y: 0 }, covered: Infinity, off: Infinity };
  for (const x of stepsTo(0, frame.width - box.width))
    for (const y of stepsTo(top, frame.height - box.height)) {
      const covered = points.reduce((sum, point) => sum + Number(covers({ x, y }, box, point)), 0);
      const off = Math.hypot(x + box.width / 2 - to.x, y + box.height / 2 - to.y);
      if (covered < best.covered || (covered === best.covered && off < best.off))
        best = { at: { x, y }, covered, off };
    }
  return { at: best.at, covered: best.covered };
}

function covers(at: Point, { width, height }: Size, { x, y }: Point): boolean {
  return x >= at.x && x <= at.x + width && y >= at.y && y <= at.y + height;
}

/** From one number to another; only the second where that is smaller, but never below 0. */
function stepsTo(from: number, to: number): number[] {
  if (to <= from) return [Math.max(0, to)];
  const steps = Math.ceil((to - from) / STEP);
  return Array.from({ length: steps + 1 }, (_, k) => Math.min(to, from + k * STEP));
}
