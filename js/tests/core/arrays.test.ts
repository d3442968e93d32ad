import { describe, expect, it } from "vitest";
import { type Dtype, decodeArray } from "../../src/core/arrays.ts";

const CASES: [Dtype, number[]][] = [
  ["float32", [1.5, -2.25, 0, 1e10]],
  ["float64", [Math.PI, -1e300, 0, Number.MIN_VALUE]],
  ["int32", [1, -2, 2147483647, -2147483648]],
  ["uint8", [0, 1, 254, 255]],
];

function bytes(dtype: Dtype, numbers: number[]): Uint8Array {
  const width = { float32: 4, float64: 8, int32: 4, uint8: 1 }[dtype];
  const view = new DataView(new ArrayBuffer(width * numbers.length));
  numbers.forEach((value, i) => {
    if (dtype === "float32") view.setFloat32(4 * i, value, true);
    else if (dtype === "float64") view.setFloat64(8 * i, value, true);
    else if (dtype === "int32") view.setInt32(4 * i, value, true);
    else view.setUint8(i, value);
  });
  return new Uint8Array(view.buffer);
}

describe.each(CASES)("decodeArray of %s", (dtype, numbers) => {
  // Offset 3 is aligned for nothing but bytes; what follows the view must not be read either.
  it.each([0, 3, 8])("reads a view that starts %i bytes into its buffer", (offset) => {
    const plain = bytes(dtype, numbers);
    const carrier = new Uint8Array(offset + plain.length + 5).fill(170);
    carrier.set(plain, offset);
    const data = new DataView(carrier.buffer, offset, plain.length);
    const decoded = decodeArray({ data, dtype, shape: [2, 2] });
    expect(Array.from(decoded)).toEqual(
      numbers.map((value) => (dtype === "float32" ? Math.fround(value) : value)),
    );
  });

  it("names the shape when bytes are missing", () => {
    const data = bytes(dtype, numbers);
    expect(() => decodeArray({ data, dtype, shape: [3, 2] })).toThrow(/shape 3 × 2.*needs \d+ bytes/);
  });
});

it("names an unknown dtype and what is known", () => {
  const array = { data: new ArrayBuffer(8), dtype: "int64" as Dtype, shape: [1] };
  expect(() => decodeArray(array)).toThrow(/"int64"; expected one of float32, float64, int32, uint8/);
});

it("decodes an empty array", () => {
  expect(decodeArray({ data: new ArrayBuffer(0), dtype: "float64", shape: [0, 4] }).length).toBe(0);
});
