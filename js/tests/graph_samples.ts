// Small graphs for tests: random but the same every time, and consistent, so that edges and bias sum up to the target.

import { decodeGraph, type Graph } from "../src/core/graph_content.ts";
import type { WireBundle, WireColumn, WireGraph } from "../src/core/graph_wire.ts";
import type { EdgeNumbers } from "../src/views/graph_edges.ts";
import { seeded, wire } from "./samples.ts";

const RAMP = wire(
  Uint8Array.from({ length: 750 }, (_, i) => Math.floor(i / 3)),
  250,
  3,
);
const TABLES = { diverging: RAMP, sequential: RAMP };

/** Values sample by sample. */
export function columnOf(name: string, values: number[][], more: Partial<WireColumn> = {}): WireColumn {
  const units = values[0].length;
  return {
    name,
    aliases: [name],
    layer: name,
    kind: name === "input" ? "" : "Linear",
    units,
    values: wire(Float32Array.from(values.flat()), values.length, units),
    positions: 1,
    low: -1,
    high: 1,
    diverging: true,
    maps: null,
    order: wire(
      Int32Array.from({ length: units }, (_, unit) => unit),
      units,
    ),
    labels: null,
    ...more,
  };
}

export interface Layer {
  name?: string;
  source: number;
  target: number;
  /** One row an output. */
  weight: number[][];
  /** What the layer received and returned, sample by sample. */
  from: number[][];
  to: number[][];
  bias?: number[];
}

/** A layer in which every input reaches every output. */
export function denseOf(
  { name = "", source, target, weight, from, to, bias }: Layer,
  more: Partial<WireBundle> = {},
): WireBundle {
  const [inputs, outputs] = [from[0].length, weight.length];
  return {
    name,
    kind: "Linear",
    source,
    target,
    inputs,
    outputs,
    weight: wire(Float32Array.from(weight.flat()), outputs, inputs),
    ends: null,
    contribution: null,
    source_values: wire(Float32Array.from(from.flat()), from.length, inputs),
    target_values: wire(Float32Array.from(to.flat()), to.length, outputs),
    bias: bias ? wire(Float32Array.from(bias), outputs) : null,
    total: inputs * outputs,
    weight_is: "weight",
    note: "",
    stage: "",
    ...more,
  };
}

/** The same layer with only the edges in `kept`, as [input, output]. */
export function sparseOf(layer: Layer, kept: [number, number][], more: Partial<WireBundle> = {}): WireBundle {
  const weight = Float32Array.from(kept, ([input, output]) => layer.weight[output][input]);
  return denseOf(layer, {
    weight: wire(weight, kept.length),
    ends: wire(Int32Array.from(kept.flat()), kept.length, 2),
    total: kept.length,
    ...more,
  });
}

export function wireGraph(
  columns: WireColumn[],
  bundles: WireBundle[],
  more: Partial<WireGraph> = {},
): WireGraph {
  return {
    title: "Edges",
    how: "",
    message: "",
    samples: Array.from({ length: columns[0]?.values.shape[0] ?? 0 }, (_, s) => `sample ${s}`),
    columns,
    bundles,
    colors: { light: TABLES, dark: TABLES },
    ...more,
  };
}

export interface Network {
  /** Units of each column. */
  sizes: number[];
  samples?: number;
  seed?: number;
  /** Pairs of columns that are joined besides neighbours. */
  skips?: [number, number][];
  /** The share of edges that are there; 1 is dense. */
  density?: number;
  columns?: Partial<WireColumn>;
}

const matrix = (rows: number, columns: number, number: () => number) =>
  Array.from({ length: rows }, () => Array.from({ length: columns }, number));

/** Layers "0", "1", … after "input": each the sum of Linear layers, with a ReLU where it is not the last. */
export function networkWire(network: Network): WireGraph {
  const { sizes, samples = 2, seed = 1, skips = [], density = 1 } = network;
  const random = seeded(seed);
  const signed = () => 2 * random() - 1;
  const weight = () => (random() < density ? signed() : 0);
  const values = [matrix(samples, sizes[0], signed)];
  const bundles: WireBundle[] = [];
  for (let target = 1; target < sizes.length; target++) {
    const sources = [target - 1, ...skips.filter(([, to]) => to === target).map(([from]) => from)];
    const layers = sources.map((source) => {
      const name = source === target - 1 ? String(target - 1) : `skip${source}-${target}`;
      const own = matrix(sizes[target], sizes[source], weight);
      const bias = Array.from({ length: sizes[target] }, signed);
      const from = values[source];
      return { name, source, target, weight: own, from, to: apply(own, bias, from), bias };
    });
    bundles.push(...layers.map((layer) => (density < 1 ? sparseOf(layer, present(layer)) : denseOf(layer))));
    const sum = values[0].map((_, s) =>
      layers[0].to[s].map((_, j) => total(layers.map(({ to }) => to[s][j]))),
    );
    values.push(target < sizes.length - 1 ? sum.map((row) => row.map((y) => Math.max(0, y))) : sum);
  }
  const names = values.map((_, c) => (c === 0 ? "input" : String(c - 1)));
  const columns = values.map((own, c) => columnOf(names[c], own, network.columns));
  return wireGraph(columns, bundles);
}

const total = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0);

/** y = W x + bias, (samples, inputs) to (samples, outputs). */
function apply(weight: number[][], bias: number[], x: number[][]): number[][] {
  return x.map((own) => weight.map((row, j) => bias[j] + total(row.map((w, i) => w * own[i]))));
}

/** [input, output] of every weight that is not 0. */
function present({ weight }: Layer): [number, number][] {
  return weight.flatMap((row, j) => row.flatMap((w, i): [number, number][] => (w === 0 ? [] : [[i, j]])));
}

export function networkOf(network: Network): Graph {
  return decodeGraph(networkWire(network));
}

/** Columns of units joined one to the next by these values as weights, one list a bundle, dense: contributions equal them. */
export function weighted(units: number[], ...weights: number[][]): Graph {
  const ones = units.map((count) => [Array.from({ length: count }, () => 1)]);
  const columns = ones.map((values, c) => columnOf(c === 0 ? "input" : String(c - 1), values));
  const bundles = weights.map((flat, b) => {
    const [inputs, outputs] = [units[b], units[b + 1]];
    const weight = Array.from({ length: outputs }, (_, j) => flat.slice(j * inputs, (j + 1) * inputs));
    return denseOf({ name: String(b), source: b, target: b + 1, weight, from: ones[b], to: ones[b + 1] });
  });
  return decodeGraph(wireGraph(columns, bundles));
}

/** Edges as they are painted, from three numbers each. */
export function edgeNumbers(numbers: ArrayLike<number>): EdgeNumbers {
  const all = Float32Array.from(numbers);
  return {
    count: all.length / 3,
    write: (out, first, count) => out.set(all.subarray(3 * first, 3 * (first + count))),
  };
}
