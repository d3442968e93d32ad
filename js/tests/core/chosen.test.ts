import { expect, it } from "vitest";
import { changedByColumns, changedByRows, choose } from "../../src/core/chosen.ts";
import { decodeContent } from "../../src/core/content.ts";
import { layeredMatrix, smallContent } from "../samples.ts";

const small = smallContent();
const content = decodeContent({ ...small, matrices: [...small.matrices, layeredMatrix()] });
const [SQUARE, SAMPLES, BITS] = [0, 1, 2];

it("finds rows, columns and names that are neither", () => {
  const chosen = choose(content, ["fc:1", "out:2", "out:9", "conv:1", "out:0", "out:2"]);
  expect(chosen.rows).toEqual([1]);
  // Columns stand as named "0", "7", "2"; those of the square matrix are its rows.
  expect(chosen.columns).toEqual([[1], [], [0, 2]]);
  expect(chosen.shown).toEqual(["fc:1", "out:2", "out:0"]);
  expect(chosen.unknown).toEqual(["out:9", "conv:1"]);
});

it("finds nothing before there is content, and forgets no name", () => {
  expect(choose(null, ["fc:1"])).toMatchObject({ names: ["fc:1"], rows: [], unknown: [] });
});

it("selects columns by their names and lets go of another layer", () => {
  const rows = choose(content, ["fc:1", "fc:3"]);
  expect(changedByColumns(content, rows, BITS, [1], "replace")).toEqual(["out:7"]);
  expect(changedByColumns(content, rows, BITS, [2, 1], "toggle")).toEqual(["out:7", "out:2"]);
});

it("toggles and adds columns, and keeps units of their layer that are not shown", () => {
  const chosen = choose(content, ["out:7", "out:99"]);
  expect(changedByColumns(content, chosen, BITS, [1], "toggle")).toEqual(["out:99"]);
  expect(changedByColumns(content, chosen, BITS, [0], "add")).toEqual(["out:0", "out:7", "out:99"]);
  expect(changedByColumns(content, chosen, BITS, [0], "replace")).toEqual(["out:0"]);
  expect(changedByRows(content, chosen, [0], "add")).toEqual(["fc:3"]);
});

it("takes columns of a square matrix for its rows, and columns that are no units for nothing", () => {
  const chosen = choose(content, ["fc:1"]);
  expect(changedByColumns(content, chosen, SQUARE, [0], "add")).toEqual(["fc:3", "fc:1"]);
  expect(changedByColumns(content, chosen, SAMPLES, [0], "replace")).toBe(chosen.names);
});

it("marks a unit both as a row and as a column where its layer stands on both sides", () => {
  const columns = { title: "units of fc", one: "unit", layer: "fc", names: ["4", "3", "11"] };
  const both = decodeContent({ ...small, matrices: [layeredMatrix({ columns })] });
  const chosen = choose(both, ["fc:3", "fc:11"]);
  expect([chosen.rows, chosen.columns, chosen.unknown]).toEqual([[0], [[1, 2]], []]);
  expect(chosen.shown).toEqual(["fc:3", "fc:11"]);
  expect(changedByColumns(both, chosen, 0, [1], "toggle")).toEqual(["fc:11"]);
});
