// The cells of one matrix on a canvas: only the pixels on screen are computed.

import { decodeCode, MARKS, STEPS } from "../core/codes.ts";
import type { Matrix } from "../core/content.ts";
import { formatCell } from "../core/format.ts";
import type { Palette } from "../core/palette.ts";
import { cellsPerPixel, type Frame, makeLut, paintFrame, wantsDarkText } from "../core/raster.ts";
import { edgeOf, type Span } from "../core/span.ts";
import { context2d, make, sizeCanvas } from "./dom.ts";

/** Cells smaller than this, in CSS pixels, have no room for a number or a glyph. */
const TEXT_FITS = 34;
const GLYPH_FITS = 12;

export class CellsCanvas {
  readonly canvas = make("canvas", { class: "nbw-cells", "aria-hidden": "true" });
  private image: ImageData | null = null;
  private lut: Uint32Array = new Uint32Array(256);
  private lutFor: { matrix: Matrix; palette: Palette } | null = null;

  /** Paints the visible cells and returns how many cells share a device pixel, down and across. */
  paint(
    matrix: Matrix,
    rows: Span,
    columns: Span,
    width: number,
    height: number,
    palette: Palette,
  ): [number, number] {
    const ratio = sizeCanvas(this.canvas, width, height);
    const context = context2d(this.canvas);
    this.colour(matrix, palette);
    const frame: Frame = { width: this.canvas.width, height: this.canvas.height, rows, columns };
    if (this.image?.width !== frame.width || this.image.height !== frame.height) {
      this.image = context.createImageData(frame.width, frame.height);
    }
    const pixels = new Uint32Array(this.image.data.buffer);
    paintFrame(pixels, matrix.pyramid, matrix.base, frame, this.lut);
    context.putImageData(this.image, 0, 0);
    const cell = Math.min(width / columns.size, height / rows.size);
    if (cell >= GLYPH_FITS)
      this.write(context, matrix, rows, columns, { width, height, ratio, cell, palette });
    return cellsPerPixel(frame);
  }

  private colour(matrix: Matrix, palette: Palette): void {
    if (this.lutFor?.matrix === matrix && this.lutFor.palette === palette) return;
    this.lut = makeLut(palette.dark ? matrix.colors.dark : matrix.colors.light, palette.marks);
    this.lutFor = { matrix, palette };
  }

  private write(
    context: CanvasRenderingContext2D,
    matrix: Matrix,
    rows: Span,
    columns: Span,
    { width, height, ratio, cell, palette }: Room,
  ): void {
    const marked = matrix.marks.some((count) => count > 0);
    if (cell < TEXT_FITS && !marked) return;
    context.save();
    context.scale(ratio, ratio);
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.font = `${cell >= 44 ? 11 : 10}px ${palette.font}`;
    const { base } = matrix;
    for (let row = Math.floor(rows.start); row < Math.min(base.rows, rows.start + rows.size); row++) {
      const y = edgeOf(rows, height, row + 0.5);
      for (
        let column = Math.floor(columns.start);
        column < Math.min(base.columns, columns.start + columns.size);
        column++
      ) {
        const text = this.textOf(matrix, row * base.columns + column, cell);
        if (text) {
          context.fillStyle = wantsDarkText(this.lut[base.codes[row * base.columns + column]])
            ? "#16191d"
            : "#ffffff";
          context.fillText(text, edgeOf(columns, width, column + 0.5), y);
        }
      }
    }
    context.restore();
  }

  private textOf(matrix: Matrix, index: number, cell: number): string {
    const code = matrix.base.codes[index];
    if (code > STEPS) return MARKS[code - STEPS - 1].glyph;
    if (cell < TEXT_FITS) return "";
    return formatCell(matrix.values ? matrix.values[index] : decodeCode(code, matrix));
  }
}

interface Room {
  width: number;
  height: number;
  ratio: number;
  cell: number;
  palette: Palette;
}
