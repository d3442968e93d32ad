// How strong edges are, and which of them are the strongest.

import { type Bundle, bundlesAt, eachEdge, edgeFrom, edgeTo, type Graph } from "./graph_content.ts";

export type Quantity = "contribution" | "weight";

export interface Strengths {
  /** Of each bundle, signed, one number an edge. Shared with the graph where it can be: do not write. */
  values: Float32Array[];
  /** The largest finite |value| of each bundle, 0 if there is none: each bundle is measured by its own. */
  largest: number[];
  /** How many edges of each bundle are NaN or infinite. */
  nonfinite: number[];
}

export interface Drawn {
  /** Of each bundle, weakest first, so that the strongest is painted last. Shared with the ranking: do not write. */
  edges: Int32Array[];
  count: number;
  /** How many edges there are to draw. */
  total: number;
}

/** Costs a pass over all edges: keep the result for as long as sample and quantity stay. */
export function strengths(graph: Graph, sample: number, quantity: Quantity): Strengths {
  const values = graph.bundles.map((bundle) =>
    quantity === "weight" ? bundle.weight : contributions(bundle, sample),
  );
  return { values, largest: values.map(largestOf), nonfinite: values.map(countNonfinite) };
}

function contributions(bundle: Bundle, sample: number): Float32Array {
  const { contribution, weight, edges, inputs } = bundle;
  if (contribution) return contribution.subarray(sample * edges, (sample + 1) * edges);
  const sources = bundle.sourceValues.subarray(sample * inputs, (sample + 1) * inputs);
  const values = new Float32Array(edges);
  eachEdge(bundle, (edge, from) => {
    values[edge] = weight[edge] * sources[from];
  });
  return values;
}

/** What one edge adds to its target in a sample: the same number as in `strengths`. */
export function contributionOf(bundle: Bundle, edge: number, sample: number): number {
  if (bundle.contribution) return bundle.contribution[sample * bundle.edges + edge];
  return Math.fround(
    bundle.weight[edge] * bundle.sourceValues[sample * bundle.inputs + edgeFrom(bundle, edge)],
  );
}

function largestOf(values: Float32Array): number {
  let largest = 0;
  for (let edge = 0; edge < values.length; edge++) {
    const size = Math.abs(values[edge]);
    if (size > largest && size < Infinity) largest = size;
  }
  return largest;
}

function countNonfinite(values: Float32Array): number {
  let count = 0;
  for (let edge = 0; edge < values.length; edge++) if (!Number.isFinite(values[edge])) count++;
  return count;
}

/** |value| as a share of the largest of its bundle, 0 to 1. What is not finite comes before everything: infinite. */
export function relativeStrength(value: number, largest: number): number {
  const size = Math.abs(value);
  if (!(size < Infinity)) return Infinity;
  return largest > 0 ? Math.fround(size / largest) : 0;
}

/** The smallest relative strength among drawn edges; infinite where none that is finite is drawn. */
export function weakestDrawn({ values, largest }: Strengths, { edges }: Drawn): number {
  return Math.min(
    ...edges.map(([first], b) =>
      first === undefined ? Infinity : relativeStrength(values[b][first], largest[b]),
    ),
  );
}

/**
 * How many of `count` edges each bundle has at least, if it has so many; 0 if there is but one. A layer with one edge far
 * ahead of its others would have few among the strongest of all, so half of the edges are dealt out evenly first.
 */
export function fairShare(bundles: number, count: number): number {
  return bundles > 1 ? Math.floor(count / (2 * bundles)) : 0;
}

/**
 * The strongest edges of each bundle, its fair share, and of the others the strongest of all; `count` together, of equal
 * ones the first. In each bundle these are the end of its ranking, so nothing is sorted or copied here.
 */
export function strongest(graph: Graph, strengths: Strengths, count: number): Drawn {
  const ranked = rankingOf(strengths);
  const total = ranked.reduce((sum, { ids }) => sum + ids.length, 0);
  const most = Math.min(Math.max(0, Math.floor(count)), total);
  const share = most < total ? fairShare(graph.bundles.length, most) : 0;
  const taken = takenOf(ranked, share, most);
  return { edges: ranked.map(({ ids }, b) => ids.subarray(ids.length - taken[b])), count: most, total };
}

/** How many edges each bundle has among `most`, of which it has `share` if there are so many. */
function takenOf(ranked: readonly Ranked[], share: number, most: number): number[] {
  const own = (key: number) =>
    ranked.map(({ keys }) => Math.max(Math.min(share, keys.length), keys.length - firstAtLeast(keys, key)));
  // The smallest key at which those with a key as large are not too many: all of them are taken.
  let [low, high] = [0, BEYOND];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (sum(own(middle)) <= most) high = middle;
    else low = middle + 1;
  }
  const taken = own(low);
  // Of those with the next smaller one the first, so that it is `most`.
  const more = own(low - 1);
  let left = most - sum(taken);
  return taken.map((count, b) => {
    const extra = Math.min(left, more[b] - count);
    left -= extra;
    return count + extra;
  });
}

