import { describe, expect, it } from "vitest";
import {
  columnOfLayer,
  decodeGraph,
  eachEdge,
  edgeFrom,
  edgesOf,
  edgeTo,
  nameOfNode,
  nodeOfName,
  valueOfNode,
} from "../../src/core/graph_content.ts";
import {
  columnOf,
  denseOf,
  type Layer,
  networkOf,
  networkWire,
  sparseOf,
  wireGraph,
} from "../graph_samples.ts";
import { wire } from "../samples.ts";

const x = [
  [1, 2, 3],
  [4, 5, 6],
];
const y = [
  [0.5, -0.5],
  [1, -1],
];
const layer: Layer = {
  name: "fc",
  source: 0,
  target: 1,
  weight: [
    [1, 2, 3],
    [4, 5, 6],
  ],
  from: x,
  to: y,
};
const columns = [columnOf("input", x), columnOf("act", y, { aliases: ["fc", "act"] })];

describe.each([
  ["dense", networkOf({ sizes: [4, 3, 2] })],
  ["sparse", networkOf({ sizes: [7, 5, 3], density: 0.4, seed: 3 })],
])("%s edges", (_, graph) => {
  it.each(graph.bundles.map((bundle) => [bundle.name, bundle] as const))(
    "of %s are numbered one way",
    (_, own) => {
      const visited: number[][] = [];
      eachEdge(own, (edge, from, to) => visited.push([edge, from, to]));
      expect(visited).toEqual(
        Array.from({ length: own.edges }, (_, edge) => [edge, edgeFrom(own, edge), edgeTo(own, edge)]),
      );
      for (let unit = 0; unit < own.outputs; unit++)
        expect(Array.from(edgesOf(own, unit, "in"))).toEqual(
          visited.filter(([, , to]) => to === unit).map(([edge]) => edge),
        );
      for (let unit = 0; unit < own.inputs; unit++)
        expect(Array.from(edgesOf(own, unit, "out"))).toEqual(
          visited.filter(([, from]) => from === unit).map(([edge]) => edge),
        );
    },
  );
});

it("numbers dense edges as output × inputs + input", () => {
  const [bundle] = decodeGraph(wireGraph(columns, [denseOf(layer)])).bundles;
  expect([bundle.edges, edgeFrom(bundle, 4), edgeTo(bundle, 4), bundle.weight[4]]).toEqual([6, 1, 1, 5]);
});

it("reads the ends of sparse edges as input, output", () => {
  const pairs: [number, number][] = [
    [2, 0],
    [0, 1],
  ];
  const [bundle] = decodeGraph(wireGraph(columns, [sparseOf(layer, pairs)])).bundles;
  expect([edgeFrom(bundle, 0), edgeTo(bundle, 0), bundle.weight[0]]).toEqual([2, 0, 3]);
  expect([edgeFrom(bundle, 1), edgeTo(bundle, 1), bundle.weight[1]]).toEqual([0, 1, 4]);
});

describe("names", () => {
  const graph = decodeGraph(wireGraph(columns, [denseOf(layer)]));

  it("of every layer of a column find its units; the column's own is the one that is told", () => {
    expect([columnOfLayer(graph, "fc"), columnOfLayer(graph, "act"), columnOfLayer(graph, "none")]).toEqual([
      1, 1, -1,
    ]);
    expect(nodeOfName(graph, "fc:1")).toEqual({ column: 1, unit: 1 });
    expect(nameOfNode(graph, { column: 1, unit: 1 })).toBe("act:1");
  });

  it.each(["fc:2", "fc:-1", "fc:", "fc:1.5", "none:0", "fc"])("%s is no unit here", (name) => {
    expect(nodeOfName(graph, name)).toBeNull();
  });

  it("prefer a column of that name to an alias", () => {
    const twice = decodeGraph(wireGraph([columnOf("a", x, { aliases: ["b"] }), columnOf("b", y)], []));
    expect(columnOfLayer(twice, "b")).toBe(1);
  });

  it("of a second call keep its colon", () => {
    const again = decodeGraph(wireGraph([columnOf("relu:1", x)], []));
    expect(nodeOfName(again, "relu:1:2")).toEqual({ column: 0, unit: 2 });
  });
});

it("takes values sample by sample, and places from the order", () => {
  const order = wire(Int32Array.of(2, 0, 1), 3);
  const graph = decodeGraph(wireGraph([columnOf("input", x, { order })], []));
  expect(valueOfNode(graph, { column: 0, unit: 1 }, 1)).toBe(5);
  expect(Array.from(graph.columns[0].placeOf)).toEqual([1, 2, 0]);
});

it("reads feature maps with their size", () => {
  const codes = wire(
    Uint8Array.from({ length: 36 }, (_, i) => i),
    2,
    3,
    2,
    3,
  );
  const maps = { codes, low: 0, high: 1, error: 0.002 };
  const [column] = decodeGraph(wireGraph([columnOf("conv", x, { maps })], [])).columns;
  expect([column.maps?.height, column.maps?.width, column.maps?.codes[35]]).toEqual([2, 3, 35]);
});

it("has nothing to show, and says why", () => {
  const empty = decodeGraph(wireGraph([], [], { message: "no layer mixes units" }));
  expect([empty.columns.length, empty.bundles.length, empty.message]).toEqual([0, 0, "no layer mixes units"]);
});

const short = wire(new Float32Array(5), 5);
it.each([
  [
    "values",
    [columnOf("input", x, { values: short }), columns[1]],
    [],
    /values of column "input": 6 .*but 5 came/,
  ],
  [
    "order",
    [columnOf("input", x, { order: wire(Int32Array.of(0, 0, 1), 3) })],
    [],
    /does not name each of its units/,
  ],
  ["weight", columns, [denseOf(layer, { weight: short })], /weight of the edges of "fc": 6 numbers/],
  ["source", columns, [denseOf({ ...layer, source: 1 })], /from column 1 to column 1; expected an earlier/],
  ["target", columns, [denseOf({ ...layer, target: 2 })], /from column 0 to column 2/],
  ["inputs", [columns[1], columns[1]], [denseOf(layer)], /join 3 × 2 units, but their columns have 2 and 2/],
  [
    "ends",
    columns,
    [sparseOf(layer, [[0, 1]], { ends: wire(Int32Array.of(0, 2), 1, 2) })],
    /beyond its 3 inputs and 2/,
  ],
])("names wrong %s", (_, some, bundles, message) => {
  expect(() => decodeGraph(wireGraph(some, bundles, { samples: ["a", "b"] }))).toThrow(message);
});

it("comes from samples that sum up: contributions and bias are the target", () => {
  const { bundles } = networkWire({ sizes: [5, 4, 3], skips: [[0, 2]], density: 0.6 });
  const graph = networkOf({ sizes: [5, 4, 3], skips: [[0, 2]], density: 0.6 });
  expect(bundles.length).toBe(3);
  for (const bundle of graph.bundles) {
    const sum = Float64Array.from(bundle.bias ?? []);
    eachEdge(bundle, (edge, from, to) => {
      sum[to] += bundle.weight[edge] * bundle.sourceValues[bundle.inputs + from];
    });
    sum.forEach((value, to) => {
      expect(value).toBeCloseTo(bundle.targetValues[bundle.outputs + to], 5);
    });
  }
});
