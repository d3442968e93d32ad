import { expect, it } from "vitest";
import { formatApproximate, formatCell, formatNumber, formatShape, plural } from "../../src/core/format.ts";

it.each([
  [-0.4583, "−0.458"],
  [0, "0"],
  [1, "1"],
  [12.34, "12.3"],
  [1234.5, "1,235"],
  [0.00001234, "1.23e−5"],
  [469712, "4.70e+5"],
  [Number.NaN, "not defined"],
  [-Infinity, "−∞"],
])("writes %d as %s", (value, text) => {
  expect(formatNumber(value)).toBe(text);
});

it.each([
  [-0.4583, 0.00402, "≈ −0.458 ± 0.004"],
  [123.4, 2.6, "≈ 123 ± 3"],
  [0.5, 0, "0.500"],
  [Number.NaN, 0.1, "not defined"],
])("writes %d with error %d as %s", (value, error, text) => {
  expect(formatApproximate(value, error)).toBe(text);
});

it("fits a cell, a shape and a plural", () => {
  expect([formatCell(-0.458), formatCell(12.34), formatCell(123.4), formatCell(Number.NaN)]).toEqual([
    "−0.46",
    "12.3",
    "123",
    "",
  ]);
  expect(formatShape([16, 8, 8])).toBe("16 × 8 × 8");
  expect(formatShape(null)).toBe("");
  expect([plural(1, "unit"), plural(1797, "unit")]).toEqual(["1 unit", "1,797 units"]);
});
