// What EdgeGraph shows: columns of units, and between them the edges of each layer, decoded once.

import { decodeArray, type WireArray } from "./arrays.ts";
import type { WireBundle, WireColumn, WireGraph, WireTables } from "./graph_wire.ts";
import { layerOf, unitName } from "./selection.ts";

export interface Maps {
  height: number;
  width: number;
  codes: Uint8Array;
  low: number;
  high: number;
  error: number;
}

export interface GraphColumn extends Omit<WireColumn, "values" | "maps" | "order"> {
  /** One after the other, sample by sample: each the mean over the positions of its unit. */
  values: Float32Array;
  maps: Maps | null;
  /** Which unit stands at each place from the top, and where each unit stands. */
  order: Int32Array;
  placeOf: Int32Array;
}

type Arrays = "weight" | "ends" | "contribution" | "source_values" | "target_values" | "bias";

export interface Bundle extends Omit<WireBundle, Arrays | "weight_is"> {
  edges: number;
  /** The unit at each end of each edge; null when dense. */
  from: Int32Array | null;
  to: Int32Array | null;
  weight: Float32Array;
  contribution: Float32Array | null;
  sourceValues: Float32Array;
  targetValues: Float32Array;
  bias: Float32Array | null;
  weightIs: string;
}

export interface Tables {
  diverging: Uint8Array;
  sequential: Uint8Array;
}

export interface Graph {
  title: string;
  how: string;
  message: string;
  samples: string[];
  columns: GraphColumn[];
  bundles: Bundle[];
  colors: { light: Tables; dark: Tables };
}

/** A unit by its column and its own number. */
export interface Node {
  column: number;
  unit: number;
}

/** An edge by its bundle and its number there. */
export interface Edge {
  bundle: number;
  edge: number;
}

/** Against the data, or with it. */
export type Direction = "in" | "out";

export function decodeGraph(wire: WireGraph): Graph {
  const samples = wire.samples.length;
  const columns = wire.columns.map((column) => decodeColumn(column, samples));
  return {
    title: wire.title,
    how: wire.how,
    message: wire.message ?? "",
    samples: wire.samples,
    columns,
    bundles: wire.bundles.map((bundle) => decodeBundle(bundle, columns, samples)),
    colors: { light: decodeTables(wire.colors.light), dark: decodeTables(wire.colors.dark) },
  };
}

function decodeTables({ diverging, sequential }: WireTables): Tables {
  return {
    diverging: decodeArray(diverging) as Uint8Array,
    sequential: decodeArray(sequential) as Uint8Array,
  };
}

function decodeColumn(wire: WireColumn, samples: number): GraphColumn {
  const what = `column "${wire.name}"`;
  const order = decode(wire.order, wire.units, `the order of ${what}`) as Int32Array;
  return {
    ...wire,
    values: decode(wire.values, samples * wire.units, `the values of ${what}`) as Float32Array,
    maps: wire.maps && decodeMaps(wire.maps, samples * wire.units, what),
    order,
    placeOf: placesOf(order, what),
  };
}

function decodeMaps({ codes, ...scale }: NonNullable<WireColumn["maps"]>, tiles: number, what: string): Maps {
  const [height, width] = codes.shape.slice(-2);
  const decoded = decode(codes, tiles * height * width, `the feature maps of ${what}`) as Uint8Array;
  return { ...scale, height, width, codes: decoded };
}

function placesOf(order: Int32Array, what: string): Int32Array {
  const places = new Int32Array(order.length).fill(-1);
  order.forEach((unit, place) => {
    if (unit in places) places[unit] = place;
  });
  if (places.includes(-1)) throw new Error(`the order of ${what} does not name each of its units once`);
  return places;
}

function decodeBundle(wire: WireBundle, columns: GraphColumn[], samples: number): Bundle {
  const what = `the edges of "${wire.name}"`;
  const { ends, source_values, target_values, weight_is, ...plain } = wire;
  checkPlaces(wire, columns, what);
  const edges = ends ? ends.shape[0] : wire.inputs * wire.outputs;
  const numbers = (array: WireArray, length: number, of: string) =>
    decode(array, length, `${of} of ${what}`) as Float32Array;
  return {
    ...plain,
    edges,
    ...splitEnds(ends, wire, what),
    weight: numbers(wire.weight, edges, "weight"),
    contribution: wire.contribution && numbers(wire.contribution, samples * edges, "contribution"),
    sourceValues: numbers(source_values, samples * wire.inputs, "source values"),
    targetValues: numbers(target_values, samples * wire.outputs, "target values"),
    bias: wire.bias && numbers(wire.bias, wire.outputs, "bias"),
    weightIs: weight_is,
  };
}

