import { describe, expect, it } from "vitest";
import { decodeGraph, edgeTo, type Graph } from "../../src/core/graph_content.ts";
import {
  contributionOf,
  type Drawn,
  relativeStrength,
  type Strengths,
  strengths,
  strongest,
  strongestPerUnit,
} from "../../src/core/graph_strength.ts";
import { columnOf, denseOf, networkOf, weighted, wireGraph } from "../graph_samples.ts";
import { seeded, wire } from "../samples.ts";

interface Ranked {
  bundle: number;
  edge: number;
  size: number;
}

/** Every edge, the strongest first, by sorting all of them. */
function rankedAll({ values, largest }: Strengths): Ranked[] {
  const all = values.flatMap((own, bundle) =>
    Array.from(own, (value, edge) => {
      const size = Number.isFinite(value) ? Math.fround(Math.abs(value) / (largest[bundle] || 1)) : 2;
      return { bundle, edge, size };
    }),
  );
  return all.sort((a, b) => b.size - a.size || a.bundle - b.bundle || a.edge - b.edge);
}

/** Lists as they are drawn: of each bundle, the strongest last. */
function listsOf(graph: Graph, ranked: Ranked[]): number[][] {
  return graph.bundles.map((_, b) =>
    ranked
      .filter(({ bundle }) => bundle === b)
      .map(({ edge }) => edge)
      .reverse(),
  );
}

/** Half of them dealt out evenly to the bundles, the others to the strongest that are left. */
function drawnByTheRule(graph: Graph, ranked: Ranked[], count: number): Ranked[] {
  const bundles = graph.bundles.length;
  const share = bundles > 1 ? Math.floor(count / (2 * bundles)) : 0;
  const dealt = new Set(
    graph.bundles.flatMap((_, b) => ranked.filter(({ bundle }) => bundle === b).slice(0, share)),
  );
  const rest = new Set(ranked.filter((edge) => !dealt.has(edge)).slice(0, count - dealt.size));
  return ranked.filter((edge) => dealt.has(edge) || rest.has(edge));
}

const lists = (drawn: Drawn) => drawn.edges.map((edges) => Array.from(edges));

const random = seeded(5);
const coarse = (length: number) => Array.from({ length }, () => Math.round(8 * random() - 4));
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

const CASES: Record<string, Graph> = {
  "two random layers": networkOf({ sizes: [6, 5, 4] }),
  "sparse layers with a skip": networkOf({ sizes: [6, 5, 4], skips: [[0, 2]], density: 0.5 }),
  ties: weighted([5, 6, 4], coarse(30), coarse(24)),
  "all equal": weighted([3, 3], new Array(9).fill(-2)),
  zeros: weighted([3, 3, 2], new Array(9).fill(0), [0, 0, 1, 0, -1, 0]),
  "no numbers": weighted([2, 3, 2], [1, nan, -3, inf, -inf, 0], [nan, nan, nan, nan, nan, nan]),
  "very large and very small": weighted([2, 2, 2], [3e38, 1e-38, -3e38, 1e-45], [1e-45, -1e-44, 0, 1e-40]),
  "one far ahead of the others": weighted(
    [20, 20],
    Array.from({ length: 400 }, (_, i) => (i === 77 ? 1e6 : random())),
  ),
  "a layer that another one would starve": weighted(
    [4, 5, 6, 2],
    Array.from({ length: 20 }, () => 1 + random()),
    Array.from({ length: 30 }, (_, i) => (i === 7 ? 1e3 : random())),
    Array.from({ length: 12 }, () => random() - 0.5),
  ),
};

describe.each(Object.entries(CASES))("the strongest of %s", (_, graph) => {
  const given = strengths(graph, 0, "contribution");
  const ranked = rankedAll(given);

  it("are a fair share of each layer and the strongest of all others, however many are asked for", () => {
    for (let count = 0; count <= ranked.length; count++) {
      const drawn = strongest(graph, given, count);
      expect(lists(drawn)).toEqual(listsOf(graph, drawnByTheRule(graph, ranked, count)));
      expect([drawn.count, drawn.total]).toEqual([count, ranked.length]);
    }
  });

  it("are no more than there are", () => {
    expect(strongest(graph, given, 1e9).count).toBe(ranked.length);
    expect(strongest(graph, given, -3).count).toBe(0);
    expect(strongest(graph, given, inf).count).toBe(ranked.length);
  });

  it.each([1, 2, 3, 100])("into each unit are %i of those sorted for it", (k) => {
    const taken = new Map<string, number>();
    const kept = ranked.filter(({ bundle, edge }) => {
      const { target } = graph.bundles[bundle];
      const unit = `${target}:${edgeTo(graph.bundles[bundle], edge)}`;
      taken.set(unit, (taken.get(unit) ?? 0) + 1);
      return (taken.get(unit) ?? 0) <= k;
    });
    const drawn = strongestPerUnit(graph, given, k);
    expect(lists(drawn)).toEqual(listsOf(graph, kept));
    expect(drawn.count).toBe(kept.length);
  });
});

it("deals out many edges as it does few", () => {
  const many = Array.from({ length: 120 * 100 }, (_, i) => (i === 5 ? 1e4 : Math.round(50 * random())));
  const graph = weighted([100, 120, 3], many, Array.from({ length: 360 }, random));
  const given = strengths(graph, 0, "weight");
  const ranked = rankedAll(given);
  for (const count of [1, 4, 399, 400, 5_000, 12_000, 12_360]) {
    const drawn = strongest(graph, given, count);
    expect(lists(drawn)).toEqual(listsOf(graph, drawnByTheRule(graph, ranked, count)));
  }
});

describe("strengths", () => {
  const graph = networkOf({ sizes: [4, 3, 2], samples: 3 });

  it("by contribution are weight times what the layer received, in the sample asked for", () => {
    const [first] = strengths(graph, 2, "contribution").values;
    const [bundle] = graph.bundles;
    expect(first[7]).toBe(Math.fround(bundle.weight[7] * bundle.sourceValues[2 * 4 + 3]));
    expect(contributionOf(bundle, 7, 2)).toBe(first[7]);
  });

  it("by weight are the weights themselves, in any sample", () => {
    expect(strengths(graph, 1, "weight").values[1]).toBe(graph.bundles[1].weight);
  });

  it("take the contributions that came, where they came", () => {
    const x = [[1], [2]];
    const sent = wire(Float32Array.of(10, 20), 2, 1, 1);
    const bundle = denseOf({ source: 0, target: 1, weight: [[5]], from: x, to: x }, { contribution: sent });
    const given = decodeGraph(wireGraph([columnOf("a", x), columnOf("b", x)], [bundle]));
    expect(Array.from(strengths(given, 1, "contribution").values[0])).toEqual([20]);
    expect(contributionOf(given.bundles[0], 0, 1)).toBe(20);
  });

  it("know the largest finite one and count what is not finite", () => {
    const given = strengths(CASES["no numbers"], 0, "contribution");
    expect(given.largest).toEqual([3, 0]);
    expect(given.nonfinite).toEqual([3, 6]);
  });
});

it.each([
  [-2, 4, 0.5],
  [0, 0, 0],
  [nan, 1, inf],
  [-inf, 0, inf],
])("%d beside a largest of %d is %d", (value, largest, relative) => {
  expect(relativeStrength(value, largest)).toBe(relative);
});
