// A selection is a set of unit names with a maker. Names survive re-ordering; row numbers do not.

export interface Selection {
  layer: string;
  units: string[];
  kind: "units";
  source: string;
}

export function unitName(layer: string, unit: number): string {
  return `${layer}:${unit}`;
}

/** The layer in a unit's name; "relu:1:4" is unit 4 of the second call of relu. */
export function layerOf(name: string): string {
  return name.slice(0, name.lastIndexOf(":"));
}

/** Reads what Python or another view wrote: {} and missing fields mean that nothing is selected. */
export function readSelection(raw: unknown): Selection {
  const given = (raw ?? {}) as Partial<Selection>;
  return {
    layer: given.layer ?? "",
    units: Array.isArray(given.units) ? given.units.map(String) : [],
    kind: "units",
    source: given.source ?? "",
  };
}

/**
 * Whether a view that shows these names has nothing to do. Who made a selection does not tell: Python, and what a page
 * has saved, bring back an earlier one with the name of its maker.
 */
export function sameUnits(names: readonly string[], shown: readonly string[]): boolean {
  return names.length === shown.length && names.every((name, k) => name === shown[k]);
}

export interface Resolved {
  rows: number[];
  /** Names that are not in this layer: kept, and shown as such. */
  unknown: string[];
}

export function resolve(names: readonly string[], rowOf: ReadonlyMap<string, number>): Resolved {
  const rows = new Set<number>();
  const unknown = new Set<string>();
  for (const name of names) {
    const row = rowOf.get(name);
    if (row === undefined) unknown.add(name);
    else rows.add(row);
  }
  return { rows: [...rows].sort((a, b) => a - b), unknown: [...unknown] };
}

export type Change = "replace" | "add" | "toggle";

export function changeRows(current: readonly number[], rows: readonly number[], change: Change): number[] {
  const next = new Set(change === "replace" ? [] : current);
  const drop = change === "toggle" && rows.length > 0 && rows.every((row) => next.has(row));
  for (const row of rows) {
    if (drop) next.delete(row);
    else next.add(row);
  }
  return [...next].sort((a, b) => a - b);
}

/** Runs of neighbouring rows, as [first, last] pairs. */
export function runs(rows: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  for (const row of rows) {
    const open = found[found.length - 1];
    if (open && open[1] === row - 1) open[1] = row;
    else found.push([row, row]);
  }
  return found;
}

/** How many selected rows stand before each row: a run a..b is selected whole when it gains b + 1 - a. */
export function countBefore(rows: readonly number[], count: number): Int32Array {
  const before = new Int32Array(count + 1);
  for (const row of rows) if (row < count) before[row + 1] = 1;
  for (let k = 1; k <= count; k++) before[k] += before[k - 1];
  return before;
}
