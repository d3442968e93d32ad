// The state behind one LinkedHeatmaps view, without DOM: what is shown, cut, selected, pointed at, zoomed to.

import { type Chosen, changedByColumns, changedByRows, choose } from "./chosen.ts";
import { type Content, isSquare, sameColumns, sameUnits } from "./content.ts";
import { branchAt, type Clusters, clustersAt } from "./dendrogram.ts";
import type { Change } from "./selection.ts";
import { pan, resize, reveal, type Span, whole, zoom } from "./span.ts";

export type Part = "content" | "cut" | "selection" | "spans" | "hover";

/**
 * The cell under the pointer or the keyboard cursor: a matrix, a display row and a display column. A column of -1
 * stands for the whole row (its label, its sum), a row of -1 for the whole column.
 */
export interface Cell {
  matrix: number;
  row: number;
  column: number;
}

const NOTHING: Clusters = { labels: new Int32Array(0), count: 0, starts: [0] };

export class Scene {
  content: Content | null = null;
  cut = 0;
  clusters: Clusters = NOTHING;
  hover: Cell | null = null;
  rowSpan: Span = whole(0);
  private chosen: Chosen = choose(null, []);
  private unitColumns: Span = whole(0);
  private ownColumns: Span[] = [];

  constructor(private readonly changed: (part: Part) => void) {}

  /** A panel may come to the same units, when its computation is done: what is zoomed to then stays where it is. */
  setContent(content: Content): void {
    const before = this.content;
    this.content = content;
    this.hover = null;
    this.recluster();
    this.chosen = choose(content, this.selected);
    if (before && sameUnits(before, content)) this.keepSpans(before, content);
    else this.fit();
    this.changed("content");
  }

  private keepSpans(before: Content, content: Content): void {
    this.ownColumns = content.matrices.map((matrix) => {
      const old = before.matrices.findIndex((other) => sameColumns(other, matrix));
      return old >= 0 ? this.ownColumns[old] : whole(matrix.base.columns);
    });
  }

  setCut(cut: number): void {
    if (cut === this.cut || !Number.isFinite(cut)) return;
    this.cut = cut;
    this.recluster();
    this.changed("cut");
  }

  private recluster(): void {
    const content = this.content;
    this.clusters = content ? clustersAt(content.tree, this.cut, content.rows) : NOTHING;
  }

  get rows(): readonly number[] {
    return this.chosen.rows;
  }

  /** Names that are selected but neither a row nor a column here. */
  get unknown(): readonly string[] {
    return this.chosen.unknown;
  }

  /** The names selected, those not shown here among them. */
  get selected(): readonly string[] {
    return this.chosen.names;
  }

  /** The selected names that are shown here, rows first. */
  get shown(): readonly string[] {
    return this.chosen.shown;
  }

  /** Selected columns of a matrix; those of a square one are its rows. */
  selectedColumns(matrix: number): readonly number[] {
    return this.chosen.columns[matrix] ?? [];
  }

  /** Takes a selection from outside. */
  setNames(names: readonly string[]): void {
    this.chosen = choose(this.content, names);
    this.changed("selection");
  }

  /** Changes the selection by hand and returns its names. It is of one layer: names of another one are let go. */
  select(rows: readonly number[], change: Change): readonly string[] {
    if (this.content) this.setNames(changedByRows(this.content, this.chosen, rows, change));
    return this.selected;
  }

  /** The same for columns of a matrix, where they are units. */
  selectColumns(matrix: number, columns: readonly number[], change: Change): readonly string[] {
    const { content } = this;
    if (content) this.setNames(changedByColumns(content, this.chosen, matrix, columns, change));
    return this.selected;
  }

  /** Lets go of one name, known or not, and returns the names left. */
  drop(name: string): readonly string[] {
    this.setNames(this.selected.filter((other) => other !== name));
    return this.selected;
  }

  point(cell: Cell | null): void {
    const was = this.hover;
    if (was === cell) return;
    if (was && cell && was.matrix === cell.matrix && was.row === cell.row && was.column === cell.column)
      return;
    this.hover = cell;
    this.changed("hover");
  }

  columnSpan(matrix: number): Span {
    const shown = this.content?.matrices[matrix];
    return shown && isSquare(shown) ? this.unitColumns : this.ownColumns[matrix];
  }

