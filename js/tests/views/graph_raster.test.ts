import { describe, expect, it } from "vitest";
import { curveY } from "../../src/core/graph_curve.ts";
import { parseHex } from "../../src/core/raster.ts";
import {
  DASH,
  type EdgePicture,
  inkFor,
  lookOf,
  MARKED_LOOK,
  markOf,
  NOT_FINITE,
} from "../../src/views/graph_edges.ts";
import { EdgeRaster } from "../../src/views/graph_raster.ts";
import { edgeNumbers } from "../graph_samples.ts";

const RAMP = Uint8Array.from({ length: 750 }, (_, i) => Math.floor(i / 3));
const MARKS = ["#111111", "#222222", "#333333", "#4466aa", "#aa5522", "#229944"];

function picture(edges: number[][], change: Partial<EdgePicture> = {}): EdgePicture {
  return {
    width: 60,
    height: 40,
    ratio: 1,
    camera: { scale: 1, dx: 0, dy: 0 },
    edges: edgeNumbers(edges.flat()),
    runs: [{ course: { x0: 4, x1: 56, gaps: 1, lane: 3 }, first: 0, count: edges.length }],
    table: RAMP,
    marks: MARKS,
    ink: inkFor(edges.length),
    ...change,
  };
}

function bytesOf(given: EdgePicture): Uint8ClampedArray {
  const raster = new EdgeRaster(given);
  for (const _ of raster.slices());
  const bytes = new Uint8ClampedArray(4 * raster.width * raster.height);
  raster.writeTo(bytes);
  return bytes;
}

/** What the fragment shader says, for every pixel and every edge. */
function oracle(given: EdgePicture): number[] {
  const { ratio, camera, table, marks, ink } = given;
  const edges = new Float32Array(3 * given.edges.count);
  given.edges.write(edges, 0, given.edges.count);
  const [width, height] = [Math.round(given.width * ratio), Math.round(given.height * ratio)];
  const out: number[] = [];
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      let [r, g, b, a] = [0, 0, 0, 0];
      for (const { course, first, count } of given.runs)
        for (let i = first; i < first + count; i++) {
          const x = (column + 0.5) / ratio;
          if (x < course.x0 || x > course.x1) continue;
          const mark = markOf(edges[3 * i + 2]);
          if (mark >= 0 && (x - course.x0) % DASH.every >= DASH.ink) continue;
          const look = mark >= 0 ? MARKED_LOOK : lookOf(edges[3 * i + 2], table, ink);
          const at = (px: number) => {
            const t = Math.min(1, Math.max(0, (px - course.x0) / (course.x1 - course.x0)));
            const [y0, y1] = [0, 1].map((end) => edges[3 * i + end] * camera.scale + camera.dy);
            return curveY(t, y0, y1, course.gaps, course.lane) * ratio;
          };
          const slope = at(x + 0.5 / ratio) - at(x - 0.5 / ratio);
          const across = Math.abs(row + 0.5 - at(x)) / Math.hypot(1, slope);
          const cover = Math.min(1, Math.max(0, (look.width * ratio) / 2 + 0.5 - across)) * look.opacity;
          const color =
            mark >= 0 ? parseHex(marks[mark]) : [...table.slice(3 * look.code, 3 * look.code + 3)];
          [r, g, b] = [r, g, b].map((old, c) => old * (1 - cover) + color[c] * cover);
          a = a * (1 - cover) + cover;
        }
      out.push(...(a > 0 ? [r / a, g / a, b / a, 255 * a] : [0, 0, 0, 0]));
    }
  return out;
}

function expectSame(given: EdgePicture): void {
  const bytes = bytesOf(given);
  const wanted = oracle(given);
  const off = bytes.reduce((most, byte, i) => {
    // Where hardly anything covers a pixel its colour is not seen.
    const seen = i % 4 === 3 ? 1 : wanted[i - (i % 4) + 3] / 255;
    return Math.max(most, seen * Math.abs(byte - wanted[i]));
  }, 0);
  expect(bytes.some((byte) => byte > 0)).toBe(true);
  expect(off).toBeLessThanOrEqual(0.61);
}

