// One matrix: its head, its plot with everything that can be done on it, its legend and its read-out.

import { isSquare, type Matrix, nameOfColumn } from "../core/content.ts";
import { formatCount, plural } from "../core/format.ts";
import { BELOW, type Box, GUTTER } from "../core/layout.ts";
import type { Palette } from "../core/palette.ts";
import { readCell } from "../core/readout.ts";
import type { Cell, Scene } from "../core/scene.ts";
import { cellAt, cellsBetween } from "../core/span.ts";
import { CellsCanvas } from "./cells_canvas.ts";
import { button, make, setText } from "./dom.ts";
import type { ExactAsker } from "./exact.ts";
import { type Brush, followGestures, type Gestures } from "./gestures.ts";
import { makeMarks, makeScale } from "./legend.ts";
import { OverlayCanvas } from "./overlay_canvas.ts";
import { followKeys } from "./plot_keys.ts";
import { TreeView } from "./tree_view.ts";

export interface PanelActions {
  select(rows: number[], change: "replace" | "add" | "toggle"): void;
  restore(names: readonly string[]): void;
  setCut(cut: number, done: boolean): void;
  panning(): boolean;
  repaint(): void;
  say(text: string): void;
  exact: ExactAsker;
}

/** On a plot this wide, the read-out fits beside the colour bar; otherwise it has a line of its own. */
const READOUT_BESIDE = 500;
/** Clicks closer together than this, in milliseconds, may be one double click; systems use up to 500. */
const DOUBLE_CLICK = 500;

