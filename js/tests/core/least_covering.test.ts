import { expect, it } from "vitest";
import { leastCovering } from "../../src/core/least_covering.ts";

const frame = { width: 400, height: 300 };
const box = { width: 100, height: 80 };

it("finds the free place nearest to a point, inside the frame and below the heads", () => {
  const wall = Array.from({ length: 31 }, (_, k) => ({ x: 200, y: 10 * k }));
  const { at, covered } = leastCovering(box, frame, 30, wall, { x: 210, y: 0 });
  expect(covered).toBe(0);
  expect(at.x).toBeGreaterThan(200);
  expect(at.x).toBeLessThan(216);
  expect(at.y).toBe(30);
});

it("covers as few points as it can where it must cover some", () => {
  const points = Array.from({ length: 400 }, (_, k) => ({ x: 20 * (k % 20), y: 15 * Math.floor(k / 20) }));
  const thin = points.filter(({ x, y }) => !(x > 280 && y > 210 && x !== 340));
  const { at, covered } = leastCovering(box, frame, 0, thin, { x: 0, y: 0 });
  expect([at.x, at.y, covered]).toEqual([288, 220, 5]);
});

it("stands at the edge of a frame that it does not fit into", () => {
  expect(leastCovering({ width: 500, height: 400 }, frame, 30, [], { x: 0, y: 0 }).at).toEqual({
    x: 0,
    y: 0,
  });
});
