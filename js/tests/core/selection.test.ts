import { expect, it } from "vitest";
import {
  changeRows,
  countBefore,
  readSelection,
  resolve,
  runs,
  sameUnits,
} from "../../src/core/selection.ts";

it.each([{}, null, undefined, { units: [] }])("reads %j as nothing selected", (raw) => {
  expect(readSelection(raw)).toEqual({ layer: "", units: [], kind: "units", source: "" });
});

it.each([
  [["fc:1", "fc:2"], true],
  [["fc:2", "fc:1"], false],
  [["fc:1"], false],
  [["fc:1", "fc:2", "fc:3"], false],
])("%j are what shows fc:1 and fc:2: %s", (names, same) => {
  expect(sameUnits(names, ["fc:1", "fc:2"])).toBe(same);
});

it("resolves names to sorted rows and keeps unknown names", () => {
  const rowOf = new Map([
    ["fc:1", 4],
    ["fc:2", 0],
  ]);
  expect(resolve(["fc:1", "old:9", "fc:2", "fc:1"], rowOf)).toEqual({ rows: [0, 4], unknown: ["old:9"] });
});

it.each([
  ["replace", [5], [5]],
  ["add", [3, 5], [1, 3, 5]],
  ["toggle", [3], [1]],
  ["toggle", [3, 5], [1, 3, 5]],
  ["replace", [], []],
] as const)("%s of %j", (change, rows, expected) => {
  expect(changeRows([1, 3], rows, change)).toEqual(expected);
});

it("joins neighbours into runs", () => {
  expect(runs([0, 1, 2, 5, 7, 8])).toEqual([
    [0, 2],
    [5, 5],
    [7, 8],
  ]);
  expect(runs([])).toEqual([]);
});

it("counts the selected rows before each row, and leaves rows outside the tree out", () => {
  expect([...countBefore([1, 2, 4, 9], 5)]).toEqual([0, 0, 1, 2, 2, 3]);
});
