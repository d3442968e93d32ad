// What lies over the cells: selected rows and columns, the crosshair, the brush, and labels at the edges.

import { BELOW, GUTTER, TITLE } from "../core/layout.ts";
import type { Palette } from "../core/palette.ts";
import { runs } from "../core/selection.ts";
import { edgeOf, type Span } from "../core/span.ts";
import { make } from "./dom.ts";
import { freshCanvas } from "./fresh_canvas.ts";
import type { Brush } from "./gestures.ts";

export interface Overlay {
  rows: Span;
  columns: Span;
  rowCount: number;
  columnCount: number;
  width: number;
  height: number;
  /** Room for names of columns, and for their title if it is more than one line needs. */
  below: number;
  selectedRows: readonly number[];
  selectedColumns: readonly number[];
  /** Columns are the rows' units: their outlines stay behind those of the rows. */
  square: boolean;
  /** Row and column under the pointer, -1 for none. */
  row: number;
  column: number;
  /** A frame round the very cell: only in the matrix that is pointed at or read. */
  framed: boolean;
  brush: Brush | null;
  rowLabel(row: number): string;
  columnLabel(column: number): string;
  columnTitle: string;
  palette: Palette;
}

/** Rows lower than this, in CSS pixels, have no room for their names. */
const LABEL_FITS = 8;

export class OverlayCanvas {
  readonly canvas = make("canvas", { class: "nbw-overlay", "aria-hidden": "true" });

  paint(scene: Overlay): void {
    const context = freshCanvas(this.canvas, scene.width + GUTTER, scene.height + scene.below);
    context.save();
    context.beginPath();
    context.rect(-1, -1, scene.width + 2, scene.height + 2);
    context.clip();
    paintSelection(context, scene);
    paintCrosshair(context, scene);
    paintBrush(context, scene);
    context.restore();
    paintRowLabels(context, scene);
    paintColumnLabels(context, scene);
  }
}

function paintSelection(context: CanvasRenderingContext2D, scene: Overlay): void {
  const { rows, columns, width, height, palette } = scene;
  context.strokeStyle = palette.accent;
  context.lineWidth = 1;
  context.globalAlpha = scene.square ? 0.55 : 1;
  for (const [a, b] of bands(scene.selectedColumns, columns, width)) {
    context.strokeRect(a + 0.5, 0.5, Math.max(1, b - a), height - 1);
  }
  context.globalAlpha = 1;
  for (const [a, b] of bands(scene.selectedRows, rows, height)) {
    context.strokeRect(0.5, a + 0.5, width - 1, Math.max(1, b - a));
  }
}

/** Edges of the visible outlines: one for each cell, or one for a run when cells are too thin to outline. */
function bands(selected: readonly number[], span: Span, length: number): [number, number][] {
  const thin = length / span.size < 9;
  const groups: readonly (readonly [number, number])[] = thin ? runs(selected) : selected.map((k) => [k, k]);
  return groups
    .filter(([first, last]) => last + 1 > span.start && first < span.start + span.size)
    .map(([first, last]) => [
      Math.round(edgeOf(span, length, first)),
      Math.round(edgeOf(span, length, last + 1)),
    ]);
}

function paintCrosshair(context: CanvasRenderingContext2D, scene: Overlay): void {
  const { rows, columns, width, height, palette, row, column } = scene;
  if (row < 0 && column < 0) return;
  context.strokeStyle = palette.ink;
  context.lineWidth = 1;
  const y = [edgeOf(rows, height, row), edgeOf(rows, height, row + 1)];
  const x = [edgeOf(columns, width, column), edgeOf(columns, width, column + 1)];
  context.globalAlpha = 0.5;
  context.beginPath();
  for (const edge of row >= 0 ? y : []) {
    context.moveTo(0, Math.round(edge) + 0.5);
    context.lineTo(width, Math.round(edge) + 0.5);
  }
  for (const edge of column >= 0 ? x : []) {
    context.moveTo(Math.round(edge) + 0.5, 0);
    context.lineTo(Math.round(edge) + 0.5, height);
  }
  context.stroke();
  context.globalAlpha = 1;
  if (scene.framed && row >= 0 && column >= 0) {
    context.lineWidth = 2;
    context.strokeRect(x[0], y[0], Math.max(3, x[1] - x[0]), Math.max(3, y[1] - y[0]));
  }
}

