import { describe, expect, it } from "vitest";
import { type Direction, edgeFrom, edgeTo, type Graph } from "../../src/core/graph_content.ts";
import { strengths } from "../../src/core/graph_strength.ts";
import { walk } from "../../src/core/graph_walk.ts";
import { networkOf, weighted } from "../graph_samples.ts";
import { wire } from "../samples.ts";

const ordered = networkOf({ sizes: [4, 4], columns: { order: wire(Int32Array.of(2, 0, 3, 1), 4) } });

it.each([
  ["ArrowDown", 0, 3],
  ["ArrowUp", 0, 2],
  ["Home", 1, 2],
  ["End", 2, 1],
])("%s leads from unit %i to unit %i, as they stand", (key, from, to) => {
  const given = strengths(ordered, 0, "contribution");
  expect(walk(ordered, given, { column: 1, unit: from }, key)).toEqual({
    column: 1,
    unit: to,
    via: null,
    gap: "",
  });
});

it.each([
  ["ArrowUp", 0, 2],
  ["ArrowDown", 0, 1],
  ["ArrowLeft", 0, 0],
  ["ArrowRight", 1, 0],
  ["Enter", 0, 0],
])("%s leads nowhere from column %i, unit %i", (key, column, unit) => {
  expect(walk(ordered, strengths(ordered, 0, "contribution"), { column, unit }, key)).toBeNull();
});

/** By looking at every edge there is. */
function naive(
  graph: Graph,
  values: Float32Array[],
  largest: number[],
  at: [number, number],
  way: Direction,
) {
  return graph.bundles
    .flatMap((bundle, b) =>
      Array.from(values[b], (value, edge) => ({
        from: [bundle.source, edgeFrom(bundle, edge)],
        to: [bundle.target, edgeTo(bundle, edge)],
        via: { bundle: b, edge },
        size: Math.abs(value) / largest[b],
      })),
    )
    .filter((edge) => String(way === "in" ? edge.to : edge.from) === String(at))
    .sort((a, b) => b.size - a.size)[0];
}

/** No edge: to what stands beside, at the same share of the way from the top. */
function across(graph: Graph, column: number, unit: number, way: Direction) {
  const next = graph.columns[column + (way === "in" ? -1 : 1)];
  if (!next) return null;
  const place = Math.floor(((unit + 0.5) / graph.columns[column].units) * next.units);
  const gap = `no edge ${way === "in" ? "into" : "out of"} ${graph.columns[column].name}:${unit}`;
  return { column: graph.columns.indexOf(next), unit: place, via: null, gap };
}

describe.each([
  ["a network", networkOf({ sizes: [5, 4, 3], seed: 4 })],
  ["a sparse network with skips", networkOf({ sizes: [5, 4, 3], skips: [[0, 2]], density: 0.7, seed: 6 })],
])("left and right in %s", (_, graph) => {
  const given = strengths(graph, 0, "weight");

  it.each([
    ["ArrowLeft", "in"],
    ["ArrowRight", "out"],
  ] as const)("%s leads along the strongest edge %s", (key, way) => {
    for (const [column, { units }] of graph.columns.entries())
      for (let unit = 0; unit < units; unit++) {
        const edge = naive(graph, given.values, given.largest, [column, unit], way);
        const end = edge && (way === "in" ? edge.from : edge.to);
        expect(walk(graph, given, { column, unit }, key)).toEqual(
          edge ? { column: end[0], unit: end[1], via: edge.via, gap: "" } : across(graph, column, unit, way),
        );
      }
  });
});

it("takes the first of equal edges, and one without a number only where there is no other", () => {
  const graph = weighted([4, 2], [Number.NaN, -2, 2, 0, Infinity, Number.NaN, Infinity, Number.NaN]);
  const given = strengths(graph, 0, "weight");
  const left = (unit: number) => walk(graph, given, { column: 1, unit }, "ArrowLeft")?.unit;
  expect([left(0), left(1)]).toEqual([1, 0]);
});

it("goes on beside a layer without edges, and says so", () => {
  const graph = networkOf({ sizes: [2, 3, 6, 2] });
  graph.bundles.splice(1, 1);
  const given = strengths(graph, 0, "weight");
  const walked = (column: number, unit: number, key: string) => walk(graph, given, { column, unit }, key);
  expect(walked(1, 2, "ArrowRight")).toEqual({ column: 2, unit: 5, via: null, gap: "no edge out of 0:2" });
  expect(walked(2, 0, "ArrowLeft")).toEqual({ column: 1, unit: 0, via: null, gap: "no edge into 1:0" });
  expect(walked(2, 0, "ArrowRight")?.via?.bundle).toBe(1);
  expect([walked(0, 0, "ArrowLeft"), walked(3, 0, "ArrowRight")]).toEqual([null, null]);
});

it("walks along edges of 0 as well: every unit can be reached", () => {
  const graph = weighted([2, 1], [0, 0]);
  const given = strengths(graph, 0, "weight");
  expect(walk(graph, given, { column: 1, unit: 0 }, "ArrowLeft")?.unit).toBe(0);
});
