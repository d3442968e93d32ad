// What mouse and touch do on the graph: units are selected by a click or a brush, edges only read.

import type { Node } from "../core/graph_content.ts";
import { edgeAt, nodeAt, nodesUnder } from "../core/graph_hit.ts";
import type { Change } from "../core/selection.ts";
import type { Brush, Gestures } from "./gestures.ts";
import type { GraphScene } from "./graph_scene.ts";

export interface GraphPointed {
  scene: GraphScene;
  /** `ofSeveral`: units of other columns, too, were under the brush. */
  select(column: number, units: readonly number[], change: Change, ofSeveral?: boolean): void;
  open(node: Node): void;
  clear(): void;
  restore(names: readonly string[]): void;
  panning(): boolean;
  brush(box: Brush | null): void;
  /** Where the pointer is. */
  at(x: number, y: number): void;
  hint(): void;
}

/** An edge this close to the pointer, in pixels, is meant. */
const REACH = 5;
/** Clicks closer together than this, in milliseconds, may be one double click; systems use up to 500. */
const DOUBLE_CLICK = 500;

export class GraphPointer implements Gestures {
  private beforeClicks: { at: number; names: readonly string[] } | null = null;
  private brushing = false;

  constructor(private readonly on: GraphPointed) {}

  panning(): boolean {
    return this.on.panning();
  }

  move(x: number, y: number): void {
    if (this.brushing) return;
    this.on.at(x, y);
    const { graph, layout, camera, drawn } = this.on.scene;
    if (!graph || !layout) return;
    const spot = nodeAt(graph, layout, camera, x, y) ?? edgeAt(graph, layout, camera, drawn, x, y, REACH);
    this.on.scene.point(spot);
  }

  leave(): void {
    this.on.scene.point(null);
  }

  click(x: number, y: number, add: boolean): void {
    const { graph, layout, camera } = this.on.scene;
    if (!graph || !layout) return;
    this.rememberBefore();
    const node = nodeAt(graph, layout, camera, x, y);
    if (!node) {
      if (!add) this.on.clear();
      return;
    }
    this.on.select(node.column, [node.unit], add ? "toggle" : "replace");
    if (!add) this.on.open(node);
  }

  private rememberBefore(): void {
    const now = performance.now();
    const last = this.beforeClicks;
    const names = last && now - last.at < DOUBLE_CLICK ? last.names : this.on.scene.names;
    this.beforeClicks = { at: now, names };
  }

  brush(box: Brush | null): void {
    this.brushing = box !== null;
    if (box) this.on.scene.point(null);
    this.on.brush(box);
  }

  /** A selection is of one layer: of the columns under the brush the one with the most units is meant. */
  brushed(box: Brush, add: boolean): void {
    const { graph, layout, camera } = this.on.scene;
    if (!graph || !layout) return;
    const byColumn = new Map<number, number[]>();
    for (const { column, unit } of nodesUnder(graph, layout, camera, box))
      byColumn.set(column, [...(byColumn.get(column) ?? []), unit]);
    const [most] = [...byColumn].sort(([, a], [, b]) => b.length - a.length);
    if (most) this.on.select(...most, add ? "add" : "replace", byColumn.size > 1);
    else if (!add) this.on.clear();
  }

  pan(dx: number, dy: number): void {
    this.on.scene.panBy(dx, dy);
  }

  zoom(x: number, y: number, factor: number): void {
    this.on.scene.zoomAt({ x, y }, factor);
  }

  fit(): void {
    // The clicks of a double click have each selected something; what was selected before them stays.
    if (this.beforeClicks) this.on.restore(this.beforeClicks.names);
    this.on.scene.fit();
  }

  plainWheel(): void {
    this.on.hint();
  }
}
