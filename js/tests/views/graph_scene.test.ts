import { expect, it } from "vitest";
import { decodeGraph } from "../../src/core/graph_content.ts";
import { bestPaths } from "../../src/core/graph_paths.ts";
import { strengths } from "../../src/core/graph_strength.ts";
import { GraphScene } from "../../src/views/graph_scene.ts";
import { columnOf, denseOf, wireGraph } from "../graph_samples.ts";

it("lights the paths of the largest contributions, whatever the edges show", () => {
  // By weight the way from input:0 is the best one, by contribution that from input:1; in the second sample it is not.
  const values = [
    [1, 10],
    [10, 1],
  ];
  const layer = { name: "0", source: 0, target: 1, weight: [[3, 1]], from: values, to: [[13], [31]] };
  const graph = decodeGraph(
    wireGraph([columnOf("input", values), columnOf("0", [[13], [31]])], [denseOf(layer)]),
  );
  const scene = new GraphScene(() => undefined);
  scene.setGraph(graph);
  scene.setNames(["0:0"]);
  for (const sample of [0, 1]) {
    const best = bestPaths(graph, strengths(graph, sample, "contribution"), 1, 0, 5, "in");
    expect(best.paths[0].steps).toEqual([{ bundle: 0, edge: 1 - sample }]);
    for (const quantity of ["contribution", "weight"] as const) {
      scene.setEdges({ sample, quantity });
      expect(scene.lit.into).toEqual(best);
    }
  }
});
