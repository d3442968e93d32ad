// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { type Course, curveY } from "../../src/core/graph_curve.ts";
import { colorOf, inkFor, lookOf, NOT_FINITE, strengthOf, traceEdge } from "../../src/views/graph_edges.ts";
import { endsInWords } from "../../src/views/graph_heads.ts";

const RAMP = Uint8Array.from({ length: 750 }, (_, i) => Math.floor(i / 3));

describe("ink", () => {
  it("grows with strength and is paler and thinner where edges are many", () => {
    for (const count of [1, 400, 10_000, 1_000_000]) {
      const ink = inkFor(count);
      const look = (strength: number) => lookOf(strength, RAMP, ink);
      expect(look(1).width).toBeGreaterThan(look(0.1).width);
      expect(look(-1).opacity).toBeGreaterThan(look(0.1).opacity);
      expect(look(0.5).opacity).toBe(look(-0.5).opacity);
    }
    const weakest = (count: number) => lookOf(0, RAMP, inkFor(count)).opacity;
    expect(weakest(100_000)).toBeLessThan(weakest(400));
    expect(inkFor(1_000_000).segments).toBeLessThan(inkFor(400).segments);
  });

  it("is symmetric about zero, and never the colour of the paper", () => {
    const ink = inkFor(400);
    const level = (strength: number) => Number(colorOf(RAMP, strength, ink).match(/\d+/)?.[0]);
    expect(level(1) + level(-1)).toBe(249);
    expect(level(0.001)).toBeGreaterThan(170);
    expect(level(1)).toBeGreaterThan(level(0.5));
  });

  it("tells NaN and both infinities from every number", () => {
    expect(strengthOf(-2, 4)).toBe(-0.5);
    expect(strengthOf(0, 0)).toBe(0);
    expect([Number.NaN, Infinity, -Infinity].map((value) => strengthOf(value, 4))).toEqual([
      NOT_FINITE.nan,
      NOT_FINITE.plus,
      NOT_FINITE.minus,
    ]);
  });
});

describe("the curve", () => {
  /** Points of the path as a browser would draw them. */
  function points(course: Course, y0: number, y1: number): [number, number][] {
    const found: [number, number][] = [];
    let last: [number, number] = [0, 0];
    const path = {
      moveTo: (...to: [number, number]) => {
        last = to;
        found.push(to);
      },
      lineTo: (...to: [number, number]) => found.push(to),
      bezierCurveTo: (...c: [number, number, number, number, number, number]) => {
        for (let k = 1; k <= 10; k++) {
          const t = k / 10;
          const cubic = (a: number, b: number, d: number, e: number) =>
            a * (1 - t) ** 3 + 3 * b * t * (1 - t) ** 2 + 3 * d * t * t * (1 - t) + e * t ** 3;
          found.push([cubic(last[0], c[0], c[2], c[4]), cubic(last[1], c[1], c[3], c[5])]);
        }
      },
    };
    traceEdge(path as unknown as Path2D, course, y0, y1);
    return found;
  }

  it.each([1, 2, 3])("on a canvas is the one that is hit, across %i gaps", (gaps) => {
    const course = { x0: 10, x1: 110, gaps, lane: 5 };
    const drawn = points(course, 40, 90);
    expect(drawn.length).toBeGreaterThan(10);
    for (const [x, y] of drawn) expect(y).toBeCloseTo(curveY((x - 10) / 100, 40, 90, gaps, 5), 6);
  });
});

it.each([
  [0, 1, "0.0", "1.0"],
  [1.1e-6, 0.9999, "0.0", "1.0"],
  [-11, 11, "−11", "11"],
  [0.25, 0.349, "0.25", "0.35"],
  [0, 2e-7, "0", "2.0e−7"],
  [-2e9, 3e9, "−2.0e+9", "3.0e+9"],
])("the ends of a range from %d to %d deserve as many decimals as their distance", (low, high, ...said) => {
  expect(endsInWords({ low, high })).toEqual(said);
});
