import { describe, expect, it } from "vitest";
import { Pyramid, pooledSide, strengths } from "../../src/core/pyramid.ts";
import { seeded } from "../samples.ts";

function randomLevel(rows: number, columns: number, seed: number) {
  const random = seeded(seed);
  const codes = Uint8Array.from({ length: rows * columns }, () => {
    return random() < 0.01 ? 250 + Math.floor(random() * 6) : Math.floor(random() * 250);
  });
  return { codes, rows, columns };
}

/** The block of cells behind a pooled cell, by the definition. */
function block(index: number, level: number, side: number): [number, number] {
  const last = pooledSide(side, level) - 1;
  return [index << level, index === last ? side : (index + 1) << level];
}

const SHAPES: [number, number][] = [
  [64, 64],
  [37, 101],
  [1, 33],
  [5, 1],
  [127, 128],
];

describe.each(SHAPES)("a pyramid over %i x %i", (rows, columns) => {
  for (const diverging of [true, false]) {
    for (const [i, j] of [
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 1],
      [0, 4],
      [3, 3],
    ]) {
      it(`keeps the strongest of every block at ${i}, ${j}, diverging ${diverging}`, () => {
        const base = randomLevel(rows, columns, rows + i);
        const level = new Pyramid(base, diverging).level(i, j);
        const strength = strengths(diverging);
        expect([level.rows, level.columns]).toEqual([pooledSide(rows, i), pooledSide(columns, j)]);
        for (let r = 0; r < level.rows; r++) {
          for (let c = 0; c < level.columns; c++) {
            let strongest = -1;
            const [top, bottom] = block(r, i, rows);
            const [left, right] = block(c, j, columns);
            for (let y = top; y < bottom; y++) {
              for (let x = left; x < right; x++)
                strongest = Math.max(strongest, strength[base.codes[y * columns + x]]);
            }
            expect(strength[level.codes[r * level.columns + c]]).toBe(strongest);
          }
        }
      });
    }
  }
});

it("ranks marks first, then both ends of a diverging scale, then the high end of a sequential one", () => {
  const both = strengths(true);
  expect(both[0]).toBe(both[249]);
  expect(both[0]).toBeGreaterThan(both[124]);
  expect(both[254]).toBeGreaterThan(both[249]);
  expect(strengths(false)[249]).toBeGreaterThan(strengths(false)[0]);
});

it("does not copy the matrix itself", () => {
  const base = randomLevel(8, 8, 1);
  expect(new Pyramid(base, true).level(0, 0)).toBe(base);
});
