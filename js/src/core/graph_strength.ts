// How strong edges are, and which of them are the strongest.

import { type Bundle, eachEdge, edgeFrom, type Graph } from "./graph_content.ts";

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
  /** Of each bundle, weakest first, so that the strongest is painted last. */
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

/** The strongest edges of each bundle, its fair share, and of the others the strongest of all; `count` together. */
export function strongest(graph: Graph, strengths: Strengths, count: number): Drawn {
  const keys = sortKeys(strengths);
  const most = Math.min(Math.max(0, Math.floor(count)), keys.length);
  const isChosen = new Uint8Array(keys.length);
  const dealt =
    most < keys.length ? dealOut(graph, keys, fairShare(graph.bundles.length, most), isChosen) : 0;
  // Most often there is but one bundle of many edges, or few edges.
  const others = dealt > 0 ? whereUnset(isChosen, dealt) : null;
  markFirst(others ? keysOf(keys, others) : keys, most - dealt, (at) => {
    isChosen[others ? others[at] : at] = 1;
  });
  return split(graph, sortByKey(whereSet(isChosen, most), keys), keys.length);
}

/** Marks the `share` strongest edges of each bundle, or all that it has, and says how many these are. */
function dealOut(graph: Graph, keys: Uint32Array, share: number, isChosen: Uint8Array): number {
  if (share === 0) return 0;
  let [start, dealt] = [0, 0];
  for (const { edges } of graph.bundles) {
    const first = start;
    const own = Math.min(share, edges);
    markFirst(keys.subarray(start, start + edges), own, (at) => {
      isChosen[first + at] = 1;
    });
    start += edges;
    dealt += own;
  }
  return dealt;
}

/** Calls `mark` with the place of each of the `count` strongest; of equal ones of the first. */
function markFirst(keys: Uint32Array, count: number, mark: (at: number) => void): void {
  let { key, ties } = keys.length < FEW ? cutBySorting(keys.slice(), count) : cutByCounting(keys, count);
  for (let at = 0, left = count; left > 0; at++) {
    if (keys[at] > key || (keys[at] === key && ties-- > 0)) {
      mark(at);
      left--;
    }
  }
}

/** Sorting fewer than these is quicker than counting them in bins. */
const FEW = 8192;

/** The `k` strongest edges into each unit, whichever bundle they come by. */
export function strongestPerUnit(graph: Graph, strengths: Strengths, k: number): Drawn {
  const keys = sortKeys(strengths);
  const { ids, ends } = groupsByTarget(graph);
  const isChosen = new Uint8Array(keys.length);
  let chosen = 0;
  for (let unit = 0, start = 0; unit < ends.length; start = ends[unit++]) {
    const count = Math.min(Math.max(0, Math.floor(k)), ends[unit] - start);
    let { key, ties } = cutBySorting(keysOf(keys, ids.subarray(start, ends[unit])), count);
    for (let i = start; i < ends[unit]; i++) {
      const own = keys[ids[i]];
      if (own > key || (own === key && ties-- > 0)) isChosen[ids[i]] = 1;
    }
    chosen += count;
  }
  return split(graph, sortByKey(whereSet(isChosen, chosen), keys), keys.length);
}

/**
 * One integer an edge that orders as its relative strength does: the bits of a float that is not negative. Edges are
 * numbered through all bundles, one after the other.
 */
function sortKeys({ values, largest }: Strengths): Uint32Array {
  const relative = new Float32Array(values.reduce((sum, own) => sum + own.length, 0));
  let id = 0;
  values.forEach((own, b) => {
    for (let edge = 0; edge < own.length; edge++) relative[id++] = relativeStrength(own[edge], largest[b]);
  });
  return new Uint32Array(relative.buffer);
}

/** The key of the `count`-th strongest edge, and how many of the edges with just that key are among the strongest. */
interface Cut {
  key: number;
  ties: number;
}

/** Counts edges by the upper half of their bits, then in the one bin that matters by the lower half: exact, no sort. */
function cutByCounting(keys: Uint32Array, count: number): Cut {
  const upper = new Int32Array(HALF);
  for (let id = 0; id < keys.length; id++) upper[keys[id] >>> 16]++;
  const coarse = binOf(upper, count);
  const lower = new Int32Array(HALF);
  for (let id = 0; id < keys.length; id++) if (keys[id] >>> 16 === coarse.bin) lower[keys[id] & 0xffff]++;
  const fine = binOf(lower, coarse.inside);
  return { key: coarse.bin * HALF + fine.bin, ties: fine.inside };
}

const HALF = 65536;

/** The bin of the `count`-th from the top, and how many of the `count` lie inside it. */
function binOf(counts: Int32Array, count: number): { bin: number; inside: number } {
  let bin = HALF - 1;
  let inside = count;
  while (bin > 0 && counts[bin] < inside) inside -= counts[bin--];
  return { bin, inside };
}

