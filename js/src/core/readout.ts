// One line about one cell, always in the same order: who, which quantity, over how many samples.

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
  const kind = matrix.columns?.one ? `${matrix.columns.one} ` : "";
  const who = `${nameOfRow(content, row)} · ${kind}${nameOfColumn(content, matrix, column)}`;
  const unit = matrix.unit ? ` ${matrix.unit}` : "";
  const value = `${matrix.quantity} ${describe(matrix, row, column, exact)}${unit}`;
  const samples = matrix.samples === null ? "" : `n = ${formatCount(matrix.samples)}`;
  return { who, value, samples };
}

function describe(matrix: Matrix, row: number, column: number, exact: number | null): string {
  if (exact !== null) return `= ${formatNumber(exact)}`;
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
