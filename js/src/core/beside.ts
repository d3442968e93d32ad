// Where a small box stands beside a point, inside a frame and never over the point.

import type { Point } from "./graph_layout.ts";

export interface Size {
  width: number;
  height: number;
}

/** Between the point and the box. */
const AWAY = 14;

/** The left upper corner: below right where there is room, else to the other side; null where there is none above or below. */
export function placeBeside({ x, y }: Point, box: Size, frame: Size): Point | null {
  const below = y + AWAY + box.height <= frame.height;
  const top = below ? y + AWAY : y - AWAY - box.height;
  if (top < 0) return null;
  const right = x + AWAY + box.width <= frame.width;
  const left = right ? x + AWAY : Math.min(x - AWAY - box.width, frame.width - box.width);
  return { x: Math.max(0, left), y: top };
}
