// One feature map, enlarged: opened by a click on its tile, with its values on hover.

import { decodeCode } from "../core/codes.ts";
import { formatApproximate } from "../core/format.ts";
import { type Edge, endsOf, type Graph, type Maps, type Node, nameOfNode } from "../core/graph_content.ts";
import { curveY } from "../core/graph_curve.ts";
import { courseOf, type GraphLayout, halfWidth, markAt, type Point } from "../core/graph_layout.ts";
import { leastCovering } from "../core/least_covering.ts";
import { button, context2d, make, setText } from "./dom.ts";
import { cssOf, type GraphColors } from "./graph_colors.ts";
import { endsInWords } from "./graph_heads.ts";
import type { GraphScene } from "./graph_scene.ts";
import { mapOf, pixelOfCode } from "./graph_tiles.ts";
import { gradient } from "./legend.ts";

/** Side of the enlarged map in CSS pixels: as large as it can be without covering what the card is about. */
const SIDES = [208, 152, 112];
/** No map needs cells larger than this. */
const LARGEST_CELL = 44;
/** Points taken of each lit edge. */
const SAMPLES = 16;

export class MapCard {
  readonly node: HTMLElement;
  private readonly title = make("b");
  private readonly sample = make("span", { class: "nbw-how" });
  private readonly canvas = make("canvas", { class: "nbw-graph-map", "aria-hidden": "true" });
  private readonly value = make("div", { class: "nbw-graph-map-value" });
  private readonly scale = make("div", { class: "nbw-graph-range" });
  private readonly close: HTMLButtonElement;
  private open: Node | null = null;
  private colors: GraphColors | null = null;

  constructor(
    private readonly scene: GraphScene,
    private readonly closed: () => void,
    signal: AbortSignal,
  ) {
    this.close = button("×", "close (Esc)", () => this.hide(), signal);
    this.node = make(
      "div",
      { class: "nbw-graph-card", role: "dialog", "aria-label": "feature map", hidden: true },
      make("div", { class: "nbw-graph-card-head" }, this.title, this.sample, this.close),
      this.canvas,
      this.value,
      this.scale,
    );
    this.canvas.addEventListener("pointermove", (event) => this.read(event), { signal });
    this.canvas.addEventListener("pointerleave", () => this.summarise(), { signal });
    this.node.addEventListener(
      "keydown",
      (event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        event.stopPropagation();
        this.hide();
      },
      { signal },
    );
  }

  get shown(): boolean {
    return this.open !== null;
  }

  /** True where the unit has a map to show. */
  show(unit: Node, colors: GraphColors): boolean {
    const { graph } = this.scene;
    if (!graph?.columns[unit.column].maps) return false;
    this.open = unit;
    this.node.hidden = false;
    this.paint(colors);
    this.close.focus({ preventScroll: true });
    return true;
  }

  hide(): void {
    if (!this.open) return;
    const held = this.node.contains(document.activeElement);
    this.open = null;
    this.node.hidden = true;
    if (held) this.closed();
  }

  paint(colors: GraphColors): void {
    const shown = this.map();
    if (!shown || !this.open) {
      this.hide();
      return;
    }
    const { graph, maps } = shown;
    this.colors = colors;
    setText(this.title, nameOfNode(graph, this.open));
    setText(this.sample, graph.samples[this.scene.at] ?? "");
    const bar = make("i", {});
    bar.style.background = gradient(maps.low < 0 ? colors.diverging : colors.sequential);
    const [low, high] = endsInWords(maps);
    this.scale.replaceChildren(make("span", {}, low), bar, make("span", {}, high));
    this.summarise();
    this.place();
  }

