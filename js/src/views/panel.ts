// One matrix: its head, its plot with everything that can be done on it, its legend and its read-out.

import { isSquare, labelOfColumn, layerOfColumns, type Matrix, titleOfColumns } from "../core/content.ts";
import { formatCount, plural } from "../core/format.ts";
import { brushArea, type Grid } from "../core/hit.ts";
import { type Box, FRAME, GUTTER } from "../core/layout.ts";
import type { Palette } from "../core/palette.ts";
import type { Cell, Scene } from "../core/scene.ts";
import { CellsCanvas } from "./cells_canvas.ts";
import { button, make, setText } from "./dom.ts";
import type { ExactAsker } from "./exact.ts";
import { type Brush, followGestures } from "./gestures.ts";
import { makeMarks, makeScale } from "./legend.ts";
import { type Overlay, OverlayCanvas } from "./overlay_canvas.ts";
import { PanelPointer, type PointerActions } from "./panel_pointer.ts";
import { PanelReadout } from "./panel_readout.ts";
import { followKeys } from "./plot_keys.ts";
import { SumsCanvas } from "./sums_canvas.ts";
import { TreeView } from "./tree_view.ts";
import { WheelHint } from "./wheel_hint.ts";

export interface PanelActions extends PointerActions {
  setCut(cut: number, done: boolean): void;
  repaint(): void;
  say(text: string): void;
  exact: ExactAsker;
}

/** On a plot this wide, the read-out fits beside the colour bar; otherwise it has a line of its own. */
const READOUT_BESIDE = 500;

export class Panel {
  readonly node: HTMLElement;
  private readonly plot: HTMLElement;
  private readonly stage: HTMLElement;
  private readonly cells = new CellsCanvas();
  private readonly overlay = new OverlayCanvas();
  private readonly tree: TreeView | null;
  private readonly sums: SumsCanvas | null;
  private readonly readout: PanelReadout;
  private readonly foot = make("div", { class: "nbw-foot" });
  private readonly note = make("span", { class: "nbw-note" });
  private readonly wheelHint: WheelHint;
  private readonly legend = make("div", { class: "nbw-legend" });
  private legendDark: boolean | null = null;
  private brush: Brush | null = null;
  private box: Box = { panel: 0, tree: 0, width: 0, height: 0, above: 0, below: 0, sums: 0 };

  constructor(
    private readonly index: number,
    private readonly matrix: Matrix,
    private readonly scene: Scene,
    private readonly actions: PanelActions,
    signal: AbortSignal,
  ) {
    this.readout = new PanelReadout(scene, index, matrix, actions.exact);
    this.sums = matrix.sums ? new SumsCanvas(matrix.sums) : null;
    this.wheelHint = new WheelHint(signal);
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
      ...(this.sums ? [this.sums.canvas] : []),
      this.wheelHint.node,
    );
    this.stage = make("div", { class: "nbw-stage" }, ...(this.tree ? [this.tree.node] : []), this.plot);
    this.foot.append(this.legend, this.readout.node);
    this.node = make(
      "div",
      { class: "nbw-panel", role: "group", "aria-label": matrix.title, "data-matrix": matrix.id },
      this.head(signal),
      this.stage,
      this.foot,
      make("div", { class: "nbw-notes" }, ...makeMarks(matrix), this.note),
    );
    followGestures(this.plot, this.pointer(), signal);
    followKeys(this.plot, { scene, index, matrix, ...this.keyActions() }, signal);
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
    const sums = matrix.sums ? ", with their sums" : "";
    const column = matrix.columns?.layer ? " c or Alt+Enter the column's unit," : "";
    return `${matrix.title}: ${rows} by ${columns}${sums}. Arrow keys move, Enter selects the row's unit,${column} + and − zoom, 0 shows everything, Escape clears.`;
  }

  private treeActions() {
    return {
      select: (rows: number[], add: boolean) => this.actions.select(rows, add ? "add" : "replace"),
      setCut: this.actions.setCut,
    };
  }

  private keyActions() {
    const { scene, index, matrix, actions } = this;
    return {
      select: actions.select,
      selectColumn: (column: number) => {
        const selectable = scene.content && layerOfColumns(scene.content, matrix) !== null;
        if (selectable) actions.selectColumns(index, [column], "toggle");
        return Boolean(selectable);
      },
      read: (cell: Cell) => {
        scene.showCell(cell);
        scene.point(cell);
        actions.say(this.readout.spoken(cell));
      },
    };
  }

  private pointer(): PanelPointer {
    const { scene, index, matrix, actions } = this;
    return new PanelPointer({
      scene,
      index,
      matrix,
      actions,
      grid: () => this.grid(),
      brush: (box) => {
        this.brush = box;
        actions.repaint();
      },
      hint: () => this.wheelHint.show(),
    });
  }

  private grid(): Grid {
    const { box, scene, matrix } = this;
    return {
      box,
      rows: scene.rowSpan,
      columns: scene.columnSpan(this.index),
      rowCount: matrix.base.rows,
      columnCount: matrix.base.columns,
    };
  }

  place(box: Box): void {
    this.box = box;
    const inside = box.panel - FRAME - box.tree;
    this.node.style.width = `${box.panel}px`;
    this.stage.style.marginTop = `${box.above}px`;
    this.plot.style.width = `${box.width + GUTTER + box.sums}px`;
    this.plot.style.height = `${box.height + box.below}px`;
    this.foot.style.marginLeft = `${box.tree}px`;
    const wide = box.width >= READOUT_BESIDE;
    this.foot.style.width = `${wide || box.tree > 0 ? box.width : Math.min(inside, box.width + GUTTER + box.sums)}px`;
    this.foot.classList.toggle("nbw-wide", wide);
    this.readout.node.style.marginLeft = wide ? "0" : `${-box.tree}px`;
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
    const overlay = this.overlaid(palette);
    if (!overlay) return;
    this.overlay.paint(overlay);
    this.sums?.paint(overlay);
    this.readout.paint();
  }

  private overlaid(palette: Palette): Overlay | null {
    const { scene, index, matrix, box, readout } = this;
    const { content } = scene;
    if (!content) return null;
    return {
      ...this.grid(),
      width: box.width,
      height: box.height,
      below: box.below,
      selectedRows: scene.rows,
      selectedColumns: scene.selectedColumns(index),
      square: isSquare(matrix),
      row: readout.row,
      column: readout.column,
      framed: readout.row >= 0 && readout.column >= 0,
      brush: this.brush && brushArea(this.grid(), this.brush),
      rowLabel: (row) => String(content.units[row]),
      columnLabel: (k) => labelOfColumn(content, matrix, k),
      columnTitle: titleOfColumns(content, matrix),
      palette,
    };
  }
}
