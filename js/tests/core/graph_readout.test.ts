import { describe, expect, it } from "vitest";
import { decodeGraph, eachEdge } from "../../src/core/graph_content.ts";
import {
  drawnInWords,
  largestInWords,
  readAs,
  readEdge,
  readNode,
  thresholdInWords,
  tripletOf,
} from "../../src/core/graph_readout.ts";
import { strengths, strongest, strongestPerUnit } from "../../src/core/graph_strength.ts";
import type { WireBundle, WireColumn } from "../../src/core/graph_wire.ts";
import { columnOf, denseOf, networkOf, weighted, wireGraph } from "../graph_samples.ts";
import { wire } from "../samples.ts";

const x = [[0.71, 2]];
const before = [[-2.01, 0]];
const after = [[0.118, 0.5]];
const layer = { source: 0, target: 1, from: x, to: before, bias: [-0.5, 0] };
const weight = [
  [-0.34, -0.6343],
  [2, -0.71],
];

/** Two inputs, two units after a sigmoid. */
function smallGraph(
  edges: Partial<WireBundle> = {},
  target: Partial<WireColumn> = {},
  source: Partial<WireColumn> = {},
) {
  const columns = [columnOf("input", x, source), columnOf("1", after, { aliases: ["0", "1"], ...target })];
  const stage = "Sigmoid";
  return decodeGraph(wireGraph(columns, [denseOf({ name: "0", weight, ...layer }, { stage, ...edges })]));
}

const said = (...given: Parameters<typeof readEdge>) => readAs(readEdge(...given));

describe("an edge", () => {
  it("is said from its source to its share", () => {
    expect(said(smallGraph(), { bundle: 0, edge: 0 }, 0)).toBe(
      "input:0 → 1:0 · x 0.710 × w −0.340 = −0.241 · 12 % of 1:0’s −2.01 before Sigmoid",
    );
  });

  it("of a layer that nothing follows needs no word about a stage, whatever the names", () => {
    const graph = smallGraph({ stage: "" });
    expect(said(graph, { bundle: 0, edge: 0 }, 0)).toMatch(/ · 12 % of 1:0’s −2.01$/);
  });

  it("has no share of a target that is 0", () => {
    expect(said(smallGraph(), { bundle: 0, edge: 2 }, 0)).toMatch(
      / = 1.42 · no share of 1:1’s 0 before Sigmoid$/,
    );
    expect(tripletOf(smallGraph(), 0, 2, 0).share).toBeNull();
  });

  it.each([Number.NaN, Infinity, -Infinity])("has no share of a target that is %d", (value) => {
    const graph = smallGraph({ target_values: wire(Float32Array.of(value, value), 1, 2) });
    expect(tripletOf(graph, 0, 0, 0).share).toBeNull();
  });

  it.each([
    [Number.NaN, "x 0.710 × w not defined = not defined · no share of 1:0’s −2.01"],
    [Infinity, "x 0.710 × w +∞ = +∞ · no share of 1:0’s −2.01"],
  ])("of weight %d is said as it is", (value, words) => {
    const graph = smallGraph({ stage: "", weight: wire(Float32Array.of(value, 0, 0, 0), 2, 2) });
    expect(said(graph, { bundle: 0, edge: 0 }, 0)).toContain(words);
  });

  it("of a kernel does not claim to be a product", () => {
    const contribution = wire(Float32Array.of(0.9, 0, 0, 0), 1, 2, 2);
    const graph = smallGraph({ contribution, weight_is: "kernel sum", stage: "" });
    expect(readEdge(graph, { bundle: 0, edge: 0 }, 0)[1]).toBe(
      "x 0.710, kernel sum −0.340: contributes 0.900",
    );
  });

  it.each([
    [
      "between units of several positions",
      {},
      { positions: 4 },
      { positions: 4 },
      ["Σx 0.710", "Σ−2.01 before Sigmoid"],
    ],
    ["behind Flatten", {}, { positions: 1 }, { positions: 4 }, ["Σx 0.710", "1:0’s −2.01 before Sigmoid"]],
    ["in front of positions", {}, { positions: 4 }, { positions: 1 }, ["· x 0.710", "Σ−2.01 before Sigmoid"]],
    [
      "in front of a pool",
      { stage: "AvgPool2d" },
      {},
      { positions: 4 },
      ["Σx 0.710", "Σ−2.01 before AvgPool2d"],
    ],
  ])("%s says which of its values are sums", (_, edges, target, source, words) => {
    const graph = smallGraph(edges, target, source);
    for (const part of words) expect(said(graph, { bundle: 0, edge: 0 }, 0)).toContain(part);
  });

  it("from feature maps of one position claims no sums", () => {
    const maps = { codes: wire(new Uint8Array(2), 1, 2, 1, 1), low: 0, high: 1, error: 0 };
    const graph = smallGraph({}, { maps }, { maps });
    expect(said(graph, { bundle: 0, edge: 0 }, 0)).not.toContain("Σ");
  });

  it("of one layer among several into a unit has a share of what that layer gives", () => {
    const graph = networkOf({ sizes: [2, 2, 2], skips: [[0, 2]] });
    expect(readEdge(graph, { bundle: 2, edge: 0 }, 0)[2]).toMatch(
      /^\S+ % of the \S+ that skip0-2 gives 1:0$/,
    );
    graph.bundles[2].stage = "relu";
    expect(readEdge(graph, { bundle: 2, edge: 0 }, 0)[2]).toMatch(/ that skip0-2 gives 1:0 before relu$/);
  });

  it("against its target has a negative share, and a small one is not called 0", () => {
    const shares = (w: number) =>
      readEdge(
        smallGraph({ stage: "", weight: wire(Float32Array.of(w, 0, 0, 0), 2, 2) }),
        { bundle: 0, edge: 0 },
        0,
      )[2];
    expect([shares(1), shares(0.001), shares(0), shares(-0.001)]).toEqual([
      "−35 % of 1:0’s −2.01",
      "under 1 % of 1:0’s −2.01",
      "0 % of 1:0’s −2.01",
      "under 1 % of 1:0’s −2.01",
    ]);
  });
});

