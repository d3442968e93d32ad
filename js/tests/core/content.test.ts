import { describe, expect, it } from "vitest";
import { decodeContent, nameOfColumn, nameOfRow, valueAt } from "../../src/core/content.ts";
import { readCell, readLine, spokenCell } from "../../src/core/readout.ts";
import { layeredMatrix, matrixOf, smallContent, wire } from "../samples.ts";

it("names rows and columns by unit, not by place", () => {
  const content = decodeContent(smallContent());
  expect(nameOfRow(content, 0)).toBe("fc:3");
  expect(nameOfColumn(content, content.matrices[0], 4)).toBe("fc:2");
  expect(nameOfColumn(content, content.matrices[1], 2)).toBe("s2");
  expect(content.rowOfName.get("fc:4")).toBe(3);
});

it("refuses a matrix that does not fit its rows", () => {
  const wrong = matrixOf(wire(new Float32Array(12), 4, 3));
  expect(() => decodeContent(smallContent({ matrices: [wrong] }))).toThrow(/matrix "r" is 4 × 3, but 5 rows/);
});

it("reads exact values exactly", () => {
  const content = decodeContent(smallContent());
  const read = readCell(content, content.matrices[0], 0, 1, null);
  expect(read).toEqual({ who: "fc:3 · fc:1", value: "r = 0.900", samples: "n = 1,797" });
  expect(readCell(content, content.matrices[0], 0, 4, null).value).toBe("r is not defined");
  expect(valueAt(content.matrices[0], 2, 3)).toBe(-0.8);
});

it("reads coded values with their error until Python answers", () => {
  const coded = matrixOf(
    wire(
      Uint8Array.from({ length: 25 }, (_, i) => (i === 1 ? 255 : i === 2 ? 251 : 68)),
      5,
      5,
    ),
    {
      coded: true,
      error: 0.00402,
    },
  );
  const content = decodeContent(smallContent({ matrices: [coded] }));
  const read = (column: number, exact: number | null) =>
    readCell(content, content.matrices[0], 0, column, exact).value;
  expect(read(0, null)).toBe("r ≈ −0.454 ± 0.004");
  expect(read(0, -0.45678)).toBe("r = −0.457");
  expect(read(1, null)).toBe("r is masked");
  expect(read(2, null)).toBe("r > 1");
});

it("marks exact values that are masked, and keeps the others exact", () => {
  const values = wire(Float64Array.of(0.123456, 0.5, -0.25, 0), 2, 2);
  const masked = matrixOf(values, { mask: wire(Uint8Array.of(0, 1, 0, 0), 2, 2) });
  const units = wire(Int32Array.of(0, 1), 2);
  const content = decodeContent(smallContent({ units, matrices: [masked], linkage: null }));
  const read = (column: number) => readCell(content, content.matrices[0], 0, column, null).value;
  expect(read(0)).toBe("r = 0.123");
  expect(read(1)).toBe("r is masked");
  expect(content.matrices[0].marks[5]).toBe(1);
});

describe("bits between two layers", () => {
  const content = decodeContent(smallContent({ matrices: [layeredMatrix()] }));
  const [matrix] = content.matrices;

  it("read from one unit to the other, with the unit of measure alone", () => {
    expect(readCell(content, matrix, 0, 1, null)).toEqual({
      who: "fc:3 → out:7",
      value: "0.0100 bits",
      samples: "",
    });
    expect(readCell(content, matrix, 0, 1, Number.NaN).value).toBe("is not defined");
  });

  it("read the sum of a row and of a column", () => {
    expect(readLine(content, matrix, 0, -1)).toEqual({
      who: "fc:3",
      value: "Σ row 0.0300 bits",
      samples: "",
    });
    expect(readLine(content, matrix, -1, 2)).toMatchObject({ who: "out:2", value: "Σ column 0.400 bits" });
  });

  it("are heard with the sums that are seen", () => {
    const cell = readCell(content, matrix, 0, 1, null);
    expect(spokenCell(content, matrix, cell, [0, 1])).toBe(
      "fc:3 → out:7, 0.0100 bits, Σ row 0.0300 bits, Σ column 0.350 bits",
    );
  });
});

it("reads a row or a column without sums by its name alone, and a sum that is not defined as such", () => {
  const content = decodeContent(smallContent());
  expect(readLine(content, content.matrices[1], -1, 2)).toEqual({ who: "sample s2", value: "", samples: "" });
  const sums = {
    rows: wire(Float64Array.of(1, 2, 3, 4, Number.NaN), 5),
    columns: wire(new Float64Array(3), 3),
  };
  const { matrices } = decodeContent(smallContent({ matrices: [layeredMatrix({ marginals: sums })] }));
  expect(readLine(content, matrices[0], 4, -1).value).toBe("Σ row is not defined");
});

it("gives no unit of measure to a cell that has no value", () => {
  const masked = layeredMatrix({ quantity: "z", unit: "SD", mask: wire(new Uint8Array(15).fill(1), 5, 3) });
  const content = decodeContent(smallContent({ matrices: [masked] }));
  expect(readCell(content, content.matrices[0], 0, 0, null).value).toBe("z is masked");
});
