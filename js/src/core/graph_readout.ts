// What is said of an edge, of a unit and of the whole picture: on hover, aloud, and in the table.

import { formatCount, formatNumber, formatShare, plural } from "./format.ts";
import {
  bundlesAt,
  type Direction,
  type Edge,
  edgesOf,
  endsOf,
  type Graph,
  type Node,
  nameOfNode,
  valueOfNode,
} from "./graph_content.ts";
import {
  contributionOf,
  type Drawn,
  fairShare,
  type Quantity,
  type Strengths,
  weakestDrawn,
} from "./graph_strength.ts";

export interface Triplet {
  /** Names of units. */
  source: string;
  target: string;
  sourceValue: number;
  weight: number;
  /** What the layer returned: bias included, before what follows it. */
  targetValue: number;
  contribution: number;
  /** Contribution / target value; with the bias, all edges into a unit make 1. null where that is no number. */
  share: number | null;
}

export function tripletOf(graph: Graph, bundle: number, edge: number, sample: number): Triplet {
  const edges = graph.bundles[bundle];
  const [from, to] = endsOf(graph, { bundle, edge });
  const targetValue = edges.targetValues[sample * edges.outputs + to.unit];
  const contribution = contributionOf(edges, edge, sample);
  return {
    source: nameOfNode(graph, from),
    target: nameOfNode(graph, to),
    sourceValue: edges.sourceValues[sample * edges.inputs + from.unit],
    weight: edges.weight[edge],
    targetValue,
    contribution,
    share: shareOf(contribution, targetValue),
  };
}

/** null where the share of the target is no number. */
export function shareOf(contribution: number, targetValue: number): number | null {
  const share = contribution / targetValue;
  return Number.isFinite(targetValue) && Number.isFinite(share) ? share : null;
}

/** Parts of a sentence: joined by " · " to be read, by ", " to be heard. */
export type Parts = string[];

export function readAs(parts: Parts, joint: " · " | ", " = " · "): string {
  return parts.filter((part) => part !== "").join(joint);
}

/** "0:17 → 1:4", "x 0.710 × w −0.340 = −0.241", "12 % of 1:4’s −2.01 before relu". */
export function readEdge(graph: Graph, { bundle, edge }: Edge, sample: number): Parts {
  const triplet = tripletOf(graph, bundle, edge, sample);
  return [
    `${triplet.source} → ${triplet.target}`,
    sumInWords(graph, bundle, triplet),
    shareInWords(graph, bundle, triplet),
  ];
}

/** Only where a contribution is weight times value may it say so: a kernel meets a value at many positions. */
function sumInWords(graph: Graph, bundle: number, { sourceValue, weight, contribution }: Triplet): string {
  const { weightIs, contribution: given } = graph.bundles[bundle];
  const x = `${sumSign(graph, bundle, "source")}x ${formatNumber(sourceValue)}`;
  const w = `${weightIs === "weight" ? "w" : weightIs} ${formatNumber(weight)}`;
  const c = formatNumber(contribution);
  return given ? `${x}, ${w}: contributes ${c}` : `${x} × ${w} = ${c}`;
}

/** "Σ" where a value of an edge is a sum over the positions of a unit, or a contribution over those at either end. */
export function sumSign(graph: Graph, bundle: number, of: "source" | "target" | "contribution"): string {
  const { source, target, stage } = graph.bundles[bundle];
  const received = graph.columns[source].positions > 1;
  // A column has the positions that go on: fewer than the layer returned where it is pooled.
  const returned = graph.columns[target].positions > 1 || /pool/i.test(stage);
  const summed = { source: received, target: returned, contribution: received || returned };
  return summed[of] ? "Σ" : "";
}

function shareInWords(graph: Graph, bundle: number, { target, targetValue, share }: Triplet): string {
  const { name, target: column, stage } = graph.bundles[bundle];
  const value = sumSign(graph, bundle, "target") + formatNumber(targetValue);
  const returned =
    bundlesAt(graph, column, "in").length > 1
      ? `the ${value} that ${name} gives ${target}`
      : `${target}’s ${value}`;
  const whole = stage ? `${returned} before ${stage}` : returned;
  return share === null ? `no share of ${whole}` : `${formatShare(share)} of ${whole}`;
}

