// The heads of columns, which pick a layer, and under the units what colours and widths stand for.

import { formatNumber, minus, plural } from "../core/format.ts";
import type { Graph, GraphColumn } from "../core/graph_content.ts";
import { HEAD_HEIGHT, headLines, headX } from "../core/graph_layout.ts";
import { largestInWords } from "../core/graph_readout.ts";
import { make } from "./dom.ts";
import type { GraphColors } from "./graph_colors.ts";
import type { GraphScene } from "./graph_scene.ts";
import { holdInPlace } from "./hold_in_place.ts";
import { gradient } from "./legend.ts";

/** Width of a bar of colours without its numbers. */
const BAR = 36;
/** Between a scale and the words beside it. */
const BESIDE = 6;
/** What fits under the units where columns stand this far apart: all, no numbers beside the bars, no bars, nothing. */
const FITS = { all: 200, bars: 120, numbers: 52 };

export class GraphHeads {
  readonly node = make("div", { class: "nbw-graph-heads" });
  readonly feet = make("div", { class: "nbw-graph-feet" });
  private heads: HTMLButtonElement[] = [];
  private ranges: HTMLElement[] = [];
  private largest: HTMLElement[] = [];
  /** Half the width of each range with its numbers. */
  private halves: number[] = [];
  /** How wide what is said between two columns would be. */
  private lengths: number[] = [];

  constructor(pick: (layer: string) => void, signal: AbortSignal) {
    this.node.addEventListener(
      "click",
      (event) => {
        const head = (event.target as HTMLElement).closest<HTMLElement>("button[data-layer]");
        if (head?.dataset.layer === undefined) return;
        // What follows the layer stands above in some pages, and is not always as high as before.
        holdInPlace(head, signal);
        pick(head.dataset.layer);
      },
      { signal },
    );
  }

  setGraph(graph: Graph): void {
    this.heads = graph.columns.map(makeHead);
    this.ranges = graph.columns.map(() => make("span", { class: "nbw-graph-range" }));
    this.largest = gapsOf(graph).map(() => make("span", { class: "nbw-graph-largest" }));
    this.node.replaceChildren(...this.heads);
    this.feet.replaceChildren(...this.ranges, ...this.largest);
  }

  /** What depends on the sample, the colours and the picked layer. */
  paint(scene: GraphScene, colors: GraphColors): void {
    const { graph } = scene;
    if (!graph) return;
    graph.columns.forEach((column, c) => {
      const picked = column.layer === scene.layer || column.aliases.includes(scene.layer);
      this.heads[c].setAttribute("aria-pressed", String(picked && scene.layer !== ""));
      const byCluster = scene.clusterColors(c, 8) !== null;
      this.ranges[c].replaceChildren(...(byCluster ? ["clusters"] : rangeOf(column, colors)));
      this.ranges[c].hidden = false;
      this.ranges[c].classList.remove("nbw-narrow");
    });
    this.halves = this.ranges.map((range) => range.offsetWidth / 2);
    gapsOf(graph).forEach(({ bundles }, g) => {
      // Several may be one sum, which no name tells apart.
      const named = new Set(bundles.map((b) => graph.bundles[b].name)).size > 1;
      const said = bundles.map((b) => {
        const name = named ? `${graph.bundles[b].name} ` : "";
        return name + largestInWords(scene.strengths, b);
      });
      this.largest[g].replaceChildren(make("span", {}, "largest "), said.join(" · "));
      this.largest[g].title = bundles
        .map(
          (b) =>
            `${largestInWords(scene.strengths, b)}: the largest |${scene.quantity}| of layer ${graph.bundles[b].name}` +
            (bundles.length > 1 ? ` from ${graph.columns[graph.bundles[b].source].name}` : "") +
            (scene.quantity === "contribution" ? " in this sample" : ""),
        )
        .join("; ");
      this.largest[g].style.maxWidth = "";
      this.largest[g].hidden = false;
      this.largest[g].classList.remove("nbw-narrow");
    });
    this.lengths = this.largest.map((node) => node.offsetWidth);
  }

