import { describe, expect, it } from "vitest";
import { changeRows, countBefore, isEcho, readSelection, resolve, runs } from "../../src/core/selection.ts";

it.each([{}, null, undefined, { units: [] }])("reads %j as nothing selected", (raw) => {
  expect(readSelection(raw)).toEqual({ layer: "", units: [], kind: "units", source: "" });
});

describe("echo", () => {
  const made = (source: string) => readSelection({ layer: "fc", units: ["fc:1"], source });

  it("is only what this very view wrote", () => {
    expect(isEcho(made("view-a"), "view-a")).toBe(true);
    expect(isEcho(made("view-b"), "view-a")).toBe(false);
    expect(isEcho(made("python"), "view-a")).toBe(false);
  });

  it("is never an anonymous selection", () => {
    expect(isEcho(made(""), "")).toBe(false);
  });
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
