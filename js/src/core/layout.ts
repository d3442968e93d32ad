// Where panels go: how many stand side by side, and how large the plot of each one is.

export interface Box {
  /** Width of the whole panel. */
  panel: number;
  /** Width of the dendrogram with the strip; 0 when the panel carries none. */
  tree: number;
  width: number;
  height: number;
  /** Room above the plot: for the handle of the cut, and the same beside it so that rows stand level. */
  above: number;
}

export const GAP = 12;
/** Padding and border of a panel, both sides together. */
export const FRAME = 30;
/** Room for row labels right of a plot. */
export const GUTTER = 34;
/** Room for column labels below a plot. */
export const BELOW = 20;
/** The cluster strip and the gaps beside it. */
export const STRIP = 22;

const SMALLEST = 240;
const LARGEST = 620;

/** Plots of one widget share one height, so that the eye can follow a row across panels. */
export function layoutPanels(width: number, square: readonly boolean[]): Box[] {
  const count = square.length;
  const tree = Math.round(Math.min(Math.max(0.15 * width, 84), 150)) + STRIP;
  let abreast = count;
  while (abreast > 1 && plotSide(width, tree, abreast) < SMALLEST) abreast--;
  const side = Math.max(120, Math.min(LARGEST, Math.floor(plotSide(width, tree, abreast))));
  const spare = width - (side * abreast + abreast * (FRAME + GUTTER) + (abreast - 1) * GAP + tree);
  // A single wide panel gives what is left to the tree: more room for its branches.
  const first = abreast === 1 && spare > 0 ? Math.min(tree + spare, 340) : tree;
  return square.map((isSquare, i) => boxOf(width, i, { abreast, side, tree: first, count, isSquare }));
}

function plotSide(width: number, tree: number, abreast: number): number {
  return (width - tree - (abreast - 1) * GAP) / abreast - FRAME - GUTTER;
}

interface Choice {
  abreast: number;
  side: number;
  tree: number;
  count: number;
  isSquare: boolean;
}

function boxOf(width: number, index: number, { abreast, side, tree, isSquare }: Choice): Box {
  const own = index === 0 ? tree : 0;
  const tight = side + own + FRAME + GUTTER;
  const line = Math.floor(index / abreast);
  const firstLine = line === 0 ? tree : 0;
  const shared = Math.floor((width - firstLine - (abreast - 1) * GAP) / abreast);
  const panel = abreast === 1 ? Math.max(tight, width) : Math.max(tight, shared + own);
  const plot = isSquare ? side : Math.max(side, panel - own - FRAME - GUTTER);
  const above = own > 0 || abreast > 1 ? 26 : 8;
  return { panel: Math.min(panel, Math.max(width, tight)), tree: own, width: plot, height: side, above };
}
