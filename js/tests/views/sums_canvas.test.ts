// @vitest-environment jsdom
import { beforeEach, expect, it } from "vitest";
import { GUTTER } from "../../src/core/layout.ts";
import { whole } from "../../src/core/span.ts";
import type { Overlay } from "../../src/views/overlay_canvas.ts";
import { SumsCanvas } from "../../src/views/sums_canvas.ts";
import { stubPage } from "../page.ts";

let page: ReturnType<typeof stubPage>;

beforeEach(() => {
  page = stubPage();
});

/** Four rows of 20 px and two columns of 50 px. */
function paint(rows: number[], columns: number[], more: Partial<Overlay> = {}) {
  const scene = {
    rows: whole(4),
    columns: whole(2),
    width: 100,
    height: 80,
    selectedRows: [],
    selectedColumns: [],
    row: -1,
    column: -1,
    palette: { sum: "grey", accent: "orange", muted: "dark", font: "f" },
    ...more,
  } as unknown as Overlay;
  new SumsCanvas({ rows, columns }).paint(scene);
  const rects = page.calls.filter(([name]) => name === "fillRect").map(([, ...rect]) => rect as number[]);
  const right = rects.filter(([x]) => x >= 100);
  const above = rects.filter(([, y, , h]) => y + h <= 0);
  const words = page.calls.filter(([name]) => name === "fillText").map(([, text]) => text);
  return { right, above, words };
}

it("draws a bar beside each row and above each column, as long as its sum", () => {
  const { right, above, words } = paint([1, 2, 4, 0], [3, 6]);
  const longest = right[2][2];
  expect(right).toEqual([
    [100 + GUTTER, 0, longest / 4, 19],
    [100 + GUTTER, 20, longest / 2, 19],
    [100 + GUTTER, 40, longest, 19],
    [100 + GUTTER, 60, 0, 19],
  ]);
  expect(above.map(([x, , width]) => [x, width])).toEqual([
    [0, 49],
    [50, 49],
  ]);
  expect(above[1][3]).toBeCloseTo(2 * above[0][3]);
  expect(above[0][1] + above[0][3]).toBeCloseTo(above[1][1] + above[1][3]); // one base line
  expect(words).toEqual(["column sums", "row sums", "max 4", "max 6"]);
});

it("draws the selected ones again over all others", () => {
  const { right, above } = paint([1, 2, 4, 3], [3, 6], {
    selectedRows: [1, 3],
    selectedColumns: [0],
    row: 2,
  });
  expect(right.slice(4).map(([, y]) => y)).toEqual([40, 20, 60]); // the one pointed at, then the selected
  expect(above.slice(2).map(([x]) => x)).toEqual([0]);
});

it("draws negative sums to the other side of zero", () => {
  const { right, words } = paint([-1, 1, 3, 0], [1, 2]);
  const [negative, positive] = right;
  expect(negative[0] + negative[2]).toBeCloseTo(positive[0]);
  expect(words).toContain("−1 to 3");
});

it("follows a zoom", () => {
  const { right } = paint([1, 2, 4, 3], [3, 6], { rows: { start: 1, size: 2 } });
  expect(right.map(([, y, , height]) => [y, height])).toEqual([
    [0, 39],
    [40, 39],
  ]);
});
