// One line about one cell or one sum, always in the same order: who, which quantity, over how many samples.

import { ABOVE, BELOW, MASKED } from "./codes.ts";
import { type Content, type Matrix, nameOfColumn, nameOfRow, valueAt } from "./content.ts";
import { formatApproximate, formatCount, formatNumber } from "./format.ts";

export interface Readout {
  who: string;
  value: string;
  samples: string;
}

/** `exact` is Python's answer for a coded cell, once it is there. */
export function readCell(
  content: Content,
  matrix: Matrix,
  row: number,
  column: number,
  exact: number | null,
): Readout {
  // From a unit of one layer to a unit of another; otherwise two things side by side.
  const joint = matrix.columns?.layer ? "→" : "·";
  const who = `${nameOfRow(content, row)} ${joint} ${columnInWords(content, matrix, column)}`;
  const value = inWords(matrix, describe(matrix, row, column, exact));
  const samples = matrix.samples === null ? "" : `n = ${formatCount(matrix.samples)}`;
  return { who, value, samples };
}

/** "r = 0.5", "0.5 bits" where the unit says it all. */
function inWords({ quantity, unit }: Matrix, description: string): string {
  const told = quantity ? `${quantity} ${description}` : description.replace(/^= /, "");
  // "is masked" and "is not defined" are no numbers of anything.
  return unit && !description.startsWith("is ") ? `${told} ${unit}` : told;
}

/** "class 7", "conv2:7" */
export function columnInWords(content: Content, matrix: Matrix, column: number): string {
  const name = nameOfColumn(content, matrix, column);
  const { one = "", layer = null } = matrix.columns ?? {};
  return one && layer === null ? `${one} ${name}` : name;
}

/** A whole row (column -1) or a whole column (row -1), with its sum where there is one. */
export function readLine(content: Content, matrix: Matrix, row: number, column: number): Readout {
  const who = row >= 0 ? nameOfRow(content, row) : columnInWords(content, matrix, column);
  const sum = row >= 0 ? matrix.sums?.rows[row] : matrix.sums?.columns[column];
  const what = row >= 0 ? "Σ row" : "Σ column";
  return { who, value: sum === undefined ? "" : `${what} ${sumInWords(matrix, sum)}`, samples: "" };
}

function sumInWords({ unit }: Matrix, sum: number): string {
  if (Number.isNaN(sum)) return "is not defined";
  return unit ? `${formatNumber(sum)} ${unit}` : formatNumber(sum);
}

/** What a reader hears of a cell: the read-out, and the sums that are seen beside it. */
export function spokenCell(
  content: Content,
  matrix: Matrix,
  { who, value }: Readout,
  at: [number, number],
): string {
  const [row, column] = at;
  if (!matrix.sums) return `${who}, ${value}`;
  const sums = [readLine(content, matrix, row, -1), readLine(content, matrix, -1, column)];
  return [who, value, ...sums.map((sum) => sum.value)].join(", ");
}

function describe(matrix: Matrix, row: number, column: number, exact: number | null): string {
  if (exact !== null) return Number.isNaN(exact) ? "is not defined" : `= ${formatNumber(exact)}`;
  const code = matrix.base.codes[row * matrix.base.columns + column];
  if (code === MASKED) return "is masked";
  const shown = valueAt(matrix, row, column);
  if (matrix.values || !Number.isFinite(shown)) {
    if (!matrix.values && code === BELOW) return `< ${formatNumber(matrix.low)}`;
    if (!matrix.values && code === ABOVE) return `> ${formatNumber(matrix.high)}`;
    return Number.isNaN(shown) ? "is not defined" : `= ${formatNumber(shown)}`;
  }
  return formatApproximate(shown, matrix.error);
}
