import { describe, expect, it } from "vitest";
import { cellAt, cellsBetween, edgeOf, pan, reveal, whole, zoom } from "../../src/core/span.ts";

describe("zoom", () => {
  it("keeps the cell under the pointer", () => {
    const before = { start: 20, size: 50 };
    const after = zoom(before, 100, 0.3, 2);
    expect(after.start + 0.3 * after.size).toBeCloseTo(before.start + 0.3 * before.size, 12);
    expect(after.size).toBe(25);
  });

  it("stops at the whole axis and at three cells", () => {
    expect(zoom(whole(100), 100, 0.5, 0.1)).toEqual(whole(100));
    expect(zoom(whole(100), 100, 0.5, 1e9).size).toBe(3);
    expect(zoom(whole(2), 2, 0.5, 4)).toEqual(whole(2));
  });
});

it("pans to the ends and no further", () => {
  expect(pan({ start: 10, size: 5 }, 100, -50)).toEqual({ start: 0, size: 5 });
  expect(pan({ start: 10, size: 5 }, 100, 500)).toEqual({ start: 95, size: 5 });
});

it.each([
  [3, 3, { start: 3, size: 10 }],
  [25, 26, { start: 17, size: 10 }],
  [12, 13, { start: 10, size: 10 }],
  [0, 50, { start: 0, size: 51 }],
])("reveals cells %i to %i with the least movement", (first, last, expected) => {
  expect(reveal({ start: 10, size: 10 }, 100, first, last)).toEqual(expected);
});

describe("hit test", () => {
  const span = { start: 2.5, size: 5 };

  it("agrees with where cells are drawn", () => {
    for (let cell = 3; cell < 7; cell++) {
      const edge = edgeOf(span, 100, cell);
      expect(cellAt(span, 20, 100, edge + 0.01)).toBe(cell);
      expect(cellAt(span, 20, 100, edge - 0.01)).toBe(cell - 1);
    }
  });

  it.each([-0.1, 100, 250])("finds nothing at %d, outside", (position) => {
    expect(cellAt(span, 20, 100, position)).toBe(-1);
  });

  it("takes a brush in either direction and from outside", () => {
    expect(cellsBetween(span, 20, 100, 5, 55)).toEqual([2, 5]);
    expect(cellsBetween(span, 20, 100, 55, 5)).toEqual([2, 5]);
    expect(cellsBetween(span, 20, 100, -400, 400)).toEqual([2, 7]);
    expect(cellsBetween(whole(0), 0, 100, 0, 50)).toEqual([0, -1]);
  });
});