it("shares of all edges and of the bias make the whole target", () => {
  const graph = networkOf({ sizes: [5, 4, 3] });
  const [bundle] = graph.bundles;
  const sums = Array.from(bundle.bias ?? [], (bias, to) => bias / bundle.targetValues[bundle.outputs + to]);
  eachEdge(bundle, (edge, _, to) => {
    sums[to] += tripletOf(graph, 0, edge, 1).share ?? Number.NaN;
  });
  for (const sum of sums) expect(sum).toBeCloseTo(1, 4);
});

describe("a unit", () => {
  it("is said with its value, what it was before what follows its layer, and its edges", () => {
    expect(readAs(readNode(smallGraph(), { column: 1, unit: 0 }, 0))).toBe(
      "1:0 · 0.118 (−2.01 before Sigmoid) · 2 edges in, 0 out",
    );
    expect(readAs(readNode(smallGraph(), { column: 0, unit: 1 }, 0))).toBe("input:1 · 2 · 0 edges in, 2 out");
  });

  it("has its class beside its name, and no stage where there is none", () => {
    const graph = smallGraph({ stage: "" }, { labels: ["cat", "dog"] });
    expect(readAs(readNode(graph, { column: 1, unit: 1 }, 0))).toBe("1:1 “dog” · 0.500 · 2 edges in, 0 out");
  });

  it("of several positions has their mean beside the sum of before", () => {
    const graph = smallGraph({}, { positions: 784 }, { positions: 1024 });
    expect(readAs(readNode(graph, { column: 1, unit: 0 }, 0))).toBe(
      "1:0 · 0.118, mean of 784 positions (Σ−2.01 before Sigmoid) · 2 edges in, 0 out",
    );
  });

  it("behind Flatten is no sum", () => {
    const graph = smallGraph({}, { positions: 1 }, { positions: 25 });
    expect(readNode(graph, { column: 1, unit: 0 }, 0)[1]).toBe("0.118 (−2.01 before Sigmoid)");
  });

  it("that several layers make has no one value of before", () => {
    const graph = networkOf({ sizes: [2, 2, 2], skips: [[0, 2]] });
    for (const bundle of graph.bundles) bundle.stage = "relu";
    expect(readNode(graph, { column: 2, unit: 0 }, 0)[1]).not.toContain("before");
  });

  it("owns up to edges that were left out", () => {
    const graph = smallGraph({ total: 100, stage: "" });
    expect(readAs(readNode(graph, { column: 1, unit: 0 }, 0))).toBe(
      "1:0 · 0.118 · 2 edges in, 0 out of those kept",
    );
  });

  it("counts one edge as one", () => {
    const graph = weighted([1, 1], [1]);
    expect(readNode(graph, { column: 1, unit: 0 }, 0)[2]).toBe("1 edge in, 0 out");
  });
});