/** "1:4 “seven”", "0.830 (−1.20 before relu)", "64 edges in, 10 out". */
export function readNode(graph: Graph, node: Node, sample: number): Parts {
  const { labels, positions } = graph.columns[node.column];
  const label = labels ? ` “${labels[node.unit]}”` : "";
  const mean = positions > 1 ? `, mean of ${formatCount(positions)} positions` : "";
  const value = formatNumber(valueOfNode(graph, node, sample)) + mean;
  return [
    `${nameOfNode(graph, node)}${label}`,
    value + beforeInWords(graph, node, sample),
    edgesInWords(graph, node),
  ];
}

/** Said where one layer makes the column and something follows it. */
function beforeInWords(graph: Graph, { column, unit }: Node, sample: number): string {
  const bundles = bundlesAt(graph, column, "in");
  if (bundles.length !== 1) return "";
  const { targetValues, outputs, stage } = graph.bundles[bundles[0]];
  const value = sumSign(graph, bundles[0], "target") + formatNumber(targetValues[sample * outputs + unit]);
  return stage ? ` (${value} before ${stage})` : "";
}

function edgesInWords(graph: Graph, node: Node): string {
  const [into, out] = [countEdges(graph, node, "in"), countEdges(graph, node, "out")];
  const touching = [...bundlesAt(graph, node.column, "in"), ...bundlesAt(graph, node.column, "out")];
  const thinned = touching.some((b) => graph.bundles[b].total > graph.bundles[b].edges);
  return `${plural(into, "edge")} in, ${formatCount(out)} out${thinned ? " of those kept" : ""}`;
}

function countEdges(graph: Graph, { column, unit }: Node, direction: Direction): number {
  return bundlesAt(graph, column, direction).reduce(
    (sum, b) => sum + edgesOf(graph.bundles[b], unit, direction).length,
    0,
  );
}

/** "400 of 2,720 edges: the strongest, at least 33 a layer", and how layers were thinned. */
export function drawnInWords(
  graph: Graph,
  strengths: Strengths,
  drawn: Drawn,
  quantity: Quantity,
  perUnit: number,
): string {
  const of = `${formatCount(drawn.count)} of ${plural(drawn.total, "edge")}`;
  const all = `${drawn.total === 1 ? "the one edge" : `all ${plural(drawn.total, "edge")}`} drawn`;
  const nonfinite = strengths.nonfinite.reduce((sum, count) => sum + count, 0);
  return readAs([
    drawn.count === drawn.total ? all : `${of}: ${ruleInWords(graph, drawn.count, quantity, perUnit)}`,
    nonfinite > 0 ? `${formatCount(nonfinite)} not finite` : "",
    ...graph.bundles.map((bundle) => bundle.note && `${bundle.name}: ${bundle.note}`),
  ]);
}

function ruleInWords({ bundles }: Graph, count: number, quantity: Quantity, perUnit: number): string {
  if (perUnit > 0) {
    const relative = bundles.length > 1 ? ", relative to each layer’s largest" : "";
    return `the ${formatCount(perUnit)} largest |${quantity}| into each unit${relative}`;
  }
  if (bundles.length === 1) return `largest |${quantity}|`;
  const share = fairShare(bundles.length, count);
  const whole = bundles.some(({ edges }) => edges < share) ? " or all of it" : "";
  return `the strongest${share > 0 ? `, at least ${formatCount(share)} a layer${whole}` : ""}`;
}

/** Said beside how many are drawn: "≥ 12 % of the largest", rounded down to be true; "" where it would say nothing. */
export function thresholdInWords(strengths: Strengths, drawn: Drawn): string {
  const weakest = weakestDrawn(strengths, drawn);
  if (drawn.count === drawn.total || weakest === Infinity) return "";
  if (weakest === 0) return "down to 0";
  const digits = Math.max(0, Math.ceil(-2 - Math.log10(weakest)));
  const percent = (Math.floor(100 * weakest * 10 ** digits) / 10 ** digits).toFixed(digits);
  return digits > 4 ? "" : `≥ ${percent} % of the largest`;
}

/** Said between two columns: "±2.31". */
export function largestInWords(strengths: Strengths, bundle: number): string {
  const largest = strengths.largest[bundle];
  if (largest === 0 && strengths.nonfinite[bundle] > 0) return "not finite";
  return largest > 0 ? `±${formatNumber(largest)}` : "0";
}