/** The same for few edges, whose keys are then in order. */
function cutBySorting(keys: Uint32Array, count: number): Cut {
  if (count === 0) return { key: Infinity, ties: 0 };
  const sorted = keys.sort();
  const at = keys.length - count;
  return { key: sorted[at], ties: sorted.lastIndexOf(sorted[at]) - at + 1 };
}

/** Edges numbered through all bundles, those into one unit together; `ends` has where each unit's edges end. */
interface Groups {
  ids: Int32Array;
  ends: Int32Array;
}

/** Kept with the graph: a slider asks again and again. */
const GROUPS = new WeakMap<Graph, Groups>();

function groupsByTarget(graph: Graph): Groups {
  const groups = GROUPS.get(graph) ?? groupByTarget(graph);
  GROUPS.set(graph, groups);
  return groups;
}

function groupByTarget(graph: Graph): Groups {
  const firstOf = startsOf(graph.columns.map((column) => column.units));
  const units = firstOf[graph.columns.length];
  const target = new Int32Array(graph.bundles.reduce((sum, bundle) => sum + bundle.edges, 0));
  let id = 0;
  for (const bundle of graph.bundles)
    eachEdge(bundle, (_edge, _from, to) => {
      target[id++] = firstOf[bundle.target] + to;
    });
  const counts = new Int32Array(units);
  for (id = 0; id < target.length; id++) counts[target[id]]++;
  const next = startsOf(counts);
  const ids = new Int32Array(target.length);
  for (id = 0; id < target.length; id++) ids[next[target[id]]++] = id;
  return { ids, ends: next.subarray(0, units) };
}

/** Where each of several runs starts, one after the other, and where the last one ends. */
function startsOf(lengths: ArrayLike<number>): Int32Array {
  const starts = new Int32Array(lengths.length + 1);
  for (let i = 0; i < lengths.length; i++) starts[i + 1] = starts[i] + lengths[i];
  return starts;
}

function whereSet(flags: Uint8Array, count: number): Int32Array {
  const ids = new Int32Array(count);
  for (let id = 0, k = 0; k < count; id++) if (flags[id]) ids[k++] = id;
  return ids;
}

function keysOf(keys: Uint32Array, ids: Int32Array): Uint32Array {
  const own = new Uint32Array(ids.length);
  for (let i = 0; i < ids.length; i++) own[i] = keys[ids[i]];
  return own;
}

function whereUnset(flags: Uint8Array, set: number): Int32Array {
  const ids = new Int32Array(flags.length - set);
  for (let id = 0, k = 0; k < ids.length; id++) if (!flags[id]) ids[k++] = id;
  return ids;
}

/** Ascending keys, equal ones with the lowest number last; `ids` must ascend. Linear: three passes of counting. */
function sortByKey(ids: Int32Array, keys: Uint32Array): Int32Array {
  let from = { ids: ids.slice().reverse(), keys: new Uint32Array(ids.length) };
  let to = { ids: new Int32Array(ids.length), keys: new Uint32Array(ids.length) };
  // Keys travel with their edges: looking them up again in each pass would take three times as long.
  for (let i = 0; i < ids.length; i++) from.keys[i] = keys[from.ids[i]];
  for (const shift of [0, DIGIT, 2 * DIGIT]) {
    countingSort(from, to, shift);
    [from, to] = [to, from];
  }
  return from.ids;
}

const DIGIT = 11;

interface Keyed {
  ids: Int32Array;
  keys: Uint32Array;
}

function countingSort(from: Keyed, to: Keyed, shift: number): void {
  const mask = (1 << DIGIT) - 1;
  const counts = new Int32Array(mask + 1);
  const { ids, keys } = from;
  for (let i = 0; i < keys.length; i++) counts[(keys[i] >>> shift) & mask]++;
  const next = startsOf(counts);
  for (let i = 0; i < keys.length; i++) {
    const at = next[(keys[i] >>> shift) & mask]++;
    to.ids[at] = ids[i];
    to.keys[at] = keys[i];
  }
}

/** Edges numbered through all bundles, told apart by bundle in the order they come in. */
function split(graph: Graph, ids: Int32Array, total: number): Drawn {
  const starts = startsOf(graph.bundles.map((bundle) => bundle.edges));
  const edges = graph.bundles.map((_, b) => within(ids, starts[b], starts[b + 1]));
  return { edges, count: ids.length, total };
}

function within(ids: Int32Array, start: number, end: number): Int32Array {
  let count = 0;
  const found = new Int32Array(Math.min(ids.length, end - start));
  for (let i = 0; i < ids.length; i++) if (ids[i] >= start && ids[i] < end) found[count++] = ids[i] - start;
  return found.slice(0, count);
}
