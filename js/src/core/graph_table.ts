// The drawn edges as rows of numbers, in the order that a reader wants.

import { formatNumber, formatShare, plural } from "./format.ts";
import { type Edge, edgeFrom, edgeTo, type Graph, type Node } from "./graph_content.ts";
import { shareOf, sumSign, tripletOf } from "./graph_readout.ts";
import { contributionOf, type Drawn, relativeStrength, type Strengths } from "./graph_strength.ts";

export type TableColumn =
  | "from"
  | "to"
  | "source"
  | "weight"
  | "contribution"
  | "strength"
  | "target"
  | "share";

export interface TableOrder {
  by: TableColumn;
  down: boolean;
}

export const STRONGEST_FIRST: TableOrder = { by: "strength", down: true };

export const TABLE_COLUMNS: readonly { by: TableColumn; head: string; title: string }[] = [
  { by: "from", head: "from", title: "the unit that the edge leads from" },
  { by: "to", head: "to", title: "the unit that the edge leads to" },
  {
    by: "source",
    head: "source value",
    title: "what the layer receives of the unit; Σ: summed over positions",
  },
  { by: "weight", head: "weight", title: "the weight; of channels what it is stands beside it" },
  {
    by: "contribution",
    head: "contribution",
    title: "what the edge adds to its target; Σ: summed over positions",
  },
  {
    by: "strength",
    head: "÷ largest",
    title: "how strong the edge is drawn: the |value| that edges show, divided by the largest of its layer",
  },
  {
    by: "target",
    head: "target value",
    title: "what the layer returns for the unit, bias included; Σ: summed over positions",
  },
  { by: "share", head: "share of target", title: "contribution divided by target value" },
];

export interface TableRow extends Edge {
  cells: string[];
  /** One of the edges that come first. */
  first: boolean;
}

export interface Tabled {
  graph: Graph;
  strengths: Strengths;
  drawn: Drawn;
  sample: number;
}

/** At most so many rows, first those of edges at the given units, and how many such edges are drawn. */
export function tableRows(
  tabled: Tabled,
  order: TableOrder,
  units: readonly Node[],
  most: number,
): { rows: TableRow[]; first: number } {
  const { graph, drawn } = tabled;
  const isFirst = touching(graph, units);
  const best: Candidate[] = [];
  let firsts = 0;
  drawn.edges.forEach((edges, bundle) => {
    for (let i = edges.length - 1; i >= 0; i--) {
      const first = isFirst(bundle, edges[i]);
      if (first) firsts++;
      insert(best, { bundle, edge: edges[i], first, key: keyOf(tabled, bundle, edges[i], order) }, most);
    }
  });
  const rows = best.map(({ bundle, edge, first }) => ({
    bundle,
    edge,
    first,
    cells: cellsOf(tabled, { bundle, edge }),
  }));
  return { rows, first: firsts };
}

function touching({ bundles, columns }: Graph, units: readonly Node[]) {
  const chosen = columns.map(() => new Set<number>());
  for (const { column, unit } of units) chosen[column].add(unit);
  return (b: number, edge: number): boolean => {
    const bundle = bundles[b];
    return (
      units.length > 0 &&
      (chosen[bundle.source].has(edgeFrom(bundle, edge)) || chosen[bundle.target].has(edgeTo(bundle, edge)))
    );
  };
}

interface Candidate extends Edge {
  first: boolean;
  /** Smaller is nearer to the top. */
  key: number;
}

/** Keeps the list sorted and short; of equal ones the earlier stays above. */
function insert(best: Candidate[], one: Candidate, most: number): void {
  const above = (a: Candidate, b: Candidate) => (a.first === b.first ? a.key < b.key : a.first);
  if (best.length >= most && (most === 0 || !above(one, best[best.length - 1]))) return;
  let at = best.length;
  while (at > 0 && above(one, best[at - 1])) at--;
  best.splice(at, 0, one);
  if (best.length > most) best.pop();
}

/** What is no number comes last. Where strength orders, it is infinite: not to be overlooked. */
function keyOf(tabled: Tabled, bundle: number, edge: number, { by, down }: TableOrder): number {
  const value = numberOf(tabled, bundle, edge, by);
  if (Number.isNaN(value)) return Infinity;
  return down ? -value : value;
}

function numberOf({ graph, strengths, sample }: Tabled, b: number, edge: number, by: TableColumn): number {
  const bundle = graph.bundles[b];
  const target = () => bundle.targetValues[sample * bundle.outputs + edgeTo(bundle, edge)];
  switch (by) {
    case "from":
      return bundle.source * UNITS + edgeFrom(bundle, edge);
    case "to":
      return bundle.target * UNITS + edgeTo(bundle, edge);
    case "source":
      return bundle.sourceValues[sample * bundle.inputs + edgeFrom(bundle, edge)];
    case "weight":
      return bundle.weight[edge];
    case "contribution":
      return contributionOf(bundle, edge, sample);
    case "strength":
      return relativeStrength(strengths.values[b][edge], strengths.largest[b]);
    case "target":
      return target();
    case "share":
      return shareOf(contributionOf(bundle, edge, sample), target()) ?? Number.NaN;
  }
}

/** More than any column has. */
const UNITS = 2 ** 32;

function cellsOf({ graph, strengths, sample }: Tabled, { bundle, edge }: Edge): string[] {
  const triplet = tripletOf(graph, bundle, edge, sample);
  const { weightIs } = graph.bundles[bundle];
  const relative = relativeStrength(strengths.values[bundle][edge], strengths.largest[bundle]);
  return [
    triplet.source,
    triplet.target,
    sumSign(graph, bundle, "source") + formatNumber(triplet.sourceValue),
    (weightIs === "weight" ? "" : `${weightIs} `) + formatNumber(triplet.weight),
    sumSign(graph, bundle, "contribution") + formatNumber(triplet.contribution),
    Number.isFinite(relative) ? formatShare(relative) : "not finite",
    sumSign(graph, bundle, "target") + formatNumber(triplet.targetValue),
    triplet.share === null ? "" : formatShare(triplet.share),
  ];
}

/** What the reader must know of the rows: whose come first, what orders them, where a contribution is no product. */
export function tableInWords(
  graph: Graph,
  order: TableOrder,
  first: number,
  units: number,
  most: number,
): string[] {
  const { head } = TABLE_COLUMNS.find(({ by }) => by === order.by) ?? TABLE_COLUMNS[0];
  const named = order.by === "from" || order.by === "to";
  const way = named
    ? order.down
      ? "last unit first"
      : "first unit first"
    : order.down
      ? "largest first"
      : "smallest first";
  // An addend goes into its sum as it is, or times one number: that is a product.
  const sums = new Set(
    graph.bundles.flatMap(({ name, kind, contribution }, b) =>
      contribution && kind !== "Add" && sumSign(graph, b, "contribution") ? [name] : [],
    ),
  );
  const whose = units === 1 ? "the selected unit" : `the ${plural(units, "selected unit")}`;
  const some =
    first > most ? `${most} of ${plural(first, "drawn edge")}` : `the ${plural(first, "drawn edge")}`;
  return [
    units === 0 ? "" : first === 0 ? `no edge of ${whose} is drawn` : `first ${some} of ${whose}`,
    `ordered by ${head}, ${way}`,
    sums.size > 0
      ? `Σ: in layer ${[...sums].join(", ")} a contribution is a sum over positions, not source value × weight`
      : "",
  ];
}
