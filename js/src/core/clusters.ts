// Clusters as one view tells them to another: by unit number, so that the order of rows does not matter.

import type { Content } from "./content.ts";
import { type Clusters, clusterColors } from "./dendrogram.ts";

export interface LayerClusters {
  layer: string;
  /** Cluster of each unit, 1, 2, ... in the order of the display rows; 0 is none. */
  labels: number[];
}

export function labelsByUnit(content: Content, clusters: Clusters): LayerClusters {
  let units = 0;
  for (let row = 0; row < content.rows; row++) units = Math.max(units, content.units[row] + 1);
  const labels = new Array<number>(units).fill(0);
  for (let row = 0; row < content.rows; row++) labels[content.units[row]] = clusters.labels[row];
  return { layer: content.layer, labels };
}

/** The colour number of each unit, the same as on the strip beside the rows; -1 for none and for units that stand alone. */
export function colorsByUnit(labels: ArrayLike<number>, colors: number): Int32Array {
  const sizes: number[] = [];
  for (let unit = 0; unit < labels.length; unit++) {
    const label = labels[unit];
    if (label > 0) sizes[label - 1] = (sizes[label - 1] ?? 0) + 1;
  }
  // Clusters are runs of rows, so their sizes say where each one starts.
  const starts = [0];
  for (let c = 0; c < sizes.length; c++) starts.push(starts[c] + (sizes[c] ?? 0));
  const chosen = clusterColors({ labels: new Int32Array(0), count: sizes.length, starts }, colors);
  return Int32Array.from(labels, (label) => (label > 0 ? chosen[label - 1] : -1));
}

export interface ClusterKey {
  cluster: number;
  /** The number of its colour; units that stand alone share −1. */
  color: number;
  units: number[];
}

/** What the colours stand for: every cluster of more than one unit, then those units together that stand alone. */
export function clusterKeys({ labels }: LayerClusters, colors: number): ClusterKey[] {
  const byUnit = colorsByUnit(labels, colors);
  const keys = new Map<number, ClusterKey>();
  labels.forEach((label, unit) => {
    const cluster = byUnit[unit] < 0 ? 0 : label;
    const key = keys.get(cluster) ?? { cluster, color: byUnit[unit], units: [] };
    key.units.push(unit);
    keys.set(cluster, key);
  });
  const last = (cluster: number) => (cluster === 0 ? Infinity : cluster);
  return [...keys.values()].sort((a, b) => (last(a.cluster) < last(b.cluster) ? -1 : 1));
}
