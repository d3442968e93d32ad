// The line under a panel: the cell, row or column that is pointed at, or what the panel holds.

import { type Content, isSquare, type Matrix } from "../core/content.ts";
import { formatCount, plural } from "../core/format.ts";
import { type Readout, readCell, readLine, spokenCell } from "../core/readout.ts";
import type { Cell, Scene } from "../core/scene.ts";
import { make } from "./dom.ts";
import type { ExactAsker } from "./exact.ts";

export class PanelReadout {
  readonly node = make("div", { class: "nbw-readout" });

  constructor(
    private readonly scene: Scene,
    private readonly index: number,
    private readonly matrix: Matrix,
    private readonly exact: ExactAsker,
  ) {}

  /** The row to mark here, -1 for none. */
  get row(): number {
    return this.scene.hover?.row ?? -1;
  }

  /** The column to mark here: the one pointed at, or the same unit when another square matrix is pointed at. */
  get column(): number {
    const { hover, content } = this.scene;
    if (!hover || !content) return -1;
    if (hover.matrix === this.index) return hover.column;
    return isSquare(this.matrix) && isSquare(content.matrices[hover.matrix]) ? hover.column : -1;
  }

  paint(): void {
    const read = this.read();
    if (!read) {
      this.node.replaceChildren(make("span", { class: "nbw-faint" }, this.idle()));
      return;
    }
    const value = read.value ? [make("b", {}, read.value)] : [];
    const samples = read.samples ? [make("span", { class: "nbw-faint" }, read.samples)] : [];
    this.node.replaceChildren(make("span", {}, read.who), ...value, ...samples);
  }

  /** What a reader hears when the keyboard comes to a cell. */
  spoken({ row, column }: Cell): string {
    const { content } = this.scene;
    if (!content) return "";
    return spokenCell(content, this.matrix, this.cell(content, row, column), [row, column]);
  }

  private read(): Readout | null {
    const { row, column } = this;
    const { content } = this.scene;
    if (!content || (row < 0 && column < 0)) return null;
    return row < 0 || column < 0
      ? readLine(content, this.matrix, row, column)
      : this.cell(content, row, column);
  }

  private cell(content: Content, row: number, column: number): Readout {
    const pointed = this.scene.hover?.matrix === this.index;
    const { matrix } = this;
    const exact = matrix.values || !pointed ? null : this.exact.valueOf(matrix.id, row, column);
    return readCell(content, matrix, row, column, exact);
  }

  private idle(): string {
    const { columns, samples, base } = this.matrix;
    if (columns) return `${plural(base.rows, "unit")} × ${formatCount(base.columns)} ${columns.title}`;
    return samples === null ? "" : `n = ${formatCount(samples)}`;
  }
}
