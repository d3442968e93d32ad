// The numbers from which the drawn edges are painted, looked up when they are needed: a picture of a million edges that
// is given up for the next one, as while a slider is moved, has cost those of its first edges.

import type { Bundle, Graph } from "../core/graph_content.ts";
import { type GraphLayout, nodeY } from "../core/graph_layout.ts";
import type { Drawn, Strengths } from "../core/graph_strength.ts";
import { type EdgeNumbers, strengthOf } from "./graph_edges.ts";

export class DrawnNumbers implements EdgeNumbers {
  readonly count: number;
  /** The heights of the units of each column. */
  private readonly heights: Float32Array[];

  constructor(
    private readonly graph: Graph,
    layout: GraphLayout,
    private readonly strengths: Strengths,
    private readonly drawn: Drawn,
  ) {
    this.count = drawn.count;
    this.heights = graph.columns.map((column, c) =>
      Float32Array.from({ length: column.units }, (_, unit) => nodeY(layout, graph, c, unit)),
    );
  }

  write(out: Float32Array, first: number, count: number): void {
    const { graph, drawn, strengths, heights } = this;
    let start = 0;
    drawn.edges.forEach((edges, b) => {
      const from = Math.max(first, start);
      const own = edges.subarray(from - start, Math.max(from, first + count) - start);
      const part = out.subarray(3 * (from - first));
      const bundle = graph.bundles[b];
      writeEnds(part, bundle, own, heights[bundle.source], heights[bundle.target]);
      writeStrengths(part, own, strengths.values[b], strengths.largest[b]);
      start += edges.length;
    });
  }
}

function writeEnds(
  out: Float32Array,
  { from, to, inputs }: Bundle,
  edges: Int32Array,
  sources: Float32Array,
  targets: Float32Array,
): void {
  for (let i = 0; i < edges.length; i++) {
    const edge = edges[i];
    const output = to ? to[edge] : Math.floor(edge / inputs);
    out[3 * i] = sources[from ? from[edge] : edge - output * inputs];
    out[3 * i + 1] = targets[output];
  }
}

function writeStrengths(out: Float32Array, edges: Int32Array, values: Float32Array, largest: number): void {
  for (let i = 0; i < edges.length; i++) out[3 * i + 2] = strengthOf(values[edges[i]], largest);
}