  fit(): void {
    const rows = this.content?.rows ?? 0;
    this.rowSpan = whole(rows);
    this.unitColumns = whole(rows);
    this.ownColumns = (this.content?.matrices ?? []).map((matrix) => whole(matrix.base.columns));
    this.changed("spans");
  }

  get fitted(): boolean {
    const rows = this.content?.rows ?? 0;
    const own = this.content?.matrices.every(
      (matrix, i) => isSquare(matrix) || this.ownColumns[i].size >= matrix.base.columns,
    );
    return this.rowSpan.size >= rows && own !== false;
  }

  /** Zooms one matrix about a point given as fractions of its plot; rows move in every matrix. */
  zoomAt(matrix: number, atX: number, atY: number, factor: number): void {
    const shown = this.content?.matrices[matrix];
    if (!shown) return;
    const rows = shown.base.rows;
    const before = this.rowSpan;
    this.rowSpan = zoom(before, rows, atY, factor);
    if (isSquare(shown)) {
      this.unitColumns = resize(this.unitColumns, rows, atX, this.rowSpan.size);
    } else {
      this.ownColumns[matrix] = zoom(this.ownColumns[matrix], shown.base.columns, atX, factor);
      this.followRows();
    }
    this.changed("spans");
  }

  /** Cells of square matrices stay square: their columns show as many units as the rows do, at the same place. */
  private followRows(): void {
    const rows = this.content?.rows ?? 0;
    if (this.unitColumns.size !== this.rowSpan.size)
      this.unitColumns = resize(this.rowSpan, rows, 0, this.rowSpan.size);
  }

  /** Moves one matrix by fractions of its plot. */
  panBy(matrix: number, x: number, y: number): void {
    const shown = this.content?.matrices[matrix];
    if (!shown) return;
    this.rowSpan = pan(this.rowSpan, shown.base.rows, y * this.rowSpan.size);
    const columns = pan(this.columnSpan(matrix), shown.base.columns, x * this.columnSpan(matrix).size);
    if (isSquare(shown)) this.unitColumns = columns;
    else this.ownColumns[matrix] = columns;
    this.changed("spans");
  }

  /** Brings rows into view, and closer when a row would be less than `size` of the plot. */
  show(rows: readonly number[], size = 0): void {
    const content = this.content;
    if (!content || rows.length === 0) return;
    const [first, last] = [rows[0], rows[rows.length - 1]];
    const most = size > 0 ? Math.max(1 / size, last + 1 - first) : this.rowSpan.size;
    if (this.rowSpan.size > most) this.rowSpan = resize(this.rowSpan, content.rows, 0.5, most);
    this.rowSpan = reveal(this.rowSpan, content.rows, first, last);
    this.unitColumns = reveal(
      resize(this.unitColumns, content.rows, 0.5, this.rowSpan.size),
      content.rows,
      first,
      last,
    );
    this.changed("spans");
  }

  /** Brings one cell into view without a change of scale. */
  showCell({ matrix, row, column }: Cell): void {
    const shown = this.content?.matrices[matrix];
    if (!shown) return;
    this.rowSpan = reveal(this.rowSpan, shown.base.rows, row, row);
    this.showColumns(matrix, column, column);
  }

  /** Brings columns into view, without a change of scale if they fit. */
  showColumns(matrix: number, first: number, last: number): void {
    const shown = this.content?.matrices[matrix];
    if (!shown) return;
    const columns = reveal(this.columnSpan(matrix), shown.base.columns, first, last);
    if (isSquare(shown)) this.unitColumns = columns;
    else this.ownColumns[matrix] = columns;
    this.changed("spans");
  }

  /** The rows under the branch that stands at a row and a height of the tree. */
  branchRows(row: number, height: number): number[] {
    const tree = this.content?.tree;
    if (!tree || row < 0 || row >= tree.leaves) return [];
    const [first, last] = branchAt(tree, row, height);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  }

  /** The rows of the cluster that holds `row`; a constant unit stands alone. */
  clusterRows(row: number): number[] {
    const label = this.clusters.labels[row];
    return label ? this.branchRows(row, this.cut) : [row];
  }
}