const FEW = [
  [5, 35, 1],
  [35, 5, -0.6],
  [20, 20, 0.1],
  [1, 39, -0.02],
];

describe("the raster", () => {
  it("draws what the shader says", () => expectSame(picture(FEW)));

  it("at any ratio of pixels, zoomed, and moved", () => {
    for (const ratio of [1, 1.5, 2])
      expectSame(picture(FEW, { ratio, camera: { scale: 2.3, dx: 0, dy: -20 } }));
  });

  it("clips what lies outside", () => {
    const course = { x0: -30, x1: 90, gaps: 1, lane: 0 };
    expectSame(picture([[-50, 90, 0.9]], { runs: [{ course, first: 0, count: 1 }] }));
    expect(bytesOf(picture([[-50, -90, 1]])).every((byte) => byte === 0)).toBe(true);
  });

  it("leads skips through the lane, and draws runs in their order", () => {
    const runs = [
      { course: { x0: 4, x1: 56, gaps: 3, lane: 3 }, first: 2, count: 2 },
      { course: { x0: 4, x1: 30, gaps: 1, lane: 3 }, first: 0, count: 2 },
    ];
    expectSame(picture(FEW, { runs }));
  });

  it("dashes what is no number, in the colour of its mark", () => {
    expectSame(
      picture([
        [5, 30, NOT_FINITE.nan],
        [30, 5, NOT_FINITE.plus],
        [9, 9, NOT_FINITE.minus],
      ]),
    );
  });

  it("adds up faint edges without rounding each", () => {
    const faint = Array.from({ length: 60 }, () => [20, 20, 0.001]);
    expectSame(picture(faint, { ink: { ...inkFor(1_000_000), opacities: [0.001, 0.5] } }));
  });

  it("leaves out only what cannot be seen", () => {
    const many = Array.from({ length: 200 }, (_, i) => [(3 * i) % 40, (7 * i) % 40, ((i % 9) - 4) / 4]);
    expectSame(picture(many, { ink: { ...inkFor(400), opacities: [0.5, 0.95] } }));
  });

  it("draws runs beside each other in turns, the strongest of each first, and under a skip none too early", () => {
    const fan = (count: number, y: number) =>
      Array.from({ length: count }, (_, i) => [y, 1 + (5 * i) / count, (0.9 * (i + 1)) / count - 0.1]);
    const edges = [...fan(4200, 4), ...fan(4200, 2), ...fan(4200, 5)];
    const [left, right] = [
      { x0: 4, x1: 28, gaps: 1, lane: 3 },
      { x0: 32, x1: 56, gaps: 1, lane: 3 },
    ];
    const beside = [left, right].map((course, k) => ({ course, first: 4200 * k, count: 4200 }));
    const skip = { course: { x0: 4, x1: 56, gaps: 2, lane: 3 }, first: 8400, count: 4200 };
    expectSame(picture(edges, { height: 6, runs: [...beside, skip] }));
    const raster = new EdgeRaster(picture(edges.slice(0, 8400), { runs: beside }));
    const slices = raster.slices();
    for (let slice = 0; slice < 9; slice++) slices.next();
    const bytes = new Uint8ClampedArray(4 * raster.width * raster.height);
    raster.writeTo(bytes);
    const inked = (from: number, to: number) =>
      bytes.some((byte, at) => at % 4 === 3 && byte > 0 && (at >> 2) % 60 >= from && (at >> 2) % 60 < to);
    expect([inked(4, 28), inked(32, 56)]).toEqual([true, true]);
  });

  it("stops after every few hundred edges and says how far it is", () => {
    const many = Array.from({ length: 1300 }, (_, i) => [i % 40, (7 * i) % 40, (i % 9) / 9]);
    const given = picture(many);
    expect([...new EdgeRaster(given).slices()]).toEqual([512 / 1300, 1024 / 1300, 1]);
    expect([...new EdgeRaster(picture([])).slices()]).toEqual([]);
    // Of a wide picture a slice has fewer edges.
    const course = { x0: 0, x1: 1000, gaps: 1, lane: 0 };
    const wide = picture(many, { width: 1000, runs: [{ course, first: 0, count: 1300 }] });
    expect([...new EdgeRaster(wide).slices()].length).toBe(26);
  });
});
