import { describe, expect, it } from "vitest";
import { brushArea, cellsUnder, type Grid, placeAt } from "../../src/core/hit.ts";
import { whole } from "../../src/core/span.ts";

/** Ten rows of 20 px and five columns of 40 px, with sums. */
const grid: Grid = {
  box: { panel: 400, tree: 0, width: 200, height: 200, above: 44, below: 35, sums: 64 },
  rows: whole(10),
  columns: whole(5),
  rowCount: 10,
  columnCount: 5,
};
const plain: Grid = { ...grid, box: { ...grid.box, above: 26, below: 20, sums: 0 } };

it.each([
  ["a cell", 50, 30, { row: 1, column: 1 }],
  ["the label of a row", 210, 30, { row: 1, column: -1 }],
  ["the sum of a row", 290, 199, { row: 9, column: -1 }],
  ["the sum of a column", 199, -10, { row: -1, column: 4 }],
  ["the label of a column", 0, 210, { row: -1, column: 0 }],
  ["the corner above", 250, -10, null],
  ["the corner below", 250, 210, null],
  ["right of the sums", 299, 30, null],
  ["above the sums", 50, -45, null],
  ["left of the plot", -1, 30, null],
])("finds %s", (_name, x, y, place) => {
  expect(placeAt(grid, x, y)).toEqual(place);
});

it("knows no sums where there are none", () => {
  expect(placeAt(plain, 240, 30)).toBeNull();
  expect(placeAt(plain, 50, 225)).toBeNull();
});

it("follows a zoom", () => {
  expect(placeAt({ ...grid, rows: { start: 4, size: 2 } }, 50, 150)).toEqual({ row: 5, column: 1 });
});

describe("a brush", () => {
  it("over cells takes rows and columns", () => {
    const brush = { x0: 10, y0: 10, x1: 90, y1: 50 };
    expect(cellsUnder(grid, brush)).toEqual({ rows: [0, 2], columns: [0, 2] });
    expect(brushArea(grid, brush)).toEqual(brush);
  });

  it("that begins on the sums of columns takes whole columns, wherever it ends", () => {
    const brush = { x0: 50, y0: -10, x1: 130, y1: 150 };
    expect(cellsUnder(grid, brush)).toEqual({ rows: null, columns: [1, 3] });
    expect(brushArea(grid, brush)).toEqual({ x0: 50, y0: 0, x1: 130, y1: 200 });
  });

  it("that begins on labels or sums of rows takes whole rows", () => {
    const brush = { x0: 250, y0: 50, x1: 20, y1: 90 };
    expect(cellsUnder(grid, brush)).toEqual({ rows: [2, 4], columns: null });
    expect(brushArea(grid, brush)).toEqual({ x0: 0, y0: 50, x1: 200, y1: 90 });
  });
});
