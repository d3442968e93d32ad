// Sums of columns above a plot and of rows right of its labels, as quiet bars that follow zoom and pan.

import { GUTTER, SUMS_ABOVE, SUMS_BESIDE } from "../core/layout.ts";
import { type Bar, barsOf, type Extent, extentOf, extentWords, type Sums, shareOf } from "../core/sums.ts";
import { make } from "./dom.ts";
import { freshCanvas } from "./fresh_canvas.ts";
import type { Overlay } from "./overlay_canvas.ts";

/** Length of the longest bar of a column, and of a row. */
const HIGH = 22;
const LONG = SUMS_BESIDE - 8;
/** Between a plot and the bars of its columns. */
const NEAR = 4;
/** The words beside the bars may reach into the padding of the panel. */
const PADDING = 12;

export class SumsCanvas {
  readonly canvas = make("canvas", { class: "nbw-sums", "aria-hidden": "true" });
  private readonly extents: { rows: Extent; columns: Extent };

  constructor(private readonly sums: Sums) {
    this.extents = { rows: extentOf(sums.rows), columns: extentOf(sums.columns) };
    this.canvas.style.top = `${-SUMS_ABOVE}px`;
  }

  paint(scene: Overlay): void {
    const [width, height] = [scene.width + GUTTER + SUMS_BESIDE + PADDING, scene.height + SUMS_ABOVE];
    const context = freshCanvas(this.canvas, width, height);
    context.translate(0, SUMS_ABOVE);
    this.paintRows(context, scene);
    this.paintColumns(context, scene);
    this.paintWords(context, scene);
  }

  private paintRows(context: CanvasRenderingContext2D, scene: Overlay): void {
    const x = (value: number) => scene.width + GUTTER + LONG * shareOf(value, this.extents.rows);
    const fill = ({ from, to, value }: Bar) => {
      const [a, b] = edges(from, to);
      context.fillRect(Math.min(x(0), x(value)), a, Math.abs(x(value) - x(0)), b - a);
    };
    context.save();
    context.beginPath();
    context.rect(scene.width, 0, GUTTER + SUMS_BESIDE, scene.height);
    context.clip();
    const bars = (only: readonly number[] | null) =>
      barsOf(this.sums.rows, scene.rows, scene.height, only).forEach(fill);
    paintBars(context, scene, bars, { pointed: scene.row, selected: scene.selectedRows });
    context.restore();
  }

  private paintColumns(context: CanvasRenderingContext2D, scene: Overlay): void {
    const y = (value: number) => -NEAR - HIGH * shareOf(value, this.extents.columns);
    const fill = ({ from, to, value }: Bar) => {
      const [a, b] = edges(from, to);
      context.fillRect(a, Math.min(y(0), y(value)), b - a, Math.abs(y(value) - y(0)));
    };
    context.save();
    context.beginPath();
    context.rect(0, -SUMS_ABOVE, scene.width, SUMS_ABOVE);
    context.clip();
    const bars = (only: readonly number[] | null) =>
      barsOf(this.sums.columns, scene.columns, scene.width, only).forEach(fill);
    paintBars(context, scene, bars, { pointed: scene.column, selected: scene.selectedColumns });
    context.restore();
  }

  private paintWords(context: CanvasRenderingContext2D, { width, palette }: Overlay): void {
    context.fillStyle = palette.muted;
    context.font = `10px ${palette.font}`;
    context.textBaseline = "alphabetic";
    context.textAlign = "left";
    context.fillText("column sums", 0, -HIGH - NEAR - 6);
    context.fillText("row sums", width + GUTTER, -19);
    context.fillText(extentWords(this.extents.rows), width + GUTTER, -6);
    context.textAlign = "right";
    context.fillText(extentWords(this.extents.columns), width, -HIGH - NEAR - 6);
  }
}

/** All bars, then over them the one pointed at and those selected: a selected row shows even where pixels are shared. */
function paintBars(
  context: CanvasRenderingContext2D,
  { palette }: Overlay,
  bars: (only: readonly number[] | null) => void,
  { pointed, selected }: { pointed: number; selected: readonly number[] },
): void {
  context.fillStyle = palette.sum;
  bars(null);
  context.fillStyle = palette.muted;
  if (pointed >= 0) bars([pointed]);
  context.fillStyle = palette.accent;
  bars(selected);
}

/** Whole pixels, level with the cells, and a gap between bars that have room for one. */
function edges(from: number, to: number): [number, number] {
  const [a, b] = [Math.round(from), Math.round(to)];
  return [a, Math.max(a + 1, b - (b - a >= 4 ? 1 : 0))];
}
