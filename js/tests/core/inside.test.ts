import { expect, it } from "vitest";
import { decodeContent, type Matrix } from "../../src/core/content.ts";
import { clustersAt } from "../../src/core/dendrogram.ts";
import { exactSquare, medoidOf, medoidsOf, smallestInside } from "../../src/core/inside.ts";
import { matrixOf, seeded, smallContent, wire } from "../samples.ts";

function squareOf(content: ReturnType<typeof decodeContent>): Matrix {
  const matrix = exactSquare(content);
  if (!matrix) throw new Error("no exact square matrix");
  return matrix;
}

const content = decodeContent(smallContent());

it("finds the weakest pair, and nothing in a group of one or of constants", () => {
  expect(smallestInside(squareOf(content), [0, 1, 3])).toBeCloseTo(0.05);
  expect(smallestInside(squareOf(content), [2, 3])).toBeCloseTo(0.8);
  expect(smallestInside(squareOf(content), [2])).toBeNaN();
  expect(smallestInside(squareOf(content), [1, 4])).toBeNaN();
});

it("keeps one medoid for every cluster touched, lowest unit first on a tie, and no constant unit", () => {
  const clusters = clustersAt(content.tree, 0.5, content.rows);
  // Pairs always tie: units 3 & 1 stand in rows 0 & 1, units 0 & 4 in rows 2 & 3.
  expect(medoidsOf(content, squareOf(content), clusters, [0, 3, 4])).toEqual([1, 2]);
});

it("finds the row with the smallest summed distance", () => {
  const random = seeded(4);
  const side = 12;
  const r = new Float64Array(side * side);
  for (let a = 0; a < side; a++)
    for (let b = a; b < side; b++) r[a * side + b] = r[b * side + a] = a === b ? 1 : 2 * random() - 1;
  const units = wire(
    Int32Array.from({ length: side }, (_, k) => k),
    side,
  );
  const made = decodeContent(
    smallContent({ units, linkage: null, matrices: [matrixOf(wire(r, side, side))] }),
  );
  const distance = (a: number) =>
    Array.from({ length: side }, (_, b) => 1 - Math.abs(r[a * side + b])).reduce((s, d) => s + d);
  const best = Array.from({ length: side }, (_, a) => a).sort((a, b) => distance(a) - distance(b))[0];
  expect(medoidOf(made, squareOf(made), 0, side - 1)).toBe(best);
});

it("asks nothing of coded values or of other columns", () => {
  const coded = matrixOf(wire(new Uint8Array(25), 5, 5), { coded: true, error: 0.004 });
  expect(exactSquare(decodeContent(smallContent({ matrices: [coded] })))).toBeNull();
  expect(exactSquare(decodeContent(smallContent({ matrices: [smallContent().matrices[1]] })))).toBeNull();
});
