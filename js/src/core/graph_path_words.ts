// The best paths as a short list: where each one leads, what its contributions multiply to, what share that is.

import { formatNumber, formatShare, plural } from "./format.ts";
import { bundlesAt, type Direction, endsOf, type Graph, type Node, nameOfNode } from "./graph_content.ts";
import type { Lit } from "./graph_lit.ts";
import type { Best, Path } from "./graph_paths.ts";
import type { Strengths } from "./graph_strength.ts";

/** So many lines a list has at most. */
export const MOST_LINES = 5;

export interface PathLine {
  path: Path;
  /** "input:3 → 1:5 → 3:7", from the first unit to the last */
  course: string;
  product: string;
  share: string;
}

export interface PathList {
  /** "5 best paths into 1:4" */
  head: string;
  /** "12 % of all" */
  ofAll: string;
  lines: PathLine[];
  /** Why there are no paths, or where they end before the data do, and edges that are not here. */
  notes: string[];
}

/** What product and share are, for whoever asks. */
export const PATHS_EXPLAINED =
  "The product is that of the contributions of the path’s edges in this sample, with its sign. The share is |product| " +
  "divided by the sum of |product| over the paths listed here: it is no share of the unit’s value.";
export const OF_ALL_EXPLAINED =
  "The sum of |product| over the paths listed here, divided by that over all paths.";

/** The list of either side; null where the data begin or end, or nothing is lit. */
export function listPaths(
  graph: Graph,
  contributions: Strengths,
  lit: Lit,
  direction: Direction,
): PathList | null {
  const best = direction === "in" ? lit.into : lit.out;
  if (!best) return null;
  const shown = best.paths.slice(0, MOST_LINES);
  const sum = shown.reduce((total, { strength }) => total + strength, 0);
  const whom = `${direction === "in" ? "into" : "out of"} ${unitsInWords(graph, lit.of)}`;
  const paths = shown.length === 1 ? "best path" : `${shown.length} best paths`;
  return {
    head: shown.length === 0 ? `no path ${whom}` : `${paths} ${whom}`,
    ofAll: shown.length === 0 || !(best.total < Infinity) ? "" : `${formatShare(sum / best.total)} of all`,
    lines: shown.map((path) => ({
      path,
      course: courseInWords(graph, path),
      product: formatNumber(productOf(contributions, path)),
      share: sum < Infinity ? formatShare(path.strength / sum) : "",
    })),
    notes: [
      ...whyNone(graph, lit.of, best, direction),
      ...endsInWords(graph, shown, direction),
      ...heldOnly(graph),
    ],
  };
}

function unitsInWords(graph: Graph, units: readonly Node[]): string {
  return units.length === 1 ? nameOfNode(graph, units[0]) : plural(units.length, "unit");
}

function courseInWords(graph: Graph, { steps }: Path): string {
  const nodes = [endsOf(graph, steps[0])[0], ...steps.map((step) => endsOf(graph, step)[1])];
  return nodes.map((node) => nameOfNode(graph, node)).join(" → ");
}

function productOf({ values }: Strengths, { steps }: Path): number {
  return steps.reduce((product, { bundle, edge }) => product * values[bundle][edge], 1);
}

function whyNone(graph: Graph, units: readonly Node[], { paths }: Best, direction: Direction): string[] {
  if (paths.length > 0) return [];
  const columns = [...new Set(units.map(({ column }) => column))];
  const cut = columns.filter((column) => bundlesAt(graph, column, direction).length === 0);
  if (cut.length === columns.length) return cut.map((column) => noEdges(graph, column, direction));
  return ["every way is cut: no edges there, or one whose contribution is 0 or no finite number"];
}

/** A path goes on as far as edges do, and that need not be where the data begin or end. */
function endsInWords(graph: Graph, paths: readonly Path[], direction: Direction): string[] {
  const end = direction === "in" ? 0 : graph.columns.length - 1;
  const columns = paths.map(({ steps }) =>
    direction === "in"
      ? graph.bundles[steps[0].bundle].source
      : graph.bundles[steps[steps.length - 1].bundle].target,
  );
  const early = [...new Set(columns)].filter((column) => column !== end);
  const verb = direction === "in" ? "begin" : "end";
  return early.map(
    (column) => `paths ${verb} at ${graph.columns[column].name}: ${noEdges(graph, column, direction)}`,
  );
}

function noEdges(graph: Graph, column: number, direction: Direction): string {
  return `no edges lead ${direction === "in" ? "into" : "out of"} layer ${graph.columns[column].name}`;
}

function heldOnly({ bundles }: Graph): string[] {
  const thinned = bundles.filter(({ total, edges }) => total > edges).map(({ name }) => name);
  return thinned.length > 0 ? [`of layer ${thinned.join(", ")} only the edges held here are looked at`] : [];
}
