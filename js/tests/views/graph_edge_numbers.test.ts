import { expect, it } from "vitest";
import { edgeFrom, edgeTo } from "../../src/core/graph_content.ts";
import { layoutGraph, nodeY } from "../../src/core/graph_layout.ts";
import { strengths, strongest } from "../../src/core/graph_strength.ts";
import { DrawnNumbers } from "../../src/views/graph_edge_numbers.ts";
import { strengthOf } from "../../src/views/graph_edges.ts";
import { networkOf } from "../graph_samples.ts";

it.each([1, 0.5])("any part of the drawn edges has their heights and strengths (density %d)", (density) => {
  const graph = networkOf({ sizes: [4, 3, 5], skips: [[0, 2]], density });
  const [layout, given] = [layoutGraph(graph, 600, 300), strengths(graph, 1, "contribution")];
  const drawn = strongest(graph, given, 18);
  const whole = drawn.edges.flatMap((edges, b) => {
    const bundle = graph.bundles[b];
    return [...edges].map((edge) => [
      nodeY(layout, graph, bundle.source, edgeFrom(bundle, edge)),
      nodeY(layout, graph, bundle.target, edgeTo(bundle, edge)),
      strengthOf(given.values[b][edge], given.largest[b]),
    ]);
  });
  const numbers = new DrawnNumbers(graph, layout, given, drawn);
  expect(numbers.count).toBe(whole.length);
  for (let first = 0; first < whole.length; first++)
    for (let count = 0; count <= whole.length - first; count++) {
      const out = new Float32Array(3 * count);
      numbers.write(out, first, count);
      expect(out).toEqual(Float32Array.from(whole.slice(first, first + count).flat()));
    }
});
