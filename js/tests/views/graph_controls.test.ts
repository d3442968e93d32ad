import { expect, it } from "vitest";
import { countsOf, placeOf } from "../../src/views/graph_controls.ts";

it.each([1, 2, 7, 90, 2720, 1_000_000])(
  "the slider goes from one edge to all %i, each step another number",
  (total) => {
    const counts = countsOf(total);
    expect([counts[0], counts[counts.length - 1]]).toEqual([1, total]);
    for (const [k, count] of counts.slice(1).entries()) expect(count).toBeGreaterThan(counts[k]);
    for (const [k, count] of counts.entries()) expect(placeOf(counts, count)).toBe(k);
  },
);

it("the steps of the slider are about equal ratios, of numbers of two digits", () => {
  const counts = countsOf(1_000_000);
  for (const [k, count] of counts.slice(1).entries())
    if (count >= 20) expect(count / counts[k]).toBeLessThan(1.15);
  expect(counts.filter((count) => count > 100 && count % 10 ** (String(count).length - 2) !== 0)).toEqual([]);
});

it("a number between two steps stands at the nearer one, and one beyond all at the end", () => {
  const counts = [1, 2, 4, 8];
  expect([0, 1, 3.1, 5, 9000].map((count) => placeOf(counts, count))).toEqual([0, 0, 2, 2, 3]);
  expect(countsOf(0)).toEqual([0]);
});
