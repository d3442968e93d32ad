import { expect, it } from "vitest";
import { boxAt } from "../../src/core/boxes.ts";

const boxes = [0, 0, 0.5, 1, 0.6, 0.2, 0.8, 0.4, 0.5, 0, 1, 1];

it.each([
  [0.1, 0.1, 0],
  [0.499, 0.9, 0],
  [0.5, 0.9, 2], // a side belongs to the box right of it
  [0.7, 0.3, 1], // the smallest of those around the point
  [0.7, 0.41, 2],
  [1, 0.5, -1],
  [0.3, -0.01, -1],
])("finds the box at %s, %s", (x, y, k) => {
  expect(boxAt(boxes, x, y)).toBe(k);
  expect(boxAt([], x, y)).toBe(-1);
});