/** More than any key. */
const BEYOND = 2 ** 32;

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** Where the keys begin, which ascend, that are at least `key`. */
function firstAtLeast(keys: Uint32Array, key: number): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle] < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The `k` strongest edges into each unit, whichever bundle they come by. */
export function strongestPerUnit(graph: Graph, strengths: Strengths, k: number): Drawn {
  const ranked = rankingOf(strengths);
  const edges: Int32Array[] = ranked.map(() => new Int32Array(0));
  graph.columns.forEach(({ units }, column) => {
    const into = bundlesAt(graph, column, "in");
    const found = downTheRanking(graph, ranked, into, units, Math.max(0, Math.floor(k)));
    into.forEach((b, i) => {
      edges[b] = found[i];
    });
  });
  return {
    edges,
    count: sum(edges.map((own) => own.length)),
    total: sum(ranked.map(({ ids }) => ids.length)),
  };
}

/** Goes from the strongest edge of some bundles to the weakest, and takes those whose unit has fewer than `k` yet. */
function downTheRanking(
  graph: Graph,
  ranked: readonly Ranked[],
  into: readonly number[],
  units: number,
  k: number,
): Int32Array[] {
  const left = into.map((b) => ranked[b].ids.length);
  const found = left.map((edges) => new Int32Array(Math.min(edges, k * units)));
  const count = into.map(() => 0);
  const taken = new Int32Array(units);
  let open = k > 0 ? units : 0;
  while (open > 0) {
    const i = strongestHead(ranked, into, left);
    if (i < 0) break;
    const edge = ranked[into[i]].ids[--left[i]];
    const unit = edgeTo(graph.bundles[into[i]], edge);
    if (taken[unit] === k) continue;
    found[i][count[i]++] = edge;
    if (++taken[unit] === k) open--;
  }
  return found.map((own, i) => own.slice(0, count[i]).reverse());
}

/** Which of the bundles has the strongest edge among those that are left; of equal ones the first; −1 if none is left. */
function strongestHead(
  ranked: readonly Ranked[],
  bundles: readonly number[],
  left: readonly number[],
): number {
  let [best, most] = [-1, -1];
  for (let i = 0; i < bundles.length; i++) {
    const key = left[i] > 0 ? ranked[bundles[i]].keys[left[i] - 1] : -1;
    if (key > most) [best, most] = [i, key];
  }
  return best;
}

/**
 * The edges of a bundle, weakest first, of equal ones the last first; and of each an integer that orders as its relative
 * strength does: the bits of a float that is not negative.
 */
interface Ranked {
  ids: Int32Array;
  keys: Uint32Array;
}

/** Kept with the strengths: a slider asks again and again. */
const RANKINGS = new WeakMap<Strengths, Ranked[]>();

function rankingOf(strengths: Strengths): Ranked[] {
  const known = RANKINGS.get(strengths);
  if (known) return known;
  const ranked = strengths.values.map((values, b) => rank(values, strengths.largest[b]));
  RANKINGS.set(strengths, ranked);
  return ranked;
}

/** Linear: three passes of counting, each of which keeps the order of equal digits. */
function rank(values: Float32Array, largest: number): Ranked {
  const count = values.length;
  const relative = new Float32Array(count);
  let from: Ranked = { ids: new Int32Array(count), keys: new Uint32Array(relative.buffer) };
  for (let i = 0, edge = count - 1; i < count; i++, edge--) {
    relative[i] = relativeStrength(values[edge], largest);
    from.ids[i] = edge;
  }
  let to: Ranked = { ids: new Int32Array(count), keys: new Uint32Array(count) };
  for (const shift of [0, DIGIT, 2 * DIGIT]) {
    countingSort(from, to, shift);
    [from, to] = [to, from];
  }
  return from;
}

const DIGIT = 11;

function countingSort(from: Ranked, to: Ranked, shift: number): void {
  const mask = (1 << DIGIT) - 1;
  const next = new Int32Array(mask + 2);
  const { ids, keys } = from;
  for (let i = 0; i < keys.length; i++) next[((keys[i] >>> shift) & mask) + 1]++;
  for (let digit = 0; digit < mask; digit++) next[digit + 1] += next[digit];
  // Keys travel with their edges: looking them up again in each pass would take three times as long.
  for (let i = 0; i < keys.length; i++) {
    const at = next[(keys[i] >>> shift) & mask]++;
    to.ids[at] = ids[i];
    to.keys[at] = keys[i];
  }
}
