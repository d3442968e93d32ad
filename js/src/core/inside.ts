// What the correlation matrix says about a group of rows.

import { type Content, isSquare, type Matrix } from "./content.ts";
import type { Clusters } from "./dendrogram.ts";

/** The exact matrix that the tree was made from, if it came: only it can answer questions about a group. */
export function exactSquare(content: Content): Matrix | null {
  const first = content.matrices[0];
  return first && isSquare(first) && first.values ? first : null;
}

/** Smallest |value| between two different rows; NaN with fewer than two defined pairs. Costs rows squared. */
export function smallestInside(matrix: Matrix, rows: readonly number[]): number {
  const values = matrix.values;
  let smallest = Infinity;
  if (!values) return Number.NaN;
  for (const a of rows) {
    for (const b of rows) {
      if (b <= a) continue;
      const size = Math.abs(values[a * matrix.base.columns + b]);
      if (size < smallest) smallest = size;
    }
  }
  return smallest === Infinity ? Number.NaN : smallest;
}

/** The row with the smallest summed distance to the others of its cluster; ties go to the lowest unit. */
export function medoidOf(content: Content, matrix: Matrix, first: number, last: number): number {
  const absolute = content.distance.includes("|");
  let best = first;
  let bestSum = -Infinity;
  for (let a = first; a <= last; a++) {
    let sum = 0;
    for (let b = first; b <= last; b++) {
      const r = b === a ? 0 : (matrix.values?.[a * matrix.base.columns + b] ?? 0);
      sum += absolute ? Math.abs(r) : r;
    }
    const tie = sum === bestSum && content.units[a] < content.units[best];
    if (sum > bestSum || tie) {
      best = a;
      bestSum = sum;
    }
  }
  return best;
}

/** One medoid for every cluster that holds one of `rows`; constant units, in no cluster, are dropped. */
export function medoidsOf(
  content: Content,
  matrix: Matrix,
  clusters: Clusters,
  rows: readonly number[],
): number[] {
  const touched = new Set(rows.map((row) => clusters.labels[row]).filter((label) => label > 0));
  return [...touched]
    .sort((a, b) => a - b)
    .map((label) => medoidOf(content, matrix, clusters.starts[label - 1], clusters.starts[label] - 1));
}
