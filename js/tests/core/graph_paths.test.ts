import { describe, expect, it } from "vitest";
import {
  bundlesAt,
  type Direction,
  type Edge,
  eachEdge,
  edgeFrom,
  edgeTo,
  type Graph,
} from "../../src/core/graph_content.ts";
import { bestPaths, type Path } from "../../src/core/graph_paths.ts";
import { type Strengths, strengths } from "../../src/core/graph_strength.ts";
import { networkOf, weighted } from "../graph_samples.ts";

/** Every way from a unit to the end of the data, step by step from the unit; a stable sort keeps equal ones in order. */
function everyPath(
  graph: Graph,
  given: Strengths,
  column: number,
  unit: number,
  direction: Direction,
): Path[] {
  const bundles = bundlesAt(graph, column, direction);
  if (bundles.length === 0) return [{ strength: 1, steps: [] }];
  const found: Path[] = [];
  for (const b of bundles) {
    const bundle = graph.bundles[b];
    eachEdge(bundle, (edge, from, to) => {
      const size = Math.abs(given.values[b][edge]);
      if ((direction === "in" ? to : from) !== unit || size === 0 || !Number.isFinite(size)) return;
      const [far, end] = direction === "in" ? [bundle.source, from] : [bundle.target, to];
      for (const rest of everyPath(graph, given, far, end, direction))
        found.push({ strength: size * rest.strength, steps: [{ bundle: b, edge }, ...rest.steps] });
    });
  }
  return found.sort((a, b) => b.strength - a.strength);
}

function naive(
  graph: Graph,
  given: Strengths,
  at: [number, number],
  k: number,
  direction: Direction,
): Path[] {
  if (bundlesAt(graph, at[0], direction).length === 0) return [];
  return everyPath(graph, given, at[0], at[1], direction)
    .slice(0, k)
    .map(({ strength, steps }) => ({ strength, steps: direction === "in" ? steps.reverse() : steps }));
}

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const CASES: Record<string, Graph> = {
  "a network": networkOf({ sizes: [4, 5, 3, 2] }),
  "a sparse network": networkOf({ sizes: [5, 5, 4, 3], density: 0.4, seed: 8 }),
  "a network with skips": networkOf({
    sizes: [3, 3, 3, 3],
    skips: [
      [0, 2],
      [1, 3],
      [0, 3],
    ],
  }),
  "ties, zeros and no numbers": weighted(
    [3, 3, 2],
    [1, 1, 2, 2, 0, nan, -1, inf, 1],
    [1, -1, 2, 0.5, 2, -inf],
  ),
  "a layer that nothing passes": weighted([2, 2, 2], [0, 0, 0, nan], [1, 2, 3, 4]),
};

describe.each(Object.entries(CASES))("the best paths of %s", (_, graph) => {
  const given = strengths(graph, 0, "contribution");

  it.each(["in", "out"] as const)("%s are those found by walking all of them", (direction) => {
    for (const [column, { units }] of graph.columns.entries())
      for (let unit = 0; unit < units; unit++)
        for (const k of [1, 2, 5, 1000])
          expect(bestPaths(graph, given, column, unit, k, direction).paths).toEqual(
            naive(graph, given, [column, unit], k, direction),
          );
  });

  it.each(["in", "out"] as const)("%s are told beside the strength of all there are", (direction) => {
    for (const [column, { units }] of graph.columns.entries())
      for (let unit = 0; unit < units; unit++) {
        const all = naive(graph, given, [column, unit], Infinity, direction);
        const sum = all.reduce((total, { strength }) => total + strength, 0);
        expect(bestPaths(graph, given, column, unit, 2, direction).total).toBeCloseTo(sum, 6);
      }
  });

  it("join end to end, in the order of the data, through the unit", () => {
    const last = graph.columns.length - 1;
    for (const { steps } of bestPaths(graph, given, last, 0, 5, "in").paths) {
      expect(startOf(graph, steps[0])[0]).toBe(0);
      expect(endOf(graph, steps[steps.length - 1])).toEqual([last, 0]);
      for (const [i, step] of steps.slice(1).entries())
        expect(startOf(graph, step)).toEqual(endOf(graph, steps[i]));
    }
  });
});

function startOf(graph: Graph, { bundle, edge }: Edge): [number, number] {
  return [graph.bundles[bundle].source, edgeFrom(graph.bundles[bundle], edge)];
}

function endOf(graph: Graph, { bundle, edge }: Edge): [number, number] {
  return [graph.bundles[bundle].target, edgeTo(graph.bundles[bundle], edge)];
}

it("multiplies contributions along the way, whatever their sign", () => {
  const graph = weighted([1, 2, 1], [-3, 2], [0.5, -4]);
  expect(bestPaths(graph, strengths(graph, 0, "contribution"), 2, 0, 5, "in").paths).toEqual([
    {
      strength: 8,
      steps: [
        { bundle: 0, edge: 1 },
        { bundle: 1, edge: 1 },
      ],
    },
    {
      strength: 1.5,
      steps: [
        { bundle: 0, edge: 0 },
        { bundle: 1, edge: 0 },
      ],
    },
  ]);
});

it("asked for none, gives none", () => {
  const graph = CASES["a network"];
  expect(bestPaths(graph, strengths(graph, 0, "weight"), 3, 0, 0, "in")).toEqual({ paths: [], total: 0 });
});