  private paintMap({ maps, map }: { maps: Maps; map: Uint8Array }, side: number): void {
    if (!this.colors) return;
    const cell = Math.min(LARGEST_CELL, side / Math.max(maps.width, maps.height));
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(cell * maps.width * ratio);
    this.canvas.height = Math.round(cell * maps.height * ratio);
    this.canvas.style.width = `${cell * maps.width}px`;
    const context = context2d(this.canvas);
    const edge = (k: number, cells: number, side: number) => Math.round((k * side) / cells);
    for (let k = 0; k < map.length; k++) {
      const [x, y] = [k % maps.width, Math.floor(k / maps.width)];
      const [left, top] = [edge(x, maps.width, this.canvas.width), edge(y, maps.height, this.canvas.height)];
      context.fillStyle = cssOf(pixelOfCode(maps, map[k], this.colors));
      context.fillRect(
        left,
        top,
        edge(x + 1, maps.width, this.canvas.width) - left,
        edge(y + 1, maps.height, this.canvas.height) - top,
      );
    }
  }

  private map(): { graph: Graph; maps: Maps; map: Uint8Array } | null {
    const { graph, at } = this.scene;
    const column = this.open && graph?.columns[this.open.column];
    if (!this.open || !graph || !column?.maps) return null;
    return { graph, maps: column.maps, map: mapOf(column.maps, column.units, at, this.open.unit) };
  }

  /** Near the tile, where it covers neither that nor the lit paths; smaller if it must be. */
  place(): void {
    const { scene, node } = this;
    const shown = this.map();
    if (!this.open || !shown || !scene.layout) return;
    const points = this.whatItIsAbout(shown.graph, scene.layout);
    for (const side of SIDES) {
      this.paintMap(shown, side);
      const box = { width: node.offsetWidth, height: node.offsetHeight };
      const top = scene.layout.lane;
      const { at, covered } = leastCovering(box, scene, top, points, scene.placeOf(this.open));
      node.style.left = `${at.x}px`;
      node.style.top = `${at.y}px`;
      if (covered === 0) return;
    }
  }

  /** Points on the tile and along the lit paths. */
  private whatItIsAbout(graph: Graph, layout: GraphLayout): Point[] {
    const { scene, open } = this;
    if (!open) return [];
    const { x, y } = scene.placeOf(open);
    const half = halfWidth(markAt(graph, layout, open.column, scene.camera.scale)) + 4;
    const tile = [-half, 0, half].flatMap((dx) => [-half, 0, half].map((dy) => ({ x: x + dx, y: y + dy })));
    const edges = scene.litPaths.flatMap(({ steps }) => steps);
    // The tile counts more than any path.
    return [
      ...Array.from({ length: 20 }, () => tile).flat(),
      ...edges.flatMap((edge) => pointsAlong(scene, edge)),
    ];
  }

  private summarise(): void {
    const shown = this.map();
    if (shown) setText(this.value, `${shown.maps.height} × ${shown.maps.width}, point to read values`);
  }

  private read(event: PointerEvent): void {
    const shown = this.map();
    const box = this.canvas.getBoundingClientRect();
    if (!shown || box.width === 0) return;
    const { maps, map } = shown;
    const cell = (at: number, side: number, cells: number) =>
      Math.min(cells - 1, Math.max(0, Math.floor((at / side) * cells)));
    const column = cell(event.clientX - box.left, box.width, maps.width);
    const row = cell(event.clientY - box.top, box.height, maps.height);
    const value = decodeCode(map[row * maps.width + column], { ...maps, diverging: maps.low < 0 });
    setText(this.value, `row ${row}, column ${column}: ${formatApproximate(value, maps.error)}`);
  }
}

function pointsAlong(scene: GraphScene, edge: Edge): Point[] {
  const { graph, layout, camera } = scene;
  if (!graph || !layout) return [];
  const { x0, x1, gaps, lane } = courseOf(graph, layout, camera, edge.bundle);
  const [from, to] = endsOf(graph, edge).map((node) => scene.placeOf(node).y);
  return Array.from({ length: SAMPLES + 1 }, (_, k) => {
    const t = k / SAMPLES;
    return { x: x0 + t * (x1 - x0), y: curveY(t, from, to, gaps, lane) };
  });
}
