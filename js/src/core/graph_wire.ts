// What Python sends of an edge graph: columns of units and the edges of each layer, as arrays of bytes.

import type { WireArray } from "./arrays.ts";

export interface WireColumn {
  /** The layer whose values go on from here. */
  name: string;
  /** Every layer whose units are these units. */
  aliases: string[];
  /** What a click on the head picks; null: no single layer has these units. */
  layer: string | null;
  kind: string;
  units: number;
  /** (samples, units); the mean over positions. */
  values: WireArray;
  /** At how many places a unit has a value: of feature maps height times width, of tokens their number. */
  positions: number;
  low: number;
  high: number;
  diverging: boolean;
  /** (samples, units, height, width), as the codes of `codes.ts`. */
  maps: { codes: WireArray; low: number; high: number; error: number } | null;
  /** Which unit stands at each place from the top. */
  order: WireArray;
  labels: string[] | null;
}

/** The edges of one layer. Dense ones are numbered `output * inputs + input`. */
export interface WireBundle {
  name: string;
  kind: string;
  source: number;
  target: number;
  inputs: number;
  outputs: number;
  weight: WireArray;
  /** (edges, 2): input and output of each edge; null when every input reaches every output. */
  ends: WireArray | null;
  /** Sample by sample; null where it is weight times source value. All values are sums over positions. */
  contribution: WireArray | null;
  source_values: WireArray;
  /** What the layer returned, bias included. */
  target_values: WireArray;
  bias: WireArray | null;
  /** How many edges the layer has: more than are here if it was thinned. */
  total: number;
  weight_is: string;
  note: string;
  /** What stands between what the layer returned and the values of its target: "relu"; "" for nothing. */
  stage: string;
}

export interface WireTables {
  diverging: WireArray;
  sequential: WireArray;
}

export interface WireGraph {
  title: string;
  how: string;
  /** Why there is nothing to show, if there is nothing. */
  message: string;
  samples: string[];
  columns: WireColumn[];
  bundles: WireBundle[];
  colors: { light: WireTables; dark: WireTables };
}