export class Panel {
  readonly node: HTMLElement;
  private readonly plot: HTMLElement;
  private readonly stage: HTMLElement;
  private readonly cells = new CellsCanvas();
  private readonly overlay = new OverlayCanvas();
  private readonly tree: TreeView | null;
  private readonly readout = make("div", { class: "nbw-readout" });
  private readonly foot = make("div", { class: "nbw-foot" });
  private readonly note = make("span", { class: "nbw-note" });
  private readonly wheelHint = make(
    "div",
    { class: "nbw-wheel-hint", hidden: true },
    "Ctrl or ⌘ + wheel zooms",
  );
  private readonly legend = make("div", { class: "nbw-legend" });
  private legendDark: boolean | null = null;
  private brush: Brush | null = null;
  private beforeClicks: { at: number; names: readonly string[] } | null = null;
  private box: Box = { panel: 0, tree: 0, width: 0, height: 0, above: 0 };
  private hintTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly index: number,
    private readonly matrix: Matrix,
    private readonly scene: Scene,
    private readonly actions: PanelActions,
    signal: AbortSignal,
  ) {
    this.tree = index === 0 ? new TreeView(scene, this.treeActions(), signal) : null;
    this.plot = make(
      "div",
      {
        class: "nbw-plot",
        tabindex: "0",
        role: "application",
        "aria-roledescription": "heatmap",
        "aria-label": this.summary(),
      },
      this.cells.canvas,
      this.overlay.canvas,
      this.wheelHint,
    );
    this.stage = make("div", { class: "nbw-stage" }, ...(this.tree ? [this.tree.node] : []), this.plot);
    this.foot.append(this.legend, this.readout);
    this.node = make(
      "div",
      { class: "nbw-panel", role: "group", "aria-label": matrix.title, "data-matrix": matrix.id },
      this.head(signal),
      this.stage,
      this.foot,
      make("div", { class: "nbw-notes" }, ...makeMarks(matrix), this.note),
    );
    followGestures(this.plot, this.gestures(), signal);
    followKeys(this.plot, { scene, index, matrix, ...this.keyActions() }, signal);
    signal.addEventListener("abort", () => clearTimeout(this.hintTimer), { once: true });
  }

  private head(signal: AbortSignal): HTMLElement {
    const zoom = (factor: number) => this.scene.zoomAt(this.index, 0.5, 0.5, factor);
    const tools = make(
      "span",
      { class: "nbw-zoom", role: "group", "aria-label": `zoom ${this.matrix.title}` },
      button("−", "zoom out (−)", () => zoom(1 / 1.6), signal),
      button("+", "zoom in (+)", () => zoom(1.6), signal),
      button("fit", "show everything (0, or double click)", () => this.scene.fit(), signal),
    );
    const { title: name, how: made } = this.matrix;
    const title = make("span", { class: "nbw-title", title: name }, name);
    const how = make("span", { class: "nbw-how", title: made }, made);
    return make("div", { class: "nbw-head" }, title, how, tools);
  }

  private summary(): string {
    const { matrix } = this;
    const rows = plural(matrix.base.rows, "unit");
    const columns = matrix.columns
      ? `${formatCount(matrix.base.columns)} ${matrix.columns.title}`
      : "the same units";
    return `${matrix.title}: ${rows} by ${columns}. Arrow keys move, Enter selects the unit, + and − zoom, 0 shows everything, Escape clears.`;
  }

  private treeActions() {
    return {
      select: (rows: number[], add: boolean) => this.actions.select(rows, add ? "add" : "replace"),
      setCut: this.actions.setCut,
    };
  }

  private keyActions() {
    return {
      select: this.actions.select,
      read: (cell: Cell) => {
        this.scene.showCell(cell);
        this.scene.point(cell);
        const { who, value } = this.read(cell);
        this.actions.say(`${who}, ${value}`);
      },
    };
  }

  private cellUnder(x: number, y: number): Cell | null {
    const { rows, columns } = this.matrix.base;
    const row = cellAt(this.scene.rowSpan, rows, this.box.height, y);
    const column = cellAt(this.scene.columnSpan(this.index), columns, this.box.width, x);
    return row < 0 || column < 0 ? null : { matrix: this.index, row, column };
  }

  private gestures(): Gestures {
    const { scene, index, actions } = this;
    return {
      panning: () => actions.panning(),
      move: (x, y) => scene.point(this.cellUnder(x, y)),
      leave: () => scene.point(null),
      click: (x, y, add) => this.click(x, y, add),
      brush: (box) => {
        this.brush = box;
        actions.repaint();
      },
      brushed: (box, add) => this.brushed(box, add),
      pan: (dx, dy) => scene.panBy(index, -dx / this.box.width, -dy / this.box.height),
      zoom: (x, y, factor) => scene.zoomAt(index, x / this.box.width, y / this.box.height, factor),
      fit: () => {
        // The clicks of a double click have selected a row each; what was selected before them stays.
        if (this.beforeClicks) actions.restore(this.beforeClicks.names);
        scene.fit();
      },
      plainWheel: () => this.showWheelHint(),
    };
  }

  private click(x: number, y: number, add: boolean): void {
    const now = performance.now();
    const last = this.beforeClicks;
    const names = last && now - last.at < DOUBLE_CLICK ? last.names : this.scene.selected;
    this.beforeClicks = { at: now, names };
    const row = cellAt(this.scene.rowSpan, this.matrix.base.rows, this.box.height, y);
    if (row >= 0 && x < this.box.width + GUTTER) this.actions.select([row], add ? "toggle" : "replace");
  }

  private brushed(box: Brush, add: boolean): void {
    const { rows, columns } = this.matrix.base;
    const found = fill(cellsBetween(this.scene.rowSpan, rows, this.box.height, box.y0, box.y1));
    if (isSquare(this.matrix)) {
      const span = this.scene.columnSpan(this.index);
      found.push(...fill(cellsBetween(span, columns, this.box.width, box.x0, box.x1)));
    }
    this.actions.select(found, add ? "add" : "replace");
  }

  private showWheelHint(): void {
    this.wheelHint.hidden = false;
    clearTimeout(this.hintTimer);
    this.hintTimer = setTimeout(() => {
      this.wheelHint.hidden = true;
    }, 1200);
  }

  place(box: Box): void {
    this.box = box;
    this.node.style.width = `${box.panel}px`;
    this.stage.style.marginTop = `${box.above}px`;
    this.plot.style.width = `${box.width + GUTTER}px`;
    this.plot.style.height = `${box.height + BELOW}px`;
    this.foot.style.marginLeft = `${box.tree}px`;
    this.foot.style.width = `${box.width}px`;
    const wide = box.width >= READOUT_BESIDE;
    this.foot.classList.toggle("nbw-wide", wide);
    this.readout.style.marginLeft = wide ? "0" : `${-box.tree}px`;
  }

  paintCells(palette: Palette): void {
    const { scene, index, matrix, box } = this;
    if (this.legendDark !== palette.dark) {
      this.legend.replaceChildren(makeScale(matrix, palette.dark));
      this.legendDark = palette.dark;
    }
    const columns = scene.columnSpan(index);
    const shared = this.cells.paint(matrix, scene.rowSpan, columns, box.width, box.height, palette);
    const pooled =
      shared[0] * shared[1] > 1 ? `each pixel: strongest of ${shared[0]} × ${shared[1]} cells` : "";
    const hidden = this.tree && shared[0] > 1 ? "tree: branches within a pixel left out" : "";
    setText(this.note, [matrix.note, pooled, hidden].filter(Boolean).join(" · "));
  }

  paintTree(palette: Palette): void {
    this.tree?.paint(this.box.tree, this.box.height, palette);
  }

  paintOverlay(palette: Palette): void {
    const { scene, index, matrix, box } = this;
    const content = scene.content;
    if (!content) return;
    const hover = scene.hover;
    const column = this.pointedColumn();
    this.overlay.paint({
      rows: scene.rowSpan,
      columns: scene.columnSpan(index),
      rowCount: matrix.base.rows,
      columnCount: matrix.base.columns,
      width: box.width,
      height: box.height,
      selectedRows: scene.rows,
      selectedColumns: isSquare(matrix) ? scene.rows : [],
      row: hover?.row ?? -1,
      column,
      framed: column >= 0,
      brush: this.brush,
      rowLabel: (row) => String(content.units[row]),
      columnLabel: (k) => (isSquare(matrix) ? String(content.units[k]) : nameOfColumn(content, matrix, k)),
      columnTitle: this.columnTitle(content.layer),
      palette,
    });
    this.paintReadout(hover, column);
  }

  private columnTitle(layer: string): string {
    const { columns } = this.matrix;
    return columns ? columns.title : `units of ${layer}`;
  }

  /** The column to mark here: the one pointed at, or the same unit when another square matrix is pointed at. */
  private pointedColumn(): number {
    const { hover, content } = this.scene;
    if (!hover || !content) return -1;
    if (hover.matrix === this.index) return hover.column;
    return isSquare(this.matrix) && isSquare(content.matrices[hover.matrix]) ? hover.column : -1;
  }

  private paintReadout(hover: Cell | null, column: number): void {
    const content = this.scene.content;
    if (!content || !hover) {
      this.readout.replaceChildren(make("span", { class: "nbw-faint" }, this.idle()));
      return;
    }
    if (column < 0) {
      this.readout.replaceChildren(make("span", {}, `${content.layer}:${content.units[hover.row]}`));
      return;
    }
    const { who, value, samples } = this.read({ matrix: this.index, row: hover.row, column });
    this.readout.replaceChildren(
      make("span", {}, who),
      make("b", {}, value),
      make("span", { class: "nbw-faint" }, samples),
    );
  }

  private idle(): string {
    const { columns, samples } = this.matrix;
    const n = samples === null ? "" : `n = ${formatCount(samples)}`;
    return columns
      ? `${plural(this.matrix.base.rows, "unit")} × ${formatCount(this.matrix.base.columns)} ${columns.title}`
      : n;
  }

  private read({ row, column }: Cell) {
    const { content } = this.scene;
    if (!content) return { who: "", value: "", samples: "" };
    const pointed = this.scene.hover?.matrix === this.index;
    const exact =
      this.matrix.values || !pointed ? null : this.actions.exact.valueOf(this.matrix.id, row, column);
    return readCell(content, this.matrix, row, column, exact);
  }
}

function fill([first, last]: [number, number]): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}
