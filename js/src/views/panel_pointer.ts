// What mouse and touch do on a panel: cells select rows, labels and sums select whole rows or whole columns.

import { layerOfColumns, type Matrix } from "../core/content.ts";
import { cellsUnder, type Grid, placeAt } from "../core/hit.ts";
import type { Scene } from "../core/scene.ts";
import type { Change } from "../core/selection.ts";
import type { Brush, Gestures } from "./gestures.ts";

export interface PointerActions {
  select(rows: readonly number[], change: Change): void;
  selectColumns(matrix: number, columns: readonly number[], change: Change): void;
  restore(names: readonly string[]): void;
  panning(): boolean;
}

export interface Pointed {
  scene: Scene;
  index: number;
  matrix: Matrix;
  actions: PointerActions;
  grid(): Grid;
  brush(box: Brush | null): void;
  hint(): void;
}

/** Clicks closer together than this, in milliseconds, may be one double click; systems use up to 500. */
const DOUBLE_CLICK = 500;

export class PanelPointer implements Gestures {
  private beforeClicks: { at: number; names: readonly string[] } | null = null;

  constructor(private readonly on: Pointed) {}

  panning(): boolean {
    return this.on.actions.panning();
  }

  move(x: number, y: number): void {
    const { scene, index, grid } = this.on;
    const place = placeAt(grid(), x, y);
    scene.point(place && { matrix: index, ...place });
  }

  leave(): void {
    this.on.scene.point(null);
  }

  click(x: number, y: number, add: boolean): void {
    this.rememberBefore();
    const place = placeAt(this.on.grid(), x, y);
    if (!place) return;
    const change = add ? "toggle" : "replace";
    if (place.row >= 0) this.on.actions.select([place.row], change);
    else this.selectColumns([place.column], change);
  }

  private rememberBefore(): void {
    const now = performance.now();
    const last = this.beforeClicks;
    const names = last && now - last.at < DOUBLE_CLICK ? last.names : this.on.scene.selected;
    this.beforeClicks = { at: now, names };
  }

  private selectColumns(columns: number[], change: Change): void {
    const { scene, matrix, index, actions } = this.on;
    if (scene.content && layerOfColumns(scene.content, matrix) !== null)
      actions.selectColumns(index, columns, change);
  }

  brush(box: Brush | null): void {
    this.on.brush(box);
  }

  brushed(box: Brush, add: boolean): void {
    const { grid, matrix, actions } = this.on;
    const { rows, columns } = cellsUnder(grid(), box);
    const change = add ? "add" : "replace";
    const across = columns ? fill(columns) : [];
    if (!rows) this.selectColumns(across, change);
    // In a square matrix a brush over cells takes the units of its columns too.
    else actions.select(matrix.columns === null ? [...fill(rows), ...across] : fill(rows), change);
  }

  pan(dx: number, dy: number): void {
    const { box } = this.on.grid();
    this.on.scene.panBy(this.on.index, -dx / box.width, -dy / box.height);
  }

  zoom(x: number, y: number, factor: number): void {
    const { box } = this.on.grid();
    const within = (share: number) => Math.min(1, Math.max(0, share));
    this.on.scene.zoomAt(this.on.index, within(x / box.width), within(y / box.height), factor);
  }

  fit(): void {
    // The clicks of a double click have selected a row each; what was selected before them stays.
    if (this.beforeClicks) this.on.actions.restore(this.beforeClicks.names);
    this.on.scene.fit();
  }

  plainWheel(): void {
    this.on.hint();
  }
}

function fill([first, last]: [number, number]): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}
