import { describe, expect, it } from "vitest";
import { decodeGraph, type Graph } from "../../src/core/graph_content.ts";
import {
  type Camera,
  clamp,
  courseOf,
  HEAD_HEIGHT,
  halfWidth,
  headLines,
  headX,
  layoutGraph,
  markAt,
  nodeY,
  pan,
  toScreen,
  toWorld,
  wholeView,
  zoomAt,
} from "../../src/core/graph_layout.ts";
import { columnOf, networkOf, wireGraph } from "../graph_samples.ts";
import { wire } from "../samples.ts";

const HEIGHT = 340;

/** Columns of so many units each, with maps or labels where they are asked for. */
function graphOf(units: number[], more: { maps?: boolean; labels?: boolean; kind?: string } = {}): Graph {
  const columns = units.map((count, c) => {
    const last = c === units.length - 1;
    const codes = wire(new Uint8Array(count * 4), 1, count, 2, 2);
    return columnOf(c === 0 ? "input" : `features.${c}`, [new Array(count).fill(0)], {
      maps: more.maps ? { codes, low: 0, high: 1, error: 0.01 } : null,
      labels: more.labels && last ? Array.from({ length: count }, (_, k) => `class ${k}`) : null,
      kind: more.kind ?? "Linear, Sigmoid",
    });
  });
  return decodeGraph(wireGraph(columns, []));
}

const COUNTS: Record<string, number[]> = {
  "two columns": [64, 10],
  "the digits": [64, 32, 16, 10],
  "one unit beside many": [1000, 1, 5],
  "twelve columns": new Array(12).fill(16),
  "twenty columns": new Array(20).fill(64),
};

describe.each([600, 760, 958, 1280])("at %i px", (width) => {
  for (const [name, units] of Object.entries(COUNTS))
    for (const more of [{}, { maps: true }, { labels: true }]) {
      const graph = graphOf(units, more);
      const layout = layoutGraph(graph, width, HEIGHT);

      it(`columns of ${name} stand evenly, inside, in the order of the data ${JSON.stringify(more)}`, () => {
        const gaps = Array.from(layout.x.slice(1), (x, c) => x - layout.x[c]);
        for (const gap of gaps) expect(gap).toBeCloseTo(layout.spacing, 6);
        expect(layout.spacing).toBeGreaterThan(18);
        expect(layout.x[0]).toBeGreaterThan(0);
        const widest = halfWidth(markAt(graph, layout, units.length - 1, 1));
        expect(layout.x[units.length - 1] + widest).toBeLessThan(width);
      });

      it(`units of ${name} stand in their order between heads and captions ${JSON.stringify(more)}`, () => {
        for (const [c, count] of units.entries()) {
          expect(nodeY(layout, graph, c, 0)).toBeGreaterThanOrEqual(layout.top);
          expect(nodeY(layout, graph, c, count - 1)).toBeLessThanOrEqual(layout.bottom);
          expect(layout.pitch[c] * count).toBeCloseTo(layout.bottom - layout.top, 6);
        }
        expect(layout.top).toBeGreaterThan(HEAD_HEIGHT);
        expect(layout.bottom).toBeLessThan(HEIGHT);
        expect(layout.bottom - layout.top).toBeGreaterThan(HEIGHT / 2);
      });

      it(`marks of ${name} touch neither each other nor the next column ${JSON.stringify(more)}`, () => {
        for (const [c] of units.entries()) {
          const { radius, tile } = markAt(graph, layout, c, 1);
          expect([radius, tile]).toEqual([layout.radius[c], layout.tile[c]]);
          expect(halfWidth({ radius, tile })).toBeLessThan(layout.spacing / 3);
          if (tile >= 0) expect(2 * halfWidth({ radius, tile })).toBeLessThanOrEqual(layout.pitch[c]);
        }
      });

      it(`heads of ${name} do not overlap in their row nor leave the view ${JSON.stringify(more)}`, () => {
        const ends = new Map<number, number>();
        layout.heads.forEach(({ row, width: wide }, c) => {
          const x = headX(layout, wholeView(), c);
          expect(x - wide / 2).toBeGreaterThanOrEqual(ends.get(row) ?? 0);
          ends.set(row, x + wide / 2);
          expect(x + wide / 2).toBeLessThanOrEqual(width + 1e-9);
          expect(wide).toBeGreaterThan(40);
          expect((row + 1) * HEAD_HEIGHT).toBeLessThanOrEqual(layout.lane);
        });
      });
    }
});

it("stands heads in one row where they fit and in several where they do not", () => {
  const rows = (width: number, units: number[]) =>
    1 + Math.max(...layoutGraph(graphOf(units), width, HEIGHT).heads.map(({ row }) => row));
  expect([rows(958, [64, 32, 10]), rows(600, new Array(20).fill(8))]).toEqual([1, 3]);
});

it("gives a bold name more room than a plain line of as many letters", () => {
  const [, column, other] = graphOf([5, 5, 5], { kind: "" }).columns;
  const graph = {
    ...graphOf([5, 5, 5]),
    columns: [other, { ...column, name: "input:y", layer: "input:y" }, other],
  };
  // "input:y" at 12.5 px bold is 53 px wide, "5 units" below it 42.
  expect(layoutGraph(graph, 960, HEIGHT).heads[1].width).toBeGreaterThanOrEqual(56);
});

it("says what a head says", () => {
  expect(headLines(graphOf([1024]).columns[0])).toEqual(["input", "Linear, Sigmoid · 1,024 units"]);
  expect(headLines(graphOf([10], { kind: "" }).columns[0])[1]).toBe("10 units");
});

