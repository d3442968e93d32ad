// Where panels go: how many stand side by side, and how large the plot of each one is.

export interface Shape {
  /** Columns are the same units as the rows: the plot is as wide as it is high. */
  square: boolean;
  rows: number;
  columns: number;
  /** Whether sums of rows and columns stand beside the plot. */
  sums: boolean;
  /** Whether the columns need a title under their names. */
  titled: boolean;
}

export interface Box {
  /** Width of the whole panel. */
  panel: number;
  /** Width of the dendrogram with the strip; 0 when the panel carries none. */
  tree: number;
  width: number;
  height: number;
  /** Room above the plot, the same in a line of panels so that rows stand level: for the cut's handle, for sums. */
  above: number;
  /** Room below the plot for the names of columns, and their title if any panel needs one. */
  below: number;
  /** Width of the bars right of the row labels; 0 when the panel has none. */
  sums: number;
}

export const GAP = 12;
/** Padding and border of a panel, both sides together. */
export const FRAME = 30;
/** Room for row labels right of a plot. */
export const GUTTER = 34;
/** Room for column labels below a plot, and for a title under them. */
export const BELOW = 20;
export const TITLE = 15;
/** The cluster strip and the gaps beside it. */
export const STRIP = 22;
/** Room for the sums of rows right of a plot, and for those of columns above it. */
export const SUMS_BESIDE = 64;
export const SUMS_ABOVE = 44;
const HANDLE_ABOVE = 26;
const NOTHING_ABOVE = 8;

const SMALLEST = 240;
const LARGEST = 620;
/** A plot whose columns are not the units of its rows: pixels for each column within these, more beside sums. */
const PER_COLUMN = 6;
const NARROWEST = 120;
const NARROWEST_WITH_SUMS = 150;
const WIDEST_NEEDED = 320;
/** A plot of few columns is this much narrower than high, and so may one of more columns be where room is short. */
const NARROWED = 0.5;

/** Plots of one widget share one height, so that the eye can follow a row across panels. */
export function layoutPanels(width: number, shapes: readonly Shape[]): Box[] {
  let abreast = shapes.length;
  while (abreast > 1 && sideOf(width, shapes.slice(0, abreast)) < SMALLEST) abreast--;
  const first = shapes.slice(0, abreast);
  const side = Math.max(NARROWEST, Math.min(LARGEST, sideOf(width, first)));
  const below = BELOW + (shapes.some((shape) => shape.titled) ? TITLE : 0);
  return [first, ...packed(width, shapes.slice(abreast), side)].flatMap((line, i) =>
    placeLine(width, line, { side, below, tree: i === 0 ? treeOf(width, abreast) : 0 }),
  );
}

/** The more panels stand beside the tree, the less room it takes from them. */
function treeOf(width: number, abreast: number): number {
  return Math.round(Math.min(Math.max((0.3 * width) / Math.max(2, abreast), 84), 150)) + STRIP;
}

/** Plots of other columns are narrowed before panels leave the line, and with it the rows that stand level. */
function sideOf(width: number, line: readonly Shape[]): number {
  const room = width - treeOf(width, line.length) - fixed(line);
  return Math.max(largestSide(room, line), Math.min(SMALLEST, largestSide(room, line, NARROWED)));
}

/** What a line needs besides its plots and its tree. */
function fixed(line: readonly Shape[]): number {
  const sums = line.filter((shape) => shape.sums).length * SUMS_BESIDE;
  return line.length * (FRAME + GUTTER) + (line.length - 1) * GAP + sums;
}

/** Width of a plot `side` high: cells near to square, but never so narrow that nothing can be read. */
function plotWidth(shape: Shape, side: number, most = 1): number {
  if (shape.square) return side;
  const share = Math.min(most, Math.max(NARROWED, shape.columns / Math.max(1, shape.rows)));
  const narrowest = shape.sums ? NARROWEST_WITH_SUMS : NARROWEST;
  return Math.max(Math.min(WIDEST_NEEDED, PER_COLUMN * shape.columns), narrowest, Math.floor(share * side));
}

/** The largest side whose plots fit into `room` together; others are at most `most` times as wide as high. */
function largestSide(room: number, line: readonly Shape[], most = 1): number {
  const total = (side: number) => line.reduce((sum, shape) => sum + plotWidth(shape, side, most), 0);
  let side = Math.max(0, Math.floor(2 * room));
  while (side > 0 && total(side) > room) side--;
  return side;
}

/** The panels behind the first line, as many in a line as fit at their narrowest. */
function packed(width: number, shapes: readonly Shape[], side: number): Shape[][] {
  const lines: Shape[][] = [];
  const least = (line: readonly Shape[]) =>
    line.reduce((sum, shape) => sum + plotWidth(shape, shape.square ? side : 0), fixed(line));
  for (const shape of shapes) {
    const open = lines[lines.length - 1];
    if (open && least([...open, shape]) <= width) open.push(shape);
    else lines.push([shape]);
  }
  return lines;
}

interface Line {
  side: number;
  below: number;
  tree: number;
}

/** Fills one line: plots of other columns share what squares leave; where there is none, the tree gets it. */
function placeLine(width: number, line: readonly Shape[], { side, below, tree }: Line): Box[] {
  const others = line.filter((shape) => !shape.square);
  const room = width - tree - fixed(line) - (line.length - others.length) * side;
  const widths = sharedWidths(room, line, side);
  const spare = Math.max(0, width - tree - fixed(line) - widths.reduce((sum, plot) => sum + plot, 0));
  const wider = others.length === 0 && tree > 0 ? Math.min(spare, Math.max(0, 340 - tree)) : 0;
  const last = line.length - 1;
  const above = line.some((shape) => shape.sums) ? SUMS_ABOVE : tree > 0 ? HANDLE_ABOVE : NOTHING_ABOVE;
  return line.map((shape, i) => {
    const left = i === 0 && tree > 0 ? tree + wider : 0;
    // Rounding leaves a few pixels; the last panel takes them, so that lines end at the same edge.
    const plot = widths[i] + (i === last && !shape.square ? spare : 0);
    const sums = shape.sums ? SUMS_BESIDE : 0;
    const blank = i === last && shape.square ? spare - wider : 0;
    const panel = left + plot + FRAME + GUTTER + sums + blank;
    return { panel, tree: left, width: plot, height: side, above, below, sums };
  });
}

function sharedWidths(room: number, line: readonly Shape[], side: number): number[] {
  const others = line.filter((shape) => !shape.square);
  // Alone in its line, a plot takes all there is, also where that is less than it would need.
  if (line.length === 1 && others.length === 1) return [Math.max(NARROWEST, room)];
  const own = largestSide(Math.max(0, room), others);
  return line.map((shape) => (shape.square ? side : plotWidth(shape, own)));
}
