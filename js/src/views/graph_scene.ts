// The state behind one EdgeGraph view, without DOM: what is shown, drawn, selected, pointed at, zoomed to.

import { colorsByUnit, type LayerClusters } from "../core/clusters.ts";
import { columnOfLayer, type Edge, type Graph, type Node, nodeOfName } from "../core/graph_content.ts";
import {
  type Camera,
  type GraphLayout,
  layoutGraph,
  nodeY,
  type Point,
  pan,
  toScreen,
  wholeView,
  zoomAt,
} from "../core/graph_layout.ts";
import { type Lit, lightPaths, NO_PATHS } from "../core/graph_lit.ts";
import type { Path } from "../core/graph_paths.ts";
import {
  type Drawn,
  type Quantity,
  type Strengths,
  strengths,
  strongest,
  strongestPerUnit,
} from "../core/graph_strength.ts";
import { type Change, changeRows, layerOf, unitName } from "../core/selection.ts";

/** What has changed, and with it what must be painted again. */
export type GraphPart = "graph" | "size" | "edges" | "nodes" | "camera" | "overlay";

/** What is brought into view is at least this far from the frame. */
const MARGIN = 30;

export class GraphScene {
  graph: Graph | null = null;
  sample = 0;
  quantity: Quantity = "contribution";
  shown = 400;
  perUnit = 0;
  colorBy: "activation" | "cluster" = "activation";
  /** The layer picked elsewhere. */
  layer = "";
  names: readonly string[] = [];
  /** The layer whose units were taken of a brush over several, which a selection cannot hold; "" otherwise. */
  takenOf = "";
  clusters: LayerClusters | null = null;
  camera: Camera = wholeView();
  hover: Node | Edge | null = null;
  /** Where the keyboard stands, and the edge along which it came. */
  cursor: Node | null = null;
  via: Edge | null = null;
  /** The lit path that is pointed at in the list. */
  pointed: Path | null = null;
  layout: GraphLayout | null = null;
  private size = { width: 0, height: 0 };
  private found: Found = { strengths: null, contributions: null, drawn: null };
  private litFor: { key: string; paths: Lit } | null = null;

  constructor(private readonly changed: (part: GraphPart) => void) {}

  setGraph(graph: Graph): void {
    this.graph = graph;
    this.hover = this.cursor = this.via = null;
    this.camera = wholeView();
    this.place();
    this.forget();
    this.changed("graph");
  }

  setSize(width: number, height: number): void {
    if (width === this.size.width && height === this.size.height) return;
    this.size = { width, height };
    this.camera = wholeView();
    this.place();
    this.changed("size");
  }

  get width(): number {
    return this.size.width;
  }

  get height(): number {
    return this.size.height;
  }

  private place(): void {
    const { width, height } = this.size;
    this.layout = this.graph && width > 0 ? layoutGraph(this.graph, width, height) : null;
  }

  private forget(): void {
    this.found = { strengths: null, contributions: null, drawn: null };
    this.litFor = null;
  }

  /** Sets what decides which edges are drawn, and says whether anything is different now. */
  setEdges(choice: { sample?: number; quantity?: Quantity; shown?: number; perUnit?: number }): boolean {
    const { sample, quantity, shown, perUnit } = { ...this, ...choice };
    const other = sample !== this.sample || quantity !== this.quantity;
    if (!other && shown === this.shown && perUnit === this.perUnit) return false;
    Object.assign(this, { sample, quantity, shown, perUnit });
    if (other) this.forget();
    this.found.drawn = null;
    this.changed("edges");
    return true;
  }

  setColors(colorBy: "activation" | "cluster", clusters: LayerClusters | null): void {
    this.colorBy = colorBy;
    this.clusters = clusters;
    this.changed("nodes");
  }

  /** The sample whose values are shown; a graph may hold fewer samples than the one before. */
  get at(): number {
    return Math.min(Math.max(0, this.sample), Math.max(0, (this.graph?.samples.length ?? 1) - 1));
  }

  get strengths(): Strengths {
    if (!this.graph) throw new Error("there is no graph yet");
    this.found.strengths ??= strengths(this.graph, this.at, this.quantity);
    return this.found.strengths;
  }

  /** What the best paths are products of, whichever quantity is drawn. */
  get contributions(): Strengths {
    if (!this.graph || this.quantity === "contribution") return this.strengths;
    this.found.contributions ??= strengths(this.graph, this.at, "contribution");
    return this.found.contributions;
  }

  get drawn(): Drawn {
    if (!this.graph) throw new Error("there is no graph yet");
    this.found.drawn ??=
      this.perUnit > 0
        ? strongestPerUnit(this.graph, this.strengths, this.perUnit)
        : strongest(this.graph, this.strengths, this.shown);
    return this.found.drawn;
  }

  /** The colour number of each unit of a column by cluster, or null where no clusters of it are known. */
  clusterColors(column: number, colors: number): Int32Array | null {
    const { graph, clusters, colorBy } = this;
    if (!graph || colorBy !== "cluster" || !clusters) return null;
    return columnOfLayer(graph, clusters.layer) === column ? colorsByUnit(clusters.labels, colors) : null;
  }

