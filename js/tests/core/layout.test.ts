import { describe, expect, it } from "vitest";
import { type Box, GAP, layoutPanels, type Shape, SUMS_BESIDE } from "../../src/core/layout.ts";

const square: Shape = { square: true, rows: 32, columns: 32, sums: false, titled: false };
const classes: Shape = { square: false, rows: 32, columns: 10, sums: false, titled: false };
const bits: Shape = { square: false, rows: 32, columns: 16, sums: true, titled: true };
const wide: Shape = { ...classes, columns: 512 };

/** Panels line by line, as a browser wraps them. */
function linesOf(boxes: Box[], width: number): Box[][] {
  const lines: Box[][] = [[]];
  for (const box of boxes) {
    const line = lines[lines.length - 1];
    const used = line.reduce((sum, other) => sum + other.panel + GAP, 0);
    if (line.length > 0 && used + box.panel > width) lines.push([box]);
    else line.push(box);
  }
  return lines;
}

const CASES: Record<string, Shape[]> = {
  "a square": [square],
  "a square and classes": [square, classes],
  "two squares and classes": [square, square, classes],
  classes: [classes],
  "a square, classes and bits": [square, classes, bits],
  "a square and bits": [square, bits],
  "a square with sums": [{ ...square, sums: true }],
  "a square and many columns": [square, wide, { ...bits, columns: 512 }],
};

describe.each([360, 600, 640, 900, 958, 1280, 1920])("at %i px", (width) => {
  for (const [name, shapes] of Object.entries(CASES)) {
    it(`panels of ${name} share a height and stay inside`, () => {
      const boxes = layoutPanels(width, shapes);
      expect(boxes.length).toBe(shapes.length);
      expect(new Set(boxes.map((box) => box.height)).size).toBe(1);
      for (const [i, box] of boxes.entries()) {
        if (shapes[i].square) expect(box.width).toBe(box.height);
        expect(box.panel).toBeLessThanOrEqual(width);
        expect(box.panel).toBeGreaterThanOrEqual(box.tree + box.width + box.sums);
        expect(box.tree > 0).toBe(i === 0);
        expect(box.sums).toBe(shapes[i].sums ? SUMS_BESIDE : 0);
      }
    });

    it(`lines of ${name} end at one edge, with their rows level`, () => {
      for (const line of linesOf(layoutPanels(width, shapes), width)) {
        const right = line.reduce((sum, box) => sum + box.panel + GAP, -GAP);
        expect(right).toBe(width);
        expect(new Set(line.map((box) => box.above)).size).toBe(1);
      }
    });
  }
});

it("stands two panels side by side when wide and stacks them when narrow", () => {
  const lines = (width: number) => linesOf(layoutPanels(width, [square, classes]), width).length;
  expect([lines(1000), lines(600)]).toEqual([1, 2]);
});

it("stands correlation, classes and bits in one line beside a picker on a wide screen", () => {
  const counts = (width: number) =>
    linesOf(layoutPanels(width, [square, classes, bits]), width).map((line) => line.length);
  expect(counts(958)).toEqual([3]);
  expect(counts(578)).toEqual([1, 2]);
  expect(counts(360)).toEqual([1, 1, 1]);
});

it("narrows a plot of more columns than rows before it leaves the line, but not beyond what can be read", () => {
  const few = (columns: number) => [
    { ...square, rows: 16, columns: 16 },
    { ...classes, rows: 16 },
    { ...bits, rows: 16, columns },
  ];
  const lines = (columns: number) => linesOf(layoutPanels(958, few(columns)), 958).length;
  expect([lines(16), lines(32), lines(64)]).toEqual([1, 1, 2]);
  expect(layoutPanels(958, few(32))[2].width).toBeGreaterThanOrEqual(192);
  expect(layoutPanels(958, few(64))[2].width).toBeGreaterThan(700);
});

it("leaves room above a line for sums only where that line has some", () => {
  const [first, second, third] = layoutPanels(578, [square, classes, bits]);
  expect(second.above).toBe(third.above);
  expect(third.above).toBeGreaterThan(first.above);
});

it("gives every panel the room for a title of columns when one of them needs it", () => {
  const below = (shapes: Shape[]) => layoutPanels(958, shapes).map((box) => box.below);
  expect(new Set(below([square, classes, bits])).size).toBe(1);
  expect(below([square, bits])[0]).toBeGreaterThan(below([square, classes])[0]);
});
