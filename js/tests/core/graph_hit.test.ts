import { describe, expect, it } from "vitest";
import { edgeFrom, edgeTo, type Graph } from "../../src/core/graph_content.ts";
import { curveY } from "../../src/core/graph_curve.ts";
import { edgeAt, nodeAt, nodesUnder } from "../../src/core/graph_hit.ts";
import {
  type Camera,
  courseOf,
  type GraphLayout,
  layoutGraph,
  nodeY,
  pan,
  toScreen,
  wholeView,
  zoomAt,
} from "../../src/core/graph_layout.ts";
import { strengths, strongest } from "../../src/core/graph_strength.ts";
import { networkOf, weighted } from "../graph_samples.ts";
import { seeded, wire } from "../samples.ts";

const [WIDTH, HEIGHT] = [700, 320];

const CASES: Record<string, Graph> = {
  "a network": networkOf({ sizes: [6, 5, 4] }),
  skips: networkOf({
    sizes: [3, 3, 3, 3],
    skips: [
      [0, 2],
      [0, 3],
    ],
  }),
  "a strip": networkOf({ sizes: [400, 3], density: 0.02 }),
  "another order": networkOf({
    sizes: [4, 4],
    columns: { order: wire(Int32Array.of(2, 0, 3, 1), 4) },
  }),
};

/** From the line itself, in five hundred pieces. */
function sampledDistance(
  graph: Graph,
  layout: GraphLayout,
  camera: Camera,
  [bundle, edge]: [number, number],
  x: number,
  y: number,
): number {
  const own = graph.bundles[bundle];
  const { x0, x1, gaps, lane } = courseOf(graph, layout, camera, bundle);
  const end = (column: number, unit: number) =>
    toScreen(camera, { x: 0, y: nodeY(layout, graph, column, unit) }).y;
  const [y0, y1] = [end(own.source, edgeFrom(own, edge)), end(own.target, edgeTo(own, edge))];
  let least = Infinity;
  for (let k = 0; k <= 500; k++) {
    const t = k / 500;
    least = Math.min(least, Math.hypot(x0 + (x1 - x0) * t - x, curveY(t, y0, y1, gaps, lane) - y));
  }
  return least;
}

describe.each(Object.entries(CASES))("edges of %s", (_, graph) => {
  const layout = layoutGraph(graph, WIDTH, HEIGHT);
  const given = strengths(graph, 0, "contribution");
  const drawn = strongest(graph, given, 40);
  const lists = drawn.edges.flatMap((edges, b) => Array.from(edges, (edge): [number, number] => [b, edge]));
  const cameras = [wholeView(), pan(layout, zoomAt(layout, wholeView(), { x: 350, y: 150 }, 2.5), 40, -30)];

  it.each(cameras)("are found where their lines are drawn, camera %#", (camera) => {
    const random = seeded(9);
    let hits = 0;
    for (let i = 0; i < 120; i++) {
      const [x, y] = [WIDTH * random(), HEIGHT * random()];
      const found = edgeAt(graph, layout, camera, drawn, x, y, 4);
      const inside = lists.filter(([b]) => {
        const { x0, x1 } = courseOf(graph, layout, camera, b);
        return x >= x0 && x <= x1;
      });
      const nearest = Math.min(...inside.map((pair) => sampledDistance(graph, layout, camera, pair, x, y)));
      if (!found) {
        // The distance is measured along the tangent, so that a bend may be a little farther than it is.
        expect(nearest).toBeGreaterThan(3.2);
        continue;
      }
      hits++;
      const own = sampledDistance(graph, layout, camera, [found.bundle, found.edge], x, y);
      expect(own).toBeLessThan(4.6);
      expect(own - nearest).toBeLessThan(1.5);
    }
    expect(hits).toBeGreaterThan(5);
  });

  it("are found only if they are drawn", () => {
    const none = strongest(graph, given, 0);
    for (let x = 0; x < WIDTH; x += 20)
      expect(edgeAt(graph, layout, wholeView(), none, x, 160, 50)).toBeNull();
  });
});

it("takes the strongest of edges that lie on each other, of equal ones the first", () => {
  const graph = weighted([2, 2], [1, -5, 5, 2]);
  const layout = layoutGraph(graph, WIDTH, HEIGHT);
  const given = strengths(graph, 0, "weight");
  const { x0, x1 } = courseOf(graph, layout, wholeView(), 0);
  const middle = (layout.top + layout.bottom) / 2;
  // The crossing of the edges 0 → 1 and 1 → 0.
  const at = (count: number) =>
    edgeAt(graph, layout, wholeView(), strongest(graph, given, count), (x0 + x1) / 2, middle, 4);
  expect([at(4), at(1)]).toEqual([
    { bundle: 0, edge: 1 },
    { bundle: 0, edge: 1 },
  ]);
});

describe("units", () => {
  const graph = networkOf({ sizes: [4, 5, 400], columns: {} });
  const layout = layoutGraph(graph, WIDTH, HEIGHT);
  const camera = zoomAt(layout, wholeView(), { x: 0, y: 0 }, 2);

  it.each([wholeView(), camera])("are found where they stand, camera %#", (own) => {
    for (const [column, { units }] of graph.columns.entries())
      for (let unit = 0; unit < units; unit++) {
        const { x, y } = toScreen(own, { x: layout.x[column], y: nodeY(layout, graph, column, unit) });
        expect(nodeAt(graph, layout, own, x + 2, y)).toEqual({ column, unit });
      }
  });

  it("are not found beside, between or beyond", () => {
    const y = nodeY(layout, graph, 0, 1);
    expect(nodeAt(graph, layout, wholeView(), layout.x[0] + 30, y)).toBeNull();
    expect(nodeAt(graph, layout, wholeView(), layout.x[0], y + layout.pitch[0] / 2)).toBeNull();
    expect(nodeAt(graph, layout, wholeView(), layout.x[2], layout.top - 5)).toBeNull();
    expect(nodeAt(graph, layout, wholeView(), layout.x[2], layout.bottom + 5)).toBeNull();
  });

  it("of a strip are found anywhere in it", () => {
    expect(layout.tile[2]).toBe(-1);
    expect(nodeAt(graph, layout, wholeView(), layout.x[2], layout.top + 10.3 * layout.pitch[2])?.unit).toBe(
      10,
    );
  });

  it("under a brush are those whose middle is inside, whichever way it was drawn", () => {
    const [top, bottom] = [nodeY(layout, graph, 1, 1) - 1, nodeY(layout, graph, 1, 3) + 1];
    const brush = { x0: layout.x[1] - 5, y0: top, x1: layout.x[1] + 5, y1: bottom };
    const units = [1, 2, 3].map((unit) => ({ column: 1, unit }));
    expect(nodesUnder(graph, layout, wholeView(), brush)).toEqual(units);
    const back = { x0: brush.x1, y0: brush.y1, x1: brush.x0, y1: brush.y0 };
    expect(nodesUnder(graph, layout, wholeView(), back)).toEqual(units);
    expect(nodesUnder(graph, layout, camera, { x0: 0, y0: 0, x1: 3, y1: 3 })).toEqual([]);
  });

  it("stand in their own order, from the top, under a brush over everything", () => {
    const own = CASES["another order"];
    const all = { x0: 0, y0: 0, x1: WIDTH, y1: HEIGHT };
    const found = nodesUnder(own, layoutGraph(own, WIDTH, HEIGHT), wholeView(), all);
    expect(found.map(({ unit }) => unit)).toEqual([2, 0, 3, 1, 2, 0, 3, 1]);
  });
});