describe("what is drawn", () => {
  const graph = networkOf({ sizes: [64, 32, 16, 10], seed: 2 });
  const given = strengths(graph, 0, "contribution");

  it("is said with its rule", () => {
    expect(drawnInWords(graph, given, strongest(graph, given, 400), "contribution", 0)).toBe(
      "400 of 2,720 edges: the strongest, at least 66 a layer",
    );
    expect(drawnInWords(graph, given, strongestPerUnit(graph, given, 3), "weight", 3)).toBe(
      "174 of 2,720 edges: the 3 largest |weight| into each unit, relative to each layer’s largest",
    );
    expect(drawnInWords(graph, given, strongest(graph, given, 9999), "weight", 0)).toBe(
      "all 2,720 edges drawn",
    );
  });

  it("says that a layer with fewer edges than the others’ share is whole, and no share where there is none", () => {
    const own = weighted(
      [1, 1, 30],
      [1],
      Array.from({ length: 30 }, (_, i) => i),
    );
    const found = strengths(own, 0, "weight");
    const said = (count: number) => drawnInWords(own, found, strongest(own, found, count), "weight", 0);
    expect(said(3)).toBe("3 of 31 edges: the strongest");
    expect(said(4)).toBe("4 of 31 edges: the strongest, at least 1 a layer");
    expect(said(8)).toBe("8 of 31 edges: the strongest, at least 2 a layer or all of it");
  });

  it("is measured by nothing else where there is one layer, and tells what is no number and what Python left out", () => {
    const one = weighted([2, 2], [1, 2, Number.NaN, 4]);
    one.bundles[0].note = "4 of 16 edges: largest |weight|";
    const own = strengths(one, 0, "weight");
    expect(drawnInWords(one, own, strongest(one, own, 2), "weight", 0)).toBe(
      "2 of 4 edges: largest |weight| · 1 not finite · 0: 4 of 16 edges: largest |weight|",
    );
  });

  it("has the strength of the weakest edge drawn as its threshold, never rounded up", () => {
    const own = weighted([2, 4], [100, -12.9, 0.34, 0.045, 0, Number.NaN, Infinity, 3.5]);
    const found = strengths(own, 0, "weight");
    const said = [0, 2, 3, 4, 5, 6, 7, 8].map((count) =>
      thresholdInWords(found, strongest(own, found, count)),
    );
    const of = (share: string) => `≥ ${share} % of the largest`;
    expect(said).toEqual(["", "", of("100"), of("12"), of("3"), of("0.3"), of("0.04"), ""]);
    const tiny = weighted([1, 3], [1, 1e-9, 0]);
    const weak = strengths(tiny, 0, "weight");
    expect(thresholdInWords(weak, strongest(tiny, weak, 2))).toBe("");
    const zeros = weighted([1, 3], [1, 0, 0]);
    const none = strengths(zeros, 0, "weight");
    expect(thresholdInWords(none, strongest(zeros, none, 2))).toBe("down to 0");
  });

  it("is thresholded over all layers, each by its own largest", () => {
    const own = weighted([1, 2, 1], [10, 4], [1, -0.5]);
    const found = strengths(own, 0, "weight");
    expect(thresholdInWords(found, strongest(own, found, 3))).toBe("≥ 50 % of the largest");
  });

  it("has its largest value between the columns", () => {
    const own = weighted([1, 2, 1], [-2.314, 1], [0, 0]);
    const found = strengths(own, 0, "weight");
    expect([largestInWords(found, 0), largestInWords(found, 1)]).toEqual(["±2.31", "0"]);
    const none = weighted([1, 1], [Number.NaN]);
    expect(largestInWords(strengths(none, 0, "weight"), 0)).toBe("not finite");
  });
});
