// What LinkedHeatmaps shows: the synced state, decoded once into numbers ready to draw.

import { decodeArray, type WireArray } from "./arrays.ts";
import { countMarks, decodeCode, encode, MASKED } from "./codes.ts";
import { buildTree, type Tree } from "./dendrogram.ts";
import { type Level, Pyramid } from "./pyramid.ts";
import { layerOf, unitName } from "./selection.ts";
import type { Sums } from "./sums.ts";

export interface Fact {
  label: string;
  value: string;
  reference: string;
  explain: string;
}

export interface WireMatrix {
  id: string;
  title: string;
  how: string;
  quantity: string;
  unit: string;
  values: WireArray;
  /** 1 where an exact value is masked; null where none is, or where codes say it. */
  mask: WireArray | null;
  coded: boolean;
  error: number;
  low: number;
  high: number;
  diverging: boolean;
  colors: { light: WireArray; dark: WireArray };
  /** `one` is the singular that goes before a name where it stands alone: "class" 7. */
  columns: { title: string; one: string; layer: string | null; names: string[] } | null;
  note: string;
  samples: number | null;
  /** Sums of rows and columns in display order, exact also where only codes travel. */
  marginals: { rows: WireArray; columns: WireArray } | null;
}

export interface WireContent {
  layer: string;
  units: WireArray;
  matrices: WireMatrix[];
  linkage: WireArray | null;
  distance: string;
  facts: Fact[];
  /** Why there is nothing to show, if there is nothing. */
  message: string;
}

export interface Matrix extends Omit<WireMatrix, "values" | "mask" | "colors" | "marginals"> {
  base: Level;
  pyramid: Pyramid;
  /** Exact values, or null when only codes came. */
  values: ArrayLike<number> | null;
  colors: { light: ArrayLike<number>; dark: ArrayLike<number> };
  marks: number[];
  sums: Sums | null;
  /** Where columns are units of a layer of their own: the column of each unit number. */
  columnOfUnit: Map<number, number> | null;
}

export interface Content {
  layer: string;
  rows: number;
  /** Unit number of each display row. */
  units: ArrayLike<number>;
  rowOfUnit: Map<number, number>;
  rowOfName: Map<string, number>;
  matrices: Matrix[];
  tree: Tree | null;
  distance: string;
  facts: Fact[];
  message: string;
}

export function decodeContent(wire: WireContent): Content {
  const units = decodeArray(wire.units);
  const rows = units.length;
  const tree = wire.linkage && wire.linkage.shape[0] > 0 ? buildTree(decodeArray(wire.linkage)) : null;
  if (tree && tree.leaves > rows) {
    throw new Error(`the tree has ${tree.leaves} leaves, but layer ${wire.layer} shows ${rows} units`);
  }
  const rowOfUnit = new Map<number, number>();
  for (let row = 0; row < rows; row++) rowOfUnit.set(units[row], row);
  return {
    layer: wire.layer,
    rows,
    units,
    rowOfUnit,
    rowOfName: new Map(Array.from(units, (unit, row) => [unitName(wire.layer, unit), row])),
    matrices: wire.matrices.map((matrix) => decodeMatrix(matrix, rows)),
    tree,
    distance: wire.distance,
    facts: wire.facts,
    message: wire.message ?? "",
  };
}

function decodeMatrix(wire: WireMatrix, rows: number): Matrix {
  const numbers = decodeArray(wire.values);
  const [height, columns] = wire.values.shape;
  const expected = wire.columns ? wire.columns.names.length : rows;
  if (height !== rows || columns !== expected) {
    throw new Error(
      `matrix "${wire.id}" is ${height} × ${columns}, but ${rows} rows and ${expected} columns were expected`,
    );
  }
  const codes = wire.coded ? (numbers as Uint8Array) : encode(numbers, wire);
  if (wire.mask) markMasked(codes, decodeArray(wire.mask));
  const base = { codes, rows, columns };
  const { marginals, ...plain } = wire;
  return {
    ...plain,
    base,
    pyramid: new Pyramid(base, wire.diverging),
    values: wire.coded ? null : numbers,
    colors: { light: decodeArray(wire.colors.light), dark: decodeArray(wire.colors.dark) },
    marks: countMarks(codes),
    sums: marginals && { rows: decodeArray(marginals.rows), columns: decodeArray(marginals.columns) },
    columnOfUnit: wire.columns?.layer
      ? new Map(wire.columns.names.map((name, k) => [Number(name), k]))
      : null,
  };
}

function markMasked(codes: Uint8Array, mask: ArrayLike<number>): void {
  for (let i = 0; i < codes.length; i++) if (mask[i]) codes[i] = MASKED;
}

/** The value of a cell: exact, or the middle of its code's step. */
export function valueAt(matrix: Matrix, row: number, column: number): number {
  const index = row * matrix.base.columns + column;
  return matrix.values ? matrix.values[index] : decodeCode(matrix.base.codes[index], matrix);
}

export function nameOfRow(content: Content, row: number): string {
  return unitName(content.layer, content.units[row]);
}

/** Whether columns are the same units, in the same order, as the rows. */
export function isSquare(matrix: Matrix): boolean {
  return matrix.columns === null;
}

/** The full name of what a column stands for: "conv2:7" where it is a unit. */
export function nameOfColumn(content: Content, matrix: Matrix, column: number): string {
  if (!matrix.columns) return nameOfRow(content, column);
  const { layer, names } = matrix.columns;
  return layer === null ? names[column] : `${layer}:${names[column]}`;
}

/** The short name that stands under a column. */
export function labelOfColumn(content: Content, matrix: Matrix, column: number): string {
  return matrix.columns ? matrix.columns.names[column] : String(content.units[column]);
}

export function titleOfColumns(content: Content, matrix: Matrix): string {
  return matrix.columns ? matrix.columns.title : `units of ${content.layer}`;
}

/** The layer whose units the columns are; null where columns are no units. */
export function layerOfColumns(content: Content, matrix: Matrix): string | null {
  return matrix.columns ? matrix.columns.layer : content.layer;
}

/** The column of a unit by its full name, in a matrix whose columns are units of a layer of their own. */
export function columnOfName(matrix: Matrix, name: string): number | undefined {
  if (matrix.columns?.layer !== layerOf(name)) return undefined;
  return matrix.columnOfUnit?.get(Number(name.slice(name.lastIndexOf(":") + 1)));
}

/** Whether two contents show the same units of a layer in the same order. */
export function sameUnits(a: Content, b: Content): boolean {
  return (
    a.layer === b.layer &&
    a.rows === b.rows &&
    Array.from(a.units).every((unit, row) => unit === b.units[row])
  );
}

export function sameColumns(a: Matrix, b: Matrix): boolean {
  return a.id === b.id && a.base.columns === b.base.columns;
}
