import { describe, expect, it } from "vitest";
import { whole } from "../../src/core/span.ts";
import { barsOf, extentOf, extentWords, shareOf } from "../../src/core/sums.ts";
import { seeded } from "../samples.ts";

it.each([
  [[0.5, 1.234], 0, 1.234, "max 1.23"],
  [[-0.5, 2], -0.5, 2, "−0.500 to 2"],
  [[-3], -3, 0, "min −3"],
  [[0, 0], 0, 0, "max 0"],
  [[Number.NaN, Infinity, 0.25], 0, 0.25, "max 0.250"],
])("bars of %j span %d to %d: %s", (sums, low, high, words) => {
  expect(extentOf(sums)).toEqual({ low, high });
  expect(extentWords(extentOf(sums))).toBe(words);
});

it("places a sum between the ends, an infinite one at its end", () => {
  const extent = { low: -1, high: 3 };
  expect([-1, 0, 3, Infinity, -Infinity].map((value) => shareOf(value, extent))).toEqual([0, 0.25, 1, 1, 0]);
  expect(shareOf(0, { low: 0, high: 0 })).toBe(0);
});

describe("bars", () => {
  it("stand where the cells stand, also when zoomed, and only for cells in sight", () => {
    const bars = barsOf([1, 2, 3, 4], { start: 1.5, size: 2 }, 100);
    expect(bars).toEqual([
      { from: -25, to: 25, value: 2 },
      { from: 25, to: 75, value: 3 },
      { from: 75, to: 125, value: 4 },
    ]);
  });

  it("leave out what is not defined, and all but the cells asked for", () => {
    expect(barsOf([1, Number.NaN, 3], whole(3), 30).map((bar) => bar.value)).toEqual([1, 3]);
    expect(barsOf([1, 2, 3], whole(3), 30, [2])).toEqual([{ from: 20, to: 30, value: 3 }]);
  });

  it.each([
    [1000, 300],
    [4096, 97],
    [301, 300],
  ])("of %i cells on %i pixels show the largest of each pixel, and lose no cell", (cells, pixels) => {
    const random = seeded(3);
    const sums = Float64Array.from({ length: cells }, () => 2 * random() - 1);
    const bars = barsOf(sums, whole(cells), pixels);
    expect(bars.length).toBeLessThanOrEqual(pixels);
    const largest = new Map<number, number>();
    for (let k = 0; k < cells; k++) {
      const pixel = Math.floor(((k + 0.5) / cells) * pixels);
      if (Math.abs(sums[k]) > Math.abs(largest.get(pixel) ?? 0)) largest.set(pixel, sums[k]);
    }
    expect(new Map(bars.map((bar) => [bar.from, bar.value]))).toEqual(largest);
    for (const bar of bars) expect(bar.to).toBe(bar.from + 1);
  });
});