export function paintBrush(
  context: CanvasRenderingContext2D,
  { brush, palette }: { brush: Brush | null; palette: Palette },
): void {
  if (!brush) return;
  const [x, y] = [Math.min(brush.x0, brush.x1), Math.min(brush.y0, brush.y1)];
  const [w, h] = [Math.abs(brush.x1 - brush.x0), Math.abs(brush.y1 - brush.y0)];
  context.fillStyle = palette.accent;
  context.globalAlpha = 0.14;
  context.fillRect(x, y, w, h);
  context.globalAlpha = 1;
  context.strokeStyle = palette.accent;
  context.lineWidth = 1.5;
  context.strokeRect(x, y, w, h);
}

function paintRowLabels(context: CanvasRenderingContext2D, scene: Overlay): void {
  const { rows, height, width, palette } = scene;
  const size = height / rows.size;
  const selected = new Set(scene.selectedRows);
  const [first, end] = visible(rows, scene.rowCount);
  context.fillStyle = palette.accent;
  for (const [a, b] of size < 5 ? bands(scene.selectedRows, rows, height) : []) {
    context.fillRect(width + 4, a, 6, Math.max(2, b - a));
  }
  context.textBaseline = "middle";
  context.textAlign = "left";
  for (let row = first; row < end; row++) {
    const marked = selected.has(row);
    const pointed = row === scene.row;
    if (size < LABEL_FITS && !pointed && !(marked && size >= 5)) continue;
    const y = edgeOf(rows, height, row + 0.5);
    if (y < 0 || y > height) continue;
    context.font = `${marked || pointed ? "600 " : ""}${size < 11 ? 9 : 10}px ${palette.font}`;
    context.fillStyle = marked ? palette.accent : pointed ? palette.ink : palette.muted;
    if (size >= LABEL_FITS || pointed) context.fillText(scene.rowLabel(row), width + 6, y);
    else context.fillRect(width + 4, y - size / 2, 6, Math.max(2, size - 1));
  }
}

function paintColumnLabels(context: CanvasRenderingContext2D, scene: Overlay): void {
  const { columns, height, width, palette } = scene;
  const size = width / columns.size;
  const selected = new Set(scene.selectedColumns);
  const [first, end] = visible(columns, scene.columnCount);
  const y = height + 11;
  context.textBaseline = "middle";
  context.textAlign = "center";
  context.font = `10px ${palette.font}`;
  const fits = size >= 5.5 + 6.2 * longestLabel(scene, first, end, size);
  context.fillStyle = palette.accent;
  for (const [a, b] of fits ? [] : bands(scene.selectedColumns, columns, width)) {
    context.fillRect(a, height + 3, Math.max(2, b - a - 1), 4);
  }
  const room = scene.below > BELOW;
  if (room || (!fits && scene.selectedColumns.length === 0)) {
    context.fillStyle = palette.muted;
    context.font = `11px ${palette.font}`;
    context.fillText(scene.columnTitle, width / 2, room ? y + TITLE : y);
  }
  if (!fits) {
    if (room && scene.column >= 0) paintPointedColumn(context, scene, y);
    return;
  }
  for (let column = first; column < end; column++) {
    const marked = selected.has(column);
    context.fillStyle = marked ? palette.accent : column === scene.column ? palette.ink : palette.muted;
    context.font = `${marked ? "600 " : ""}10px ${palette.font}`;
    const x = edgeOf(columns, width, column + 0.5);
    if (x >= 0 && x <= width) context.fillText(scene.columnLabel(column), x, y);
  }
}

/** Columns stand in any order, so the longest name may be anywhere; narrow columns have no room for one letter. */
function longestLabel(scene: Overlay, first: number, end: number, size: number): number {
  if (size < 11) return Infinity;
  let longest = 0;
  for (let column = first; column < end; column++)
    longest = Math.max(longest, scene.columnLabel(column).length);
  return longest;
}

/** The one name that is asked for, where there is no room for all. */
function paintPointedColumn(context: CanvasRenderingContext2D, scene: Overlay, y: number): void {
  const marked = scene.selectedColumns.includes(scene.column);
  context.fillStyle = marked ? scene.palette.accent : scene.palette.ink;
  context.font = `600 10px ${scene.palette.font}`;
  context.fillText(
    scene.columnLabel(scene.column),
    edgeOf(scene.columns, scene.width, scene.column + 0.5),
    y + 1,
  );
}

function visible(span: Span, count: number): [number, number] {
  return [Math.max(0, Math.floor(span.start)), Math.min(count, Math.ceil(span.start + span.size))];
}