  setLayer(layer: string): void {
    if (layer === this.layer) return;
    this.layer = layer;
    this.changed("nodes");
  }

  setNames(names: readonly string[]): void {
    this.names = names;
    this.takenOf = "";
    this.changed("overlay");
  }

  /** The selected units that stand in this graph, by column. */
  get selected(): Node[] {
    const { graph } = this;
    if (!graph) return [];
    const units = this.names.map((name) => nodeOfName(graph, name)).filter((node) => node !== null);
    const seen = new Set<string>();
    return units.filter(({ column, unit }) => {
      const key = `${column}:${unit}`;
      return !seen.has(key) && seen.add(key);
    });
  }

  /** Changes the selection by hand; it is of one layer, so units of other columns are let go. */
  select(
    column: number,
    units: readonly number[],
    change: Change,
    ofSeveral = false,
  ): { layer: string; names: string[] } {
    const layer = this.layerFor(column);
    const before = this.selected.filter((unit) => unit.column === column).map(({ unit }) => unit);
    const names = changeRows(before, units, change).map((unit) => unitName(layer, unit));
    this.setNames(names);
    if (ofSeveral) this.takenOf = layer;
    return { layer, names };
  }

  /** A column has the names of several layers; the selection keeps the one that others speak of. */
  private layerFor(column: number): string {
    const { graph } = this;
    if (!graph) return "";
    const { name, aliases } = graph.columns[column];
    const spoken = [...this.names.slice(0, 1).map(layerOf), this.layer];
    return spoken.find((layer) => layer === name || aliases.includes(layer)) ?? name;
  }

  point(hover: Node | Edge | null): void {
    if (sameSpot(hover, this.hover)) return;
    this.hover = hover;
    this.changed("overlay");
  }

  moveCursor(cursor: Node | null, via: Edge | null): void {
    this.cursor = cursor;
    this.via = via;
    this.hover = null;
    this.changed("overlay");
  }

  /** The best paths through what is focused or selected. */
  get lit(): Lit {
    const units = this.cursor ? [this.cursor] : this.selected;
    const key = JSON.stringify(units);
    if (this.litFor?.key !== key) {
      this.litFor = { key, paths: this.graph ? lightPaths(this.graph, this.contributions, units) : NO_PATHS };
      this.pointed = null;
    }
    return this.litFor.paths;
  }

  get litPaths(): readonly Path[] {
    const { into, out } = this.lit;
    return [...(into?.paths ?? []), ...(out?.paths ?? [])];
  }

  /** Points at one of the lit paths, from the list of them. */
  pointPath(path: Path | null): void {
    if (path === this.pointed) return;
    this.pointed = path;
    this.changed("overlay");
  }

  panBy(x: number, y: number): void {
    if (this.layout) this.setCamera(pan(this.layout, this.camera, x, y));
  }

  zoomAt(at: Point, factor: number): void {
    if (this.layout) this.setCamera(zoomAt(this.layout, this.camera, at, factor));
  }

  fit(): void {
    this.setCamera(wholeView());
  }

  private setCamera(camera: Camera): void {
    const { scale, dx, dy } = this.camera;
    if (camera.scale === scale && camera.dx === dx && camera.dy === dy) return;
    this.camera = camera;
    this.changed("camera");
  }

  get fitted(): boolean {
    return this.camera.scale === 1;
  }

  /** Where a unit stands on the screen. */
  placeOf({ column, unit }: Node): Point {
    const { graph, layout, camera } = this;
    if (!graph || !layout) return { x: 0, y: 0 };
    return toScreen(camera, { x: layout.x[column], y: nodeY(layout, graph, column, unit) });
  }

  inView(node: Node): boolean {
    const { x, y } = this.placeOf(node);
    return x >= 0 && x <= this.width && y >= (this.layout?.lane ?? 0) && y <= this.height;
  }

  /** Brings a unit into view without a change of scale. */
  reveal(node: Node): void {
    const { x, y } = this.placeOf(node);
    const shift = (at: number, from: number, to: number) => Math.max(from - at, 0) + Math.min(to - at, 0);
    const top = this.layout?.lane ?? 0;
    const [dx, dy] = [shift(x, MARGIN, this.width - MARGIN), shift(y, top + MARGIN, this.height - MARGIN)];
    if (!this.fitted && (dx !== 0 || dy !== 0)) this.panBy(dx, dy);
  }
}

/** What is kept for as long as sample and quantity stay. */
interface Found {
  strengths: Strengths | null;
  contributions: Strengths | null;
  drawn: Drawn | null;
}

export function isNode(spot: Node | Edge | null): spot is Node {
  return spot !== null && "unit" in spot;
}

function sameSpot(a: Node | Edge | null, b: Node | Edge | null): boolean {
  if (!a || !b) return a === b;
  if (isNode(a)) return isNode(b) && a.column === b.column && a.unit === b.unit;
  return !isNode(b) && a.bundle === b.bundle && a.edge === b.edge;
}