  /** What moves with the camera. */
  place(scene: GraphScene): void {
    const { graph, layout, camera } = scene;
    if (!graph || !layout) return;
    const rows = Math.max(1, ...layout.heads.map(({ row }) => row + 1));
    this.node.style.height = `${rows * HEAD_HEIGHT}px`;
    const wide = layout.spacing * camera.scale;
    const scales = graph.columns.map((_, c) => {
      const { row, width } = layout.heads[c];
      const x = headX(layout, camera, c);
      const style = this.heads[c].style;
      style.width = `${Math.max(24, width)}px`;
      style.transform = `translate(calc(${x.toFixed(1)}px - 50%), ${row * HEAD_HEIGHT}px)`;
      this.heads[c].hidden = x < 0 || x > layout.width;
      const range = this.ranges[c];
      const at = layout.x[c] * camera.scale + camera.dx;
      range.hidden = at < 0 || at > layout.width || wide < FITS.bars;
      range.classList.toggle("nbw-narrow", wide < FITS.all);
      const half = wide < FITS.all ? BAR / 2 : this.halves[c];
      const within = Math.min(Math.max(at, half), layout.width - half);
      range.style.transform = `translateX(calc(${within.toFixed(1)}px - 50%))`;
      return range.hidden ? { from: at, to: at } : { from: within - half, to: within + half };
    });
    gapsOf(graph).forEach(({ target }, g) => {
      const [from, to] = [scales[target - 1].to + BESIDE, scales[target].from - BESIDE];
      const x = (from + to) / 2;
      this.largest[g].style.transform = `translateX(calc(${x.toFixed(1)}px - 50%))`;
      // What is too long for the gap ends in an ellipsis; the title has it whole.
      this.largest[g].style.maxWidth = `${Math.max(0, Math.floor(to - from))}px`;
      this.largest[g].hidden = x < 0 || x > layout.width || wide < FITS.numbers;
      this.largest[g].classList.toggle("nbw-narrow", wide < FITS.all || this.lengths[g] > to - from);
    });
  }
}

/** What leads into one column stands in the gap before it. */
function gapsOf(graph: Graph): { target: number; bundles: number[] }[] {
  return graph.columns.flatMap((_, target) => {
    const bundles = graph.bundles.flatMap((bundle, b) => (bundle.target === target ? [b] : []));
    return bundles.length > 0 ? [{ target, bundles }] : [];
  });
}

function makeHead(column: GraphColumn): HTMLButtonElement {
  const [name, what] = headLines(column);
  const others = column.aliases.filter((alias) => alias !== column.name);
  const also = others.length > 0 ? ` (with ${others.join(", ")})` : "";
  const title = `${name}${also}: ${[column.kind, plural(column.units, "unit")].filter(Boolean).join(", ")}`;
  const head = make(
    "button",
    { type: "button", class: "nbw-graph-head", title, "aria-pressed": "false" },
    make("b", {}, name),
    make("small", {}, what),
  );
  if (column.layer === null) head.disabled = true;
  else head.dataset.layer = column.layer;
  return head;
}

function rangeOf(column: GraphColumn, { diverging, sequential }: GraphColors): Node[] {
  const bar = make("i", {});
  const {
    low: least,
    high: most,
    diverging: signed,
  } = column.maps ? { ...column.maps, diverging: column.maps.low < 0 } : column;
  bar.style.background = gradient(signed ? diverging : sequential);
  const [low, high] = endsInWords({ low: least, high: most }).map((end) => make("span", {}, end));
  return [low, bar, high];
}

/** Both ends with as many decimals as their distance deserves: 0.0 and 1.0, not 1.1e−6 and 1.0. */
export function endsInWords({ low, high }: { low: number; high: number }): string[] {
  // A little less than 1 deserves no more decimals than 1.
  const decimals = 1 - Math.floor(Math.log10((high - low || 1) * 1.05));
  if (decimals > 4 || decimals < -3) return [low, high].map((end) => formatNumber(end, 2));
  return [low, high].map((end) => minus((Math.round(end * 1e6) / 1e6 || 0).toFixed(Math.max(0, decimals))));
}
