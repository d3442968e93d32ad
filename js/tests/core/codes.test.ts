import { describe, expect, it } from "vitest";
import { countMarks, decodeCode, encode, encodeValue } from "../../src/core/codes.ts";
import { seeded } from "../samples.ts";

const SCALES = [
  { low: -1, high: 1, diverging: true },
  { low: 0, high: 0.106, diverging: false },
  { low: -3e-9, high: 4e12, diverging: false },
];

describe.each(SCALES)("a scale from $low to $high", (scale) => {
  it("gives back every value within half a step", () => {
    const random = seeded(1);
    const step = (scale.high - scale.low) / 249;
    for (let i = 0; i < 2000; i++) {
      const value = scale.low + random() * (scale.high - scale.low);
      const shown = decodeCode(encodeValue(value, scale), scale);
      expect(Math.abs(shown - value)).toBeLessThanOrEqual((step / 2) * (1 + 1e-9));
    }
  });

  it("gives back every code", () => {
    for (let code = 0; code < 250; code++) expect(encodeValue(decodeCode(code, scale), scale)).toBe(code);
  });

  it.each([
    [scale.low, 0],
    [scale.high, 249],
    [scale.low - 1e13, 250],
    [scale.high + 1e13, 251],
    [-Infinity, 252],
    [Infinity, 253],
    [Number.NaN, 254],
  ])("marks %d as %i", (value, code) => {
    expect(encodeValue(value, scale)).toBe(code);
  });
});

it("shows a scale of no width in the colour of 'nothing'", () => {
  expect(encodeValue(2, { low: 2, high: 2, diverging: true })).toBe(125);
  expect(encodeValue(2, { low: 2, high: 2, diverging: false })).toBe(0);
});

it("counts the marks and leaves its argument alone", () => {
  const values = [0, Number.NaN, Infinity, Number.NaN, 5, -Infinity, -9];
  const codes = encode(values, { low: -1, high: 1, diverging: true });
  expect(countMarks(codes)).toEqual([1, 1, 1, 1, 2, 0]);
  expect(values).toEqual([0, Number.NaN, Infinity, Number.NaN, 5, -Infinity, -9]);
});