/** Edges lead to a later column: what follows them may go through the columns in order. */
function checkPlaces({ source, target, inputs, outputs }: WireBundle, columns: GraphColumn[], what: string) {
  if (!(source in columns && target in columns && source < target)) {
    throw new Error(
      `${what} lead from column ${source} to column ${target}; expected an earlier and a later one`,
    );
  }
  const [from, to] = [columns[source].units, columns[target].units];
  if (from !== inputs || to !== outputs) {
    throw new Error(`${what} join ${inputs} × ${outputs} units, but their columns have ${from} and ${to}`);
  }
}

function splitEnds(ends: WireArray | null, { inputs, outputs }: WireBundle, what: string) {
  if (!ends) return { from: null, to: null };
  const edges = ends.shape[0];
  const pairs = decode(ends, 2 * edges, `ends of ${what}`) as Int32Array;
  const from = Int32Array.from({ length: edges }, (_, edge) => pairs[2 * edge]);
  const to = Int32Array.from({ length: edges }, (_, edge) => pairs[2 * edge + 1]);
  const outside = (units: number) => (unit: number) => unit < 0 || unit >= units;
  if (from.some(outside(inputs)) || to.some(outside(outputs))) {
    throw new Error(`ends of ${what} name units beyond its ${inputs} inputs and ${outputs} outputs`);
  }
  return { from, to };
}

function decode(array: WireArray, length: number, what: string) {
  const numbers = decodeArray(array);
  if (numbers.length !== length) {
    throw new Error(`${what}: ${length} numbers were expected, but ${array.shape.join(" × ")} came`);
  }
  return numbers;
}

export function edgeFrom(bundle: Bundle, edge: number): number {
  return bundle.from ? bundle.from[edge] : edge % bundle.inputs;
}

export function edgeTo(bundle: Bundle, edge: number): number {
  return bundle.to ? bundle.to[edge] : Math.floor(edge / bundle.inputs);
}

/** The units that an edge leads from and to. */
export function endsOf(graph: Graph, { bundle, edge }: Edge): [Node, Node] {
  const own = graph.bundles[bundle];
  return [
    { column: own.source, unit: edgeFrom(own, edge) },
    { column: own.target, unit: edgeTo(own, edge) },
  ];
}

/** Visits every edge in the order of numbers, without the divisions of `edgeFrom` and `edgeTo`. */
export function eachEdge(bundle: Bundle, visit: (edge: number, from: number, to: number) => void): void {
  const { from, to, inputs, outputs, edges } = bundle;
  if (from && to) {
    for (let edge = 0; edge < edges; edge++) visit(edge, from[edge], to[edge]);
    return;
  }
  for (let output = 0, edge = 0; output < outputs; output++)
    for (let input = 0; input < inputs; input++, edge++) visit(edge, input, output);
}

/** The edges of a bundle into one of its outputs ("in") or out of one of its inputs ("out"), in order. */
export function edgesOf(bundle: Bundle, unit: number, direction: Direction): ArrayLike<number> {
  const { from, to, inputs, outputs } = bundle;
  if (!from || !to) {
    return direction === "in"
      ? Int32Array.from({ length: inputs }, (_, input) => unit * inputs + input)
      : Int32Array.from({ length: outputs }, (_, output) => output * inputs + unit);
  }
  const ends = direction === "in" ? to : from;
  const found: number[] = [];
  for (let edge = ends.indexOf(unit); edge >= 0; edge = ends.indexOf(unit, edge + 1)) found.push(edge);
  return found;
}

/** The numbers of the bundles that lead into a column, or out of it. */
export function bundlesAt(graph: Graph, column: number, direction: Direction): number[] {
  return graph.bundles.flatMap((bundle, b) =>
    (direction === "in" ? bundle.target : bundle.source) === column ? [b] : [],
  );
}

/** By its name or by that of a layer whose units are its units; −1 where there is none. */
export function columnOfLayer(graph: Graph, layer: string): number {
  const named = graph.columns.findIndex((column) => column.name === layer);
  return named >= 0 ? named : graph.columns.findIndex((column) => column.aliases.includes(layer));
}

/** The full name of a unit, "1:4": that of the layer whose values go on. */
export function nameOfNode(graph: Graph, { column, unit }: Node): string {
  return unitName(graph.columns[column].name, unit);
}

/** The unit with this name, by any of its layer's names; null where it is not here. */
export function nodeOfName(graph: Graph, name: string): Node | null {
  const layer = layerOf(name);
  const column = columnOfLayer(graph, layer);
  const unit = /^\d+$/.test(name.slice(layer.length + 1)) ? Number(name.slice(layer.length + 1)) : -1;
  return column >= 0 && unit >= 0 && unit < graph.columns[column].units ? { column, unit } : null;
}

/** The value of a unit in a sample: the mean over its positions. */
export function valueOfNode(graph: Graph, { column, unit }: Node, sample: number): number {
  const { values, units } = graph.columns[column];
  return values[sample * units + unit];
}
