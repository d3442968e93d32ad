import { expect, it } from "vitest";
import { pictureName } from "../../src/views/graph_picture.ts";
import { GraphScene } from "../../src/views/graph_scene.ts";
import { networkOf } from "../graph_samples.ts";

it("a picture is named after the model, what edges show, the sample, and the layer or the selection", () => {
  const graph = networkOf({ sizes: [3, 2] });
  graph.samples[1] = "sample 7 · “cat/dog”";
  const scene = new GraphScene(() => undefined);
  scene.setGraph(graph);
  scene.setEdges({ sample: 1, quantity: "weight" });
  expect(pictureName(graph, scene, "")).toBe("Edges-weight-sample_7_cat_dog");
  scene.setLayer("features.0");
  expect(pictureName(graph, scene, "My Net")).toBe("My_Net-Edges-weight-sample_7_cat_dog-features.0");
  expect(pictureName(graph, scene, "Edges")).toBe("Edges-weight-sample_7_cat_dog-features.0");
  scene.setNames(["0:1"]);
  expect(pictureName(graph, scene, "")).toBe("Edges-weight-sample_7_cat_dog-0_1");
  scene.setNames(["0:1", "0:0"]);
  expect(pictureName(graph, scene, "")).toBe("Edges-weight-sample_7_cat_dog-2_units");
});
