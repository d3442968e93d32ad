// What the colours of clusters stand for, and whose clusters they are.

import { clusterKeys } from "../core/clusters.ts";
import { plural } from "../core/format.ts";
import { columnOfLayer, type Graph } from "../core/graph_content.ts";
import { make } from "./dom.ts";
import type { GraphColors } from "./graph_colors.ts";
import type { GraphScene } from "./graph_scene.ts";

/** So many clusters are named one by one. */
const MOST = 12;

/** Empty where units are coloured by activation. */
export function clusterLegend(
  graph: Graph,
  { colorBy, clusters }: GraphScene,
  colors: GraphColors,
): HTMLElement[] {
  if (colorBy !== "cluster") return [];
  const words = (text: string) => make("span", {}, text);
  if (!clusters) return [words("no clusters yet: a linked heatmap tells those of its layer")];
  const column = columnOfLayer(graph, clusters.layer);
  if (column < 0) return [words(`clusters are of layer ${clusters.layer}, which is not in this graph`)];
  // A column bears the name of the last of the layers whose units it has.
  const at = graph.columns[column].name === clusters.layer ? "" : ` (at ${graph.columns[column].name})`;
  const { clusters: hues, faint } = colors.palette;
  const keys = clusterKeys(clusters, hues.length);
  const named = keys.slice(0, MOST).map(({ cluster, color, units }) => {
    const swatch = make("i", { class: "nbw-swatch", "aria-hidden": "true" });
    swatch.style.background = color < 0 ? faint : hues[color];
    const title = `units ${units.join(", ")} of layer ${clusters.layer}`;
    const text = `${cluster > 0 ? cluster : "alone"}: ${plural(units.length, "unit")}`;
    return make("span", { class: "nbw-mark", title }, swatch, text);
  });
  const more = keys.length > MOST ? [words(`and ${plural(keys.length - MOST, "more cluster")}`)] : [];
  return [words(`clusters of ${clusters.layer}${at}`), ...named, ...more, words("other layers: activation")];
}
