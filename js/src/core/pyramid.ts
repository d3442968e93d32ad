// Coarser copies of a matrix of codes in which the strongest cell of a block survives, so that a strong
// cell is seen at any zoom. Rows and columns are halved separately: 32 units x 1,797 samples must lose no row.

import { STEPS } from "./codes.ts";

export interface Level {
  codes: Uint8Array;
  rows: number;
  columns: number;
}

/** How strongly each code asks to be seen: marks first, then distance from the middle (or from the low end). */
export function strengths(diverging: boolean): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, code) => {
    if (code > STEPS) return 1000 + code;
    return diverging ? Math.abs(2 * code - STEPS) : code;
  });
}

/** Cells along one side after `level` halvings; the last cell takes the odd remainder, so none is tiny. */
export function pooledSide(side: number, level: number): number {
  return Math.max(1, side >> level);
}

export class Pyramid {
  private readonly levels = new Map<string, Level>();
  private readonly strength: Uint16Array;

  constructor(
    private readonly base: Level,
    diverging: boolean,
  ) {
    this.strength = strengths(diverging);
  }

  /** Rows halved `rowLevel` times and columns `columnLevel` times; made when first asked for. */
  level(rowLevel: number, columnLevel: number): Level {
    if (rowLevel <= 0 && columnLevel <= 0) return this.base;
    const key = `${rowLevel},${columnLevel}`;
    let found = this.levels.get(key);
    if (!found) {
      const finer = this.level(Math.max(0, rowLevel - 1), Math.max(0, columnLevel - 1));
      found = halve(finer, rowLevel > 0, columnLevel > 0, this.strength);
      this.levels.set(key, found);
    }
    return found;
  }
}

function halve(from: Level, halveRows: boolean, halveColumns: boolean, strength: Uint16Array): Level {
  const rows = halveRows ? pooledSide(from.rows, 1) : from.rows;
  const columns = halveColumns ? pooledSide(from.columns, 1) : from.columns;
  const codes = new Uint8Array(rows * columns);
  const line = new Uint8Array(from.columns);
  for (let row = 0; row < rows; row++) {
    const first = halveRows ? 2 * row : row;
    const end = row === rows - 1 ? from.rows : first + (halveRows ? 2 : 1);
    line.set(from.codes.subarray(first * from.columns, (first + 1) * from.columns));
    for (let other = first + 1; other < end; other++) strongestOfLines(line, from, other, strength);
    const target = codes.subarray(row * columns, (row + 1) * columns);
    if (halveColumns) strongestOfPairs(target, line, strength);
    else target.set(line);
  }
  return { codes, rows, columns };
}

function strongestOfLines(line: Uint8Array, from: Level, row: number, strength: Uint16Array): void {
  const start = row * from.columns;
  for (let i = 0; i < line.length; i++) {
    const code = from.codes[start + i];
    if (strength[code] > strength[line[i]]) line[i] = code;
  }
}

function strongestOfPairs(target: Uint8Array, line: Uint8Array, strength: Uint16Array): void {
  for (let i = 0; i < target.length; i++) {
    const a = line[2 * i];
    const b = 2 * i + 1 < line.length ? line[2 * i + 1] : a;
    target[i] = strength[b] > strength[a] ? b : a;
  }
  const last = target.length - 1;
  for (let i = 2 * last + 2; i < line.length; i++) {
    if (strength[line[i]] > strength[target[last]]) target[last] = line[i];
  }
}
