// "17", "conv1:17" and "3, 8-12" as units of a layer.

export interface Found {
  rows: number[];
  /** Empty when everything was understood and found. */
  message: string;
}

/** Parts are separated by commas or spaces; each is a unit, a range a-b, or either with "layer:" before it. */
export function findUnits(text: string, layer: string, rowOfUnit: ReadonlyMap<number, number>): Found {
  const parts = text.split(/[,;\s]+/).filter((part) => part !== "");
  const rows = new Set<number>();
  for (const part of parts) {
    const range = parsePart(part, layer);
    if (typeof range === "string") return { rows: [], message: range };
    const before = rows.size;
    for (const [unit, row] of rowOfUnit) if (unit >= range[0] && unit <= range[1]) rows.add(row);
    if (rows.size === before && !anyIn(range, rowOfUnit)) {
      return { rows: [], message: `no unit ${part}: ${layer} has ${describe(rowOfUnit)}` };
    }
  }
  return { rows: [...rows].sort((a, b) => a - b), message: "" };
}

function anyIn([low, high]: [number, number], rowOfUnit: ReadonlyMap<number, number>): boolean {
  for (const unit of rowOfUnit.keys()) if (unit >= low && unit <= high) return true;
  return false;
}

function parsePart(part: string, layer: string): [number, number] | string {
  const colon = part.lastIndexOf(":");
  if (colon >= 0 && part.slice(0, colon) !== layer) {
    return `“${part.slice(0, colon)}” is not the layer shown: this is ${layer}`;
  }
  const match = /^(\d+)(?:[-–](\d+))?$/.exec(part.slice(colon + 1));
  if (!match) return `“${part}” is not a unit: try 17, ${layer}:17 or 3, 8-12`;
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  return [Math.min(first, last), Math.max(first, last)];
}

function describe(rowOfUnit: ReadonlyMap<number, number>): string {
  let low = Infinity;
  let high = -Infinity;
  for (const unit of rowOfUnit.keys()) {
    low = Math.min(low, unit);
    high = Math.max(high, unit);
  }
  return rowOfUnit.size ? `units ${low} to ${high}` : "no units";
}