it("draws dots, tiles where there are maps and room, and a strip where units are too close", () => {
  const marks = (units: number, maps: boolean, scale = 1) => {
    const graph = graphOf([units, units], { maps });
    return markAt(graph, layoutGraph(graph, 900, HEIGHT), 0, scale).tile;
  };
  expect([marks(16, false), marks(64, false), marks(64, true)]).toEqual([0, 0, 0]);
  expect(marks(16, true)).toBeGreaterThan(10);
  expect([marks(1000, false), marks(1000, true)]).toEqual([-1, -1]);
  expect([marks(1000, false, 12), marks(64, true, 4) > 10]).toEqual([0, true]);
});

it("makes room beside the last column for its labels, and above for edges that pass columns", () => {
  const last = (labels: boolean) => layoutGraph(graphOf([8, 10], { labels }), 900, HEIGHT).x[1];
  expect(last(false) - last(true)).toBeGreaterThan(40);
  const top = (skips: [number, number][]) =>
    layoutGraph(networkOf({ sizes: [4, 4, 4], skips }), 900, HEIGHT).top;
  expect(top([[0, 2]])).toBeGreaterThan(top([]) + 20);
});

it("has a place for every unit by its order", () => {
  const order = wire(Int32Array.of(2, 0, 1), 3);
  const graph = decodeGraph(wireGraph([columnOf("a", [[0, 0, 0]], { order })], []));
  const layout = layoutGraph(graph, 600, HEIGHT);
  const heights = [2, 0, 1].map((unit) => nodeY(layout, graph, 0, unit));
  expect(heights).toEqual([...heights].sort((a, b) => a - b));
  expect(layout.x[0]).toBe(300);
});

it("lays out nothing without a complaint", () => {
  expect(layoutGraph(decodeGraph(wireGraph([], [])), 600, HEIGHT).x.length).toBe(0);
});

it("runs edges from mark to mark, by whichever columns they join", () => {
  const graph = networkOf({ sizes: [4, 4, 4], skips: [[0, 2]] });
  const layout = layoutGraph(graph, 900, HEIGHT);
  const camera = zoomAt(layout, wholeView(), { x: 300, y: 100 }, 2);
  for (const [b, { source, target }] of graph.bundles.entries()) {
    const course = courseOf(graph, layout, camera, b);
    const start = toScreen(camera, { x: layout.x[source], y: layout.lane });
    expect(course.x0 - start.x).toBeGreaterThan(halfWidth(markAt(graph, layout, source, 2)));
    expect(course.x0 - start.x).toBeLessThan(20);
    expect(course.x1).toBeLessThan(toScreen(camera, { x: layout.x[target], y: 0 }).x);
    expect([course.gaps, course.lane]).toEqual([target - source, start.y]);
  }
});

describe("the camera", () => {
  const layout = layoutGraph(graphOf([64, 10]), 900, HEIGHT);
  const close: Camera = zoomAt(layout, wholeView(), { x: 200, y: 120 }, 3);

  it("goes to the screen and back", () => {
    const there = toScreen(close, { x: 123, y: 45 });
    expect(toWorld(close, there).x).toBeCloseTo(123, 9);
    expect(toWorld(close, there).y).toBeCloseTo(45, 9);
  });

  it("keeps what is under the hand when it zooms", () => {
    const before = toWorld(close, { x: 500, y: 200 });
    const after = toWorld(zoomAt(layout, close, { x: 500, y: 200 }, 1.5), { x: 500, y: 200 });
    expect([after.x, after.y]).toEqual([expect.closeTo(before.x, 6), expect.closeTo(before.y, 6)]);
  });

  it("shows everything when it is zoomed out, and never what is beyond the edges", () => {
    expect(zoomAt(layout, close, { x: 890, y: 5 }, 1e-3)).toEqual(wholeView());
    expect(pan(layout, close, 1e6, 1e6)).toEqual({ scale: 3, dx: 0, dy: 0 });
    expect(pan(layout, close, -1e6, -1e6)).toEqual({ scale: 3, dx: -1800, dy: -2 * HEIGHT });
    expect(clamp(layout, { scale: 0.1, dx: 50, dy: 50 })).toEqual(wholeView());
  });

  it("comes close enough to tell any two units apart, and no closer", () => {
    const many = layoutGraph(graphOf([4096, 10]), 900, HEIGHT);
    const { scale } = zoomAt(many, wholeView(), { x: 0, y: 0 }, 1e9);
    expect(many.pitch[0] * scale).toBeCloseTo(24, 6);
    expect(zoomAt(layout, wholeView(), { x: 0, y: 0 }, 1e9).scale).toBe(8);
  });

  it("keeps a head inside the view for as long as its column is", () => {
    const width = layout.heads[0].width;
    expect(headX(layout, wholeView(), 0)).toBeGreaterThanOrEqual(width / 2);
    const away = pan(layout, close, -500, 0);
    expect(headX(layout, away, 0)).toBeLessThan(0);
  });
});

it("keeps the tiles of the outer columns whole", () => {
  const layout = layoutGraph(graphOf([1, 3, 1], { maps: true }), 600, 400);
  expect(layout.tile[0]).toBeGreaterThan(60);
  expect(layout.x[0] - layout.tile[0] / 2).toBeGreaterThanOrEqual(2);
  expect(layout.x[2] + layout.tile[2] / 2).toBeLessThanOrEqual(598);
});

it("heads a column with the layer that a reader finds the units in", () => {
  const [column] = graphOf([1, 3], { kind: "1 × 8 × 8" }).columns;
  const channels = { ...column, name: "channels of input" };
  expect(headLines({ ...channels, layer: "input" })).toEqual(["input", "1 × 8 × 8 · 1 unit"]);
  expect(headLines({ ...channels, layer: null })[0]).toBe("channels of input");
});
