// A selection as one content shows it: which rows and which columns its names are, and how a hand changes it.

import { type Content, columnOfName, isSquare, type Matrix, nameOfColumn, nameOfRow } from "./content.ts";
import { type Change, changeRows, layerOf, resolve } from "./selection.ts";

export interface Chosen {
  names: readonly string[];
  rows: readonly number[];
  /** Of each matrix; those of a square one are the rows. */
  columns: readonly (readonly number[])[];
  /** Names of rows, then names that only stand in columns. */
  shown: readonly string[];
  /** Names that are neither a row nor a column: kept, and shown as such. */
  unknown: readonly string[];
}

export function choose(content: Content | null, names: readonly string[]): Chosen {
  if (!content) return { names, rows: [], columns: [], shown: [], unknown: [] };
  const { rows, unknown: others } = resolve(names, content.rowOfName);
  const columns = content.matrices.map((matrix) => (isSquare(matrix) ? rows : columnsNamed(matrix, names)));
  const isColumn = (name: string) => content.matrices.some((m) => columnOfName(m, name) !== undefined);
  const shown = [...rows.map((row) => nameOfRow(content, row)), ...others.filter(isColumn)];
  return { names, rows, columns, shown, unknown: others.filter((name) => !isColumn(name)) };
}

function columnsNamed(matrix: Matrix, names: readonly string[]): number[] {
  const found = names.flatMap((name) => columnOfName(matrix, name) ?? []);
  return [...new Set(found)].sort((a, b) => a - b);
}

/** The names after rows were picked by hand. */
export function changedByRows(
  content: Content,
  chosen: Chosen,
  rows: readonly number[],
  change: Change,
): string[] {
  const nameOf = (row: number) => nameOfRow(content, row);
  return changed(chosen, content.layer, [chosen.rows, rows], change, nameOf);
}

/** The names after columns were picked by hand; columns that are no units leave the selection as it is. */
export function changedByColumns(
  content: Content,
  chosen: Chosen,
  matrix: number,
  columns: readonly number[],
  change: Change,
): readonly string[] {
  const shown = content.matrices[matrix];
  if (isSquare(shown)) return changedByRows(content, chosen, columns, change);
  const layer = shown.columns?.layer;
  if (!layer) return chosen.names;
  const nameOf = (column: number) => nameOfColumn(content, shown, column);
  return changed(chosen, layer, [chosen.columns[matrix], columns], change, nameOf);
}

/** A selection is of one layer: names of another one are let go, names of this one that are not shown are kept. */
function changed(
  { names }: Chosen,
  layer: string,
  [current, picked]: [readonly number[], readonly number[]],
  change: Change,
  nameOf: (index: number) => string,
): string[] {
  const before = new Set(current.map(nameOf));
  const hidden = names.filter((name) => layerOf(name) === layer && !before.has(name));
  const kept = change === "replace" ? [] : hidden;
  return [...new Set([...changeRows(current, picked, change).map(nameOf), ...kept])];
}
