// The strongest ways through the layers: into a unit from where the data begin, and out of it to where they end.

import {
  bundlesAt,
  type Direction,
  type Edge,
  eachEdge,
  edgeFrom,
  edgesOf,
  edgeTo,
  type Graph,
} from "./graph_content.ts";
import type { Strengths } from "./graph_strength.ts";

export interface Path {
  /** The product of the |contribution|s of its edges. */
  strength: number;
  /** In the order of the data. */
  steps: Edge[];
}

export interface Best {
  /** The best first. */
  paths: Path[];
  /** The strengths of all paths there are, the best and the others, summed up. */
  total: number;
}

/** Of each unit of a column its `k` best ways from the far end, best first; a product of 0 is no way. */
interface Ways {
  product: Float64Array;
  /** The last edge of the way, and which of the ways of the unit where that edge begins it goes on. */
  bundle: Int32Array;
  edge: Int32Array;
  before: Int32Array;
  /** Of each unit the products of all its ways, summed up. */
  total: Float64Array;
}

interface Search {
  graph: Graph;
  contributions: Strengths;
  k: number;
  direction: Direction;
  /** Of each column. */
  ways: Ways[];
}

/**
 * The `k` best paths by product, best first; of equal ones those with lower edge numbers. A path goes all the way: from a
 * column that no edges lead into ("in"), or to one that none lead out of ("out"). Edges of value 0, NaN or infinity are
 * no steps, and a path that leads over one is none. Costs a pass over all edges between.
 */
export function bestPaths(
  graph: Graph,
  contributions: Strengths,
  column: number,
  unit: number,
  k: number,
  direction: Direction,
): Best {
  if (!(k >= 1) || bundlesAt(graph, column, direction).length === 0) return { paths: [], total: 0 };
  const most = Math.floor(k);
  const ways = graph.columns.map(({ units }) => noWays(units, most));
  const search = { graph, contributions, k: most, direction, ways };
  const columns = graph.columns.map((_, c) => c);
  const farFirst = direction === "in" ? columns.slice(0, column) : columns.slice(column + 1).reverse();
  for (const c of farFirst) reach(search, c);
  for (const b of bundlesAt(graph, column, direction)) {
    const edges = edgesOf(graph.bundles[b], unit, direction);
    const step = stepOver(search, b);
    for (let i = 0; i < edges.length; i++)
      step(edges[i], edgeFrom(graph.bundles[b], edges[i]), edgeTo(graph.bundles[b], edges[i]));
  }
  return { paths: pathsTo(search, column, unit), total: ways[column].total[unit] };
}

function noWays(units: number, k: number): Ways {
  const integers = () => new Int32Array(units * k);
  const product = new Float64Array(units * k);
  return {
    product,
    bundle: integers(),
    edge: integers(),
    before: integers(),
    total: new Float64Array(units),
  };
}

/** Finds the best ways to every unit of a column, once those to all columns before are known. */
function reach(search: Search, column: number): void {
  const { graph, ways, k, direction } = search;
  const bundles = bundlesAt(graph, column, direction);
  for (const b of bundles) eachEdge(graph.bundles[b], stepOver(search, b));
  if (bundles.length > 0) return;
  // Here the data begin, or end: one way to each unit, of no steps.
  for (let unit = 0; unit < graph.columns[column].units; unit++) ways[column].product[unit * k] = 1;
  ways[column].total.fill(1);
}

/** Carries the ways at the far end of an edge on to the unit at its near end. */
function stepOver({ graph, contributions, k, direction, ways }: Search, b: number) {
  const values = contributions.values[b];
  const { source, target } = graph.bundles[b];
  const inwards = direction === "in";
  const [far, near] = inwards ? [ways[source], ways[target]] : [ways[target], ways[source]];
  return (edge: number, from: number, to: number): void => {
    const size = Math.abs(values[edge]);
    if (!(size > 0 && size < Infinity)) return;
    const [start, end] = inwards ? [from, to] : [to, from];
    near.total[end] += size * far.total[start];
    const old = start * k;
    const own = end * k;
    for (let rank = 0; rank < k; rank++) {
      const product = size * far.product[old + rank];
      if (!(product > near.product[own + k - 1])) return;
      const at = makeRoom(near, own, own + k - 1, product);
      near.product[at] = product;
      near.bundle[at] = b;
      near.edge[at] = edge;
      near.before[at] = rank;
    }
  };
}

/** Moves what is worse than `product` one place on, over the last, and returns the place that becomes free. */
function makeRoom(
  { product: products, bundle, edge, before }: Ways,
  first: number,
  last: number,
  product: number,
) {
  let at = last;
  for (; at > first && products[at - 1] < product; at--) {
    products[at] = products[at - 1];
    bundle[at] = bundle[at - 1];
    edge[at] = edge[at - 1];
    before[at] = before[at - 1];
  }
  return at;
}

function pathsTo(search: Search, column: number, unit: number): Path[] {
  const { k, direction, ways } = search;
  const paths: Path[] = [];
  for (let way = unit * k; way < (unit + 1) * k && ways[column].product[way] > 0; way++) {
    const steps = stepsOf(search, column, way);
    paths.push({
      strength: ways[column].product[way],
      steps: direction === "in" ? steps.reverse() : steps,
    });
  }
  return paths;
}

/** The edges of a way, from its near end to its far end. */
function stepsOf({ graph, k, direction, ways }: Search, column: number, way: number): Edge[] {
  const steps: Edge[] = [];
  for (let [c, w] = [column, way]; bundlesAt(graph, c, direction).length > 0; ) {
    const step = { bundle: ways[c].bundle[w], edge: ways[c].edge[w] };
    const bundle = graph.bundles[step.bundle];
    const unit = direction === "in" ? edgeFrom(bundle, step.edge) : edgeTo(bundle, step.edge);
    w = unit * k + ways[c].before[w];
    c = direction === "in" ? bundle.source : bundle.target;
    steps.push(step);
  }
  return steps;
}
