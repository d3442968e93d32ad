// The tree over the display rows. Its leaves stand in display order, so no branches cross and every node
// covers a run of rows: a cut is then only a set of boundaries between neighbouring rows.

export interface Tree {
  leaves: number;
  /** Height of each merge, in the order of the linkage. */
  height: Float64Array;
  /** First and last leaf under each merge. */
  first: Int32Array;
  last: Int32Array;
  /** The two nodes joined by each merge: a leaf k is k, merge i is leaves + i. */
  children: Int32Array;
  /** Where each node stands along the rows, in cells from the top; the middle of leaf k is k + 0.5. */
  position: Float64Array;
  /** Height at which row k and row k + 1 first belong together. */
  boundary: Float64Array;
  top: number;
}

/** Reads a SciPy linkage, row-major (m - 1, 4), whose leaves are display rows. No recursion: m may be large. */
export function buildTree(linkage: ArrayLike<number>): Tree {
  const merges = linkage.length / 4;
  const leaves = merges + 1;
  const tree: Tree = {
    leaves,
    height: new Float64Array(merges),
    first: new Int32Array(merges),
    last: new Int32Array(merges),
    children: new Int32Array(2 * merges),
    position: Float64Array.from({ length: leaves + merges }, (_, k) => k + 0.5),
    boundary: new Float64Array(merges),
    top: 0,
  };
  for (let i = 0; i < merges; i++) addMerge(tree, i, linkage[4 * i], linkage[4 * i + 1], linkage[4 * i + 2]);
  return tree;
}

function addMerge(tree: Tree, i: number, a: number, b: number, height: number): void {
  const first = (node: number) => (node < tree.leaves ? node : tree.first[node - tree.leaves]);
  const last = (node: number) => (node < tree.leaves ? node : tree.last[node - tree.leaves]);
  const [upper, lower] = first(a) < first(b) ? [a, b] : [b, a];
  if (last(upper) + 1 !== first(lower)) {
    throw new Error(`linkage row ${i} joins rows that are not neighbours; expected leaves in display order`);
  }
  tree.children[2 * i] = upper;
  tree.children[2 * i + 1] = lower;
  tree.first[i] = first(upper);
  tree.last[i] = last(lower);
  tree.height[i] = height;
  tree.boundary[last(upper)] = height;
  tree.position[tree.leaves + i] = (tree.position[upper] + tree.position[lower]) / 2;
  tree.top = Math.max(tree.top, height);
}

export interface Clusters {
  /** Cluster of each display row, 1, 2, ... from the top; 0 is a constant unit, in no cluster. */
  labels: Int32Array;
  count: number;
  /** First row of each cluster, and one past the last clustered row at the end. */
  starts: number[];
}

/** The clusters left when every merge above `cut` is undone, for `rows` display rows. */
export function clustersAt(tree: Tree | null, cut: number, rows: number): Clusters {
  const labels = new Int32Array(rows);
  if (!tree) return { labels, count: 0, starts: [0] };
  const starts = [0];
  for (let k = 0; k < tree.leaves; k++) {
    if (k > 0 && tree.boundary[k - 1] > cut) starts.push(k);
    labels[k] = starts.length;
  }
  return { labels, count: starts.length, starts: [...starts, tree.leaves] };
}

/** First and last row of the cluster that holds `row` when the tree is cut at `cut`. */
export function branchAt(tree: Tree, row: number, cut: number): [number, number] {
  let first = row;
  let last = row;
  while (first > 0 && tree.boundary[first - 1] <= cut) first--;
  while (last < tree.leaves - 1 && tree.boundary[last] <= cut) last++;
  return [first, last];
}

/** A colour number for each cluster; clusters of one unit get -1, so that colour means "belongs together". */
export function clusterColors(clusters: Clusters, colors: number): Int32Array {
  const chosen = new Int32Array(clusters.count).fill(-1);
  let next = 0;
  for (let c = 0; c < clusters.count; c++) {
    if (clusters.starts[c + 1] - clusters.starts[c] > 1) chosen[c] = next++ % colors;
  }
  return chosen;
}
