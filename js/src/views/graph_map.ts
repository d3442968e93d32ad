// One feature map, enlarged: opened by a click on its tile, with its values on hover.

import { decodeCode } from "../core/codes.ts";
import { formatApproximate } from "../core/format.ts";
import { type Graph, type Maps, type Node, nameOfNode } from "../core/graph_content.ts";
import { button, context2d, make, setText } from "./dom.ts";
import { cssOf, type GraphColors } from "./graph_colors.ts";
import { endsInWords } from "./graph_heads.ts";
import type { GraphScene } from "./graph_scene.ts";
import { mapOf, pixelOfCode } from "./graph_tiles.ts";
import { gradient } from "./legend.ts";

/** Side of the enlarged map, in CSS pixels. */
const SIDE = 208;

export class MapCard {
  readonly node: HTMLElement;
  private readonly title = make("b");
  private readonly sample = make("span", { class: "nbw-how" });
  private readonly canvas = make("canvas", { class: "nbw-graph-map", "aria-hidden": "true" });
  private readonly value = make("div", { class: "nbw-graph-map-value" });
  private readonly scale = make("div", { class: "nbw-graph-range" });
  private readonly close: HTMLButtonElement;
  private open: Node | null = null;

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
    this.close.focus();
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
    const { graph, maps, map } = shown;
    setText(this.title, nameOfNode(graph, this.open));
    setText(this.sample, graph.samples[this.scene.at] ?? "");
    const cell = SIDE / Math.max(maps.width, maps.height);
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(cell * maps.width * ratio);
    this.canvas.height = Math.round(cell * maps.height * ratio);
    this.canvas.style.width = `${cell * maps.width}px`;
    const context = context2d(this.canvas);
    const edge = (k: number, cells: number, side: number) => Math.round((k * side) / cells);
    for (let k = 0; k < map.length; k++) {
      const [x, y] = [k % maps.width, Math.floor(k / maps.width)];
      const [left, top] = [edge(x, maps.width, this.canvas.width), edge(y, maps.height, this.canvas.height)];
      context.fillStyle = cssOf(pixelOfCode(maps, map[k], colors));
      context.fillRect(
        left,
        top,
        edge(x + 1, maps.width, this.canvas.width) - left,
        edge(y + 1, maps.height, this.canvas.height) - top,
      );
    }
    const bar = make("i", {});
    bar.style.background = gradient(maps.low < 0 ? colors.diverging : colors.sequential);
    const [low, high] = endsInWords(maps);
    this.scale.replaceChildren(make("span", {}, low), bar, make("span", {}, high));
    this.summarise();
    this.place();
  }

  private map(): { graph: Graph; maps: Maps; map: Uint8Array } | null {
    const { graph, at } = this.scene;
    const column = this.open && graph?.columns[this.open.column];
    if (!this.open || !graph || !column?.maps) return null;
    return { graph, maps: column.maps, map: mapOf(column.maps, column.units, at, this.open.unit) };
  }

  /** Beside the tile, on the side where there is room. */
  place(): void {
    if (!this.open) return;
    const { x, y } = this.scene.placeOf(this.open);
    const [width, height] = [this.node.offsetWidth, this.node.offsetHeight];
    const left = x + 44 + width <= this.scene.width ? x + 44 : Math.max(0, x - 44 - width);
    this.node.style.left = `${left}px`;
    this.node.style.top = `${Math.max(0, Math.min(this.scene.height - height, y - height / 2))}px`;
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
