import { expect, it } from "vitest";
import { findUnits } from "../../src/core/search.ts";

/** Units 0..19 shown in reverse; unit 7 is not shown. */
const ROWS = new Map(
  Array.from({ length: 20 }, (_, unit) => [unit, 19 - unit] as const).filter(([u]) => u !== 7),
);

it.each([
  ["17", [2]],
  ["conv1:17", [2]],
  ["3, 8-10", [9, 10, 11, 16]],
  ["10-8", [9, 10, 11]],
  ["conv1:3 conv1:3", [16]],
  ["6-8", [11, 13]],
  [" 0 ; 19 ", [0, 19]],
])("finds %s", (text, rows) => {
  expect(findUnits(text, "conv1", ROWS)).toEqual({ rows, message: "" });
});

it.each([
  ["99", /no unit 99: conv1 has units 0 to 19/],
  ["7", /no unit 7/],
  ["fc:3", /“fc” is not the layer shown: this is conv1/],
  ["abc", /“abc” is not a unit: try 17, conv1:17 or 3, 8-12/],
  ["3, x", /“x” is not a unit/],
])("explains why %s finds nothing", (text, message) => {
  const found = findUnits(text, "conv1", ROWS);
  expect(found.rows).toEqual([]);
  expect(found.message).toMatch(message);
});

it("knows a name with dots and a second call", () => {
  expect(findUnits("block.relu:1:4", "block.relu:1", ROWS).rows).toEqual([15]);
});
