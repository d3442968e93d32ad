// Boxes in a picture: which of them a point is in. A box is left, top, right, bottom as shares of width and height.

export type Box = readonly [left: number, top: number, right: number, bottom: number];

/** The box of number `k` among all, in the order of their numbers. */
export function boxOf(boxes: ArrayLike<number>, k: number): Box {
  return [boxes[4 * k], boxes[4 * k + 1], boxes[4 * k + 2], boxes[4 * k + 3]];
}

/** The smallest box that the point is in, the first of equal ones; -1 where there is none. */
export function boxAt(boxes: ArrayLike<number>, x: number, y: number): number {
  let found = -1;
  let least = Infinity;
  for (let k = 0; 4 * k < boxes.length; k++) {
    const [left, top, right, bottom] = boxOf(boxes, k);
    const area = (right - left) * (bottom - top);
    if (x < left || x >= right || y < top || y >= bottom || area >= least) continue;
    found = k;
    least = area;
  }
  return found;
}
