// What is said around the graph: its title, what was left out, what colours and marks stand for.

import { NEGATIVE_INFINITY, NOT_A_NUMBER, POSITIVE_INFINITY, STEPS } from "../core/codes.ts";
import { formatCount, plural } from "../core/format.ts";
import type { Graph } from "../core/graph_content.ts";
import { drawnInWords, readAs } from "../core/graph_readout.ts";
import { make, setText } from "./dom.ts";
import { clusterLegend } from "./graph_cluster_legend.ts";
import type { GraphColors } from "./graph_colors.ts";
import type { GraphScene } from "./graph_scene.ts";
import { colorScale, makeMark } from "./legend.ts";

export class GraphWords {
  readonly title = make("span", { class: "nbw-title" });
  readonly how = make("span", { class: "nbw-how" });
  readonly legend = make("div", { class: "nbw-legend" });
  readonly notes = make("div", { class: "nbw-notes" });

  constructor(private readonly scene: GraphScene) {}

  /** `plain`: the edges are drawn without WebGL. */
  paint(graph: Graph, colors: GraphColors, plain: boolean): void {
    const { scene } = this;
    const drawn = drawnInWords(graph, scene.strengths, scene.drawn, scene.quantity, scene.perUnit);
    say(this.title, titleOf(graph, scene));
    setText(this.how, drawn);
    this.how.title = readAs([
      drawn,
      plain ? "drawn by the processor: there is no WebGL here, or no need of it" : "",
    ]);
    const unit = `${scene.quantity} ÷ largest ${graph.bundles.length > 1 ? "of its layer" : "of all"}`;
    this.legend.replaceChildren(colorScale(colors.diverging, ["−1", "0", "+1"], unit));
    const plainly = [graph.how, ...sumsInWords(graph, scene)].filter(Boolean);
    this.notes.replaceChildren(
      ...clusterLegend(graph, scene, colors),
      ...marksOf(scene, graph),
      ...plainly.map((text) => make("span", {}, text)),
    );
  }
}

/** Weights are of no sample: there only the units have values of one. */
function titleOf({ title, samples }: Graph, { quantity, at }: GraphScene): string {
  const sample = samples[at] ?? "";
  if (quantity === "contribution")
    return `${title}: ${["contribution w · x", sample].filter(Boolean).join(", ")}`;
  return `${title}: weight${sample ? ` (units: ${sample})` : ""}`;
}

/** What the weights shown are where they are no weights of single edges. */
function sumsInWords({ bundles }: Graph, { quantity }: GraphScene): string[] {
  if (quantity !== "weight") return [];
  const names = new Map<string, string[]>();
  for (const { weightIs, name } of bundles) names.set(weightIs, [...(names.get(weightIs) ?? []), name]);
  names.delete("weight");
  return Array.from(names, ([what, layers]) => `${layers.join(", ")}: ${what}`);
}

/** With the whole text to be found where there is no room for it. */
function say(node: HTMLElement, text: string): void {
  setText(node, text);
  node.title = text;
}

/** What is no number has a mark of its own; the legend says so where one is drawn. */
function marksOf(scene: GraphScene, graph: Graph): HTMLElement[] {
  const edges = countMarks(
    scene.drawn.edges.flatMap((own, b) =>
      scene.strengths.nonfinite[b] === 0 ? [] : [Array.from(own, (edge) => scene.strengths.values[b][edge])],
    ),
  );
  const units = countMarks(
    graph.columns.map((column) =>
      column.values.subarray(scene.at * column.units, (scene.at + 1) * column.units),
    ),
  );
  return [NEGATIVE_INFINITY, POSITIVE_INFINITY, NOT_A_NUMBER].flatMap((code) => {
    const said = [
      edges[code] ? plural(edges[code], "edge") : "",
      units[code] ? plural(units[code], "unit") : "",
    ].filter(Boolean);
    return said.length > 0 ? [makeMark(code - STEPS - 1, said.join(", "))] : [];
  });
}

/** How many of the numbers are infinite or NaN, by the code of their mark. */
function countMarks(lists: readonly ArrayLike<number>[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const list of lists) {
    for (let i = 0; i < list.length; i++) {
      const value = list[i];
      if (Number.isFinite(value)) continue;
      const code = Number.isNaN(value) ? NOT_A_NUMBER : value > 0 ? POSITIVE_INFINITY : NEGATIVE_INFINITY;
      counts[code] = (counts[code] ?? 0) + 1;
    }
  }
  return counts;
}

/** What a reader hears when the focus comes to the graph. */
export function summaryOf(graph: Graph): string {
  const columns = graph.columns.map(({ name, units }) => `${name} with ${plural(units, "unit")}`).join(", ");
  const edges = formatCount(graph.bundles.reduce((sum, bundle) => sum + bundle.edges, 0));
  return (
    `${graph.title}: ${edges} edges between ${columns}. Up and down move within a layer, left and right along the ` +
    `strongest edge, Enter selects, o opens a feature map, n and p step through samples, + and − zoom, ` +
    `0 shows everything, Escape clears.`
  );
}
