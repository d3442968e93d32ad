// What stands under a position on a panel: a cell, or beside the plot a whole row or a whole column.

import type { Box } from "./layout.ts";
import { GUTTER } from "./layout.ts";
import { cellAt, cellsBetween, type Span } from "./span.ts";

/** -1 stands for "all": row 3, column -1 is the label of row 3, and its sum. */
export interface Place {
  row: number;
  column: number;
}

export interface Grid {
  box: Box;
  rows: Span;
  columns: Span;
  rowCount: number;
  columnCount: number;
}

/** Positions are in pixels from the upper left corner of the plot; labels and sums stand beyond its edges. */
export function placeAt({ box, ...grid }: Grid, x: number, y: number): Place | null {
  const row = cellAt(grid.rows, grid.rowCount, box.height, y);
  const column = cellAt(grid.columns, grid.columnCount, box.width, x);
  if (row >= 0 && column >= 0) return { row, column };
  const beside = x >= box.width && x < box.width + GUTTER + box.sums;
  if (row >= 0 && beside) return { row, column: -1 };
  const outside = y >= -box.above && y < box.height + box.below;
  return column >= 0 && outside ? { row: -1, column } : null;
}

export interface Stretch {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/** Cells under a brush. One that begins on labels or sums means whole rows or whole columns. */
export interface Brushed {
  rows: [number, number] | null;
  columns: [number, number] | null;
}

export function cellsUnder(grid: Grid, brush: Stretch): Brushed {
  const { box } = grid;
  const from = placeAt(grid, brush.x0, brush.y0);
  const rows = cellsBetween(grid.rows, grid.rowCount, box.height, brush.y0, brush.y1);
  const columns = cellsBetween(grid.columns, grid.columnCount, box.width, brush.x0, brush.x1);
  return { rows: from?.row === -1 ? null : rows, columns: from?.column === -1 ? null : columns };
}

/** The part of the plot that a brush covers: all the way across when it means whole rows or columns. */
export function brushArea(grid: Grid, brush: Stretch): Stretch {
  const { box } = grid;
  const from = placeAt(grid, brush.x0, brush.y0);
  const [x0, x1] = from?.column === -1 ? [0, box.width] : [brush.x0, brush.x1];
  const [y0, y1] = from?.row === -1 ? [0, box.height] : [brush.y0, brush.y1];
  return { x0, y0, x1, y1 };
}
