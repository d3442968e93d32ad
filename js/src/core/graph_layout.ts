// Where columns and units stand, how large a unit is drawn, and the camera that looks at them.

import { plural } from "./format.ts";
import type { Graph, GraphColumn } from "./graph_content.ts";
import type { Course } from "./graph_curve.ts";

/** How a unit is drawn, in pixels of the screen. */
export interface Mark {
  /** Of a dot. */
  radius: number;
  /** Side of a tile; 0 where units are dots, −1 where they are too close and the column is a strip. */
  tile: number;
}

/** In pixels before the camera; `x`, `pitch`, `radius`, `tile` and `heads` have one entry a column. */
export interface GraphLayout {
  width: number;
  height: number;
  x: Float64Array;
  /** Between neighbouring columns. */
  spacing: number;
  /** The stretch that units share. */
  top: number;
  bottom: number;
  /** The height at which skips pass the columns between. */
  lane: number;
  /** From unit to unit. */
  pitch: number[];
  /** As drawn before any zoom. */
  radius: number[];
  tile: number[];
  /** In which row, from the top, a head stands, and how wide it may be. */
  heads: { row: number; width: number }[];
}

/** Two lines: the name, and under it what the layers are. */
export const HEAD_HEIGHT = 30;
export const STRIP_WIDTH = 8;
/** Labels wider than this are cut short. */
export const LABEL_WIDTH = 120;
/** Between a mark and the edges that begin or end there. */
const CLEAR = 2;
const MARGIN = 28;
const UNDER_HEADS = 8;
/** Room above the units for edges that pass columns, and below them for the largest value of each bundle. */
const SKIPS = 28;
const BELOW = 24;
const MOST_ROWS_OF_HEADS = 3;
const BETWEEN_HEADS = 12;
const LETTER = 7;
/** Of a head's first line, which is bold and larger. */
const BOLD_LETTER = 8.5;
/** Closer than this, units melt into a strip; from this on feature maps can be told apart. */
const CLOSEST = 3;
const SMALLEST_TILE_PITCH = 10;
const LARGEST_TILE = 64;
const LARGEST_DOT = 7;
/** Zooming ends where the closest units stand this far apart. */
const FAR_APART = 24;

export function layoutGraph(graph: Graph, width: number, height: number): GraphLayout {
  const { columns } = graph;
  const left = marginOf(columns[0]);
  const right = width - marginOf(columns.length > 1 ? columns[columns.length - 1] : undefined);
  const spacing = (right - left) / Math.max(1, columns.length - 1);
  const x = Float64Array.from(columns, (_, c) =>
    columns.length > 1 ? left + c * spacing : (left + right) / 2,
  );
  const heads = layoutHeads(columns, x, width, height);
  const rows = heads.reduce((most, head) => Math.max(most, head.row + 1), 1);
  const skips = graph.bundles.some((bundle) => bundle.target - bundle.source > 1) ? SKIPS : 0;
  const lane = rows * HEAD_HEIGHT + UNDER_HEADS;
  const top = lane + skips;
  const bottom = Math.max(top + 1, height - BELOW);
  const pitch = columns.map(({ units }) => (bottom - top) / Math.max(1, units));
  const marks = columns.map((column, c) => markOf(column, pitch[c], spacing, 1));
  return {
    width,
    height,
    x,
    spacing,
    top,
    bottom,
    lane,
    pitch,
    radius: marks.map((mark) => mark.radius),
    tile: marks.map((mark) => mark.tile),
    heads,
  };
}

/** What an outer column needs: half a tile, and labels, which stand left of the first one and right of the last one. */
function marginOf(column: GraphColumn | undefined): number {
  const widest = (column?.labels ?? []).reduce((most, label) => Math.max(most, LETTER * label.length), 0);
  return (column?.maps ? LARGEST_TILE / 2 + 2 * CLEAR : MARGIN) + Math.min(LABEL_WIDTH, widest);
}

/** The two lines of a head: "1" and "Linear, Sigmoid · 32". */
export function headLines({ name, layer, kind, units }: GraphColumn): [string, string] {
  return [layer ?? name, [kind, plural(units, "unit")].filter((part) => part !== "").join(" · ")];
}

/** Heads that are too wide to stand side by side take turns in several rows. */
function layoutHeads(columns: GraphColumn[], x: Float64Array, width: number, height: number) {
  const spacing = x.length > 1 ? x[1] - x[0] : width;
  const wanted = columns.map((column) => {
    const [name, what] = headLines(column);
    return Math.max(BOLD_LETTER * name.length, LETTER * what.length);
  });
  const most = Math.min(MOST_ROWS_OF_HEADS, Math.floor(height / 3 / HEAD_HEIGHT));
  const rows = Math.max(1, Math.min(most, Math.ceil((Math.max(0, ...wanted) + BETWEEN_HEADS) / spacing)));
  const half = (rows * spacing - BETWEEN_HEADS) / 2;
  return wanted.map((own, c) => {
    // Near an edge a head is pushed inwards, and must not reach its neighbour then.
    const outwards = Math.min(half, x[c], width - x[c]);
    return { row: c % rows, width: Math.min(own, half + outwards) };
  });
}

function markOf(column: GraphColumn, pitch: number, spacing: number, scale: number): Mark {
  const radius = Math.min(LARGEST_DOT * Math.sqrt(Math.min(4, scale)), Math.max(1.2, 0.45 * pitch));
  if (pitch < CLOSEST) return { radius, tile: -1 };
  const side = Math.min(0.9 * pitch, 0.4 * spacing, LARGEST_TILE * scale);
  return { radius, tile: column.maps && pitch >= SMALLEST_TILE_PITCH ? side : 0 };
}

/** How the units of a column are drawn at a zoom. */
export function markAt(graph: Graph, layout: GraphLayout, column: number, scale: number): Mark {
  return markOf(graph.columns[column], layout.pitch[column] * scale, layout.spacing * scale, scale);
}

/** Half the width of a mark. */
export function halfWidth({ radius, tile }: Mark): number {
  if (tile === 0) return radius;
  return tile < 0 ? STRIP_WIDTH / 2 : tile / 2;
}

/** The middle of the unit, before the camera. */
export function nodeY(layout: GraphLayout, graph: Graph, column: number, unit: number): number {
  return layout.top + (graph.columns[column].placeOf[unit] + 0.5) * layout.pitch[column];
}

/** Where the edges of a bundle run on the screen: from mark to mark. */
export function courseOf(graph: Graph, layout: GraphLayout, camera: Camera, bundle: number): Course {
  const { source, target } = graph.bundles[bundle];
  const { scale, dx, dy } = camera;
  const clear = (column: number) => halfWidth(markAt(graph, layout, column, scale)) + CLEAR;
  const x0 = scale * layout.x[source] + dx + clear(source);
  const x1 = scale * layout.x[target] + dx - clear(target);
  return { x0, x1: Math.max(x0 + 1, x1), gaps: target - source, lane: scale * layout.lane + dy };
}

/** Screen = scale × layout + (dx, dy). */
export interface Camera {
  scale: number;
  dx: number;
  dy: number;
}

export interface Point {
  x: number;
  y: number;
}

/** Everything, as it was laid out. */
export function wholeView(): Camera {
  return { scale: 1, dx: 0, dy: 0 };
}

export function toScreen({ scale, dx, dy }: Camera, { x, y }: Point): Point {
  return { x: scale * x + dx, y: scale * y + dy };
}

export function toWorld({ scale, dx, dy }: Camera, { x, y }: Point): Point {
  return { x: (x - dx) / scale, y: (y - dy) / scale };
}

/** Zooms by `factor` (> 1 is closer) and keeps what is at a point of the screen where it is. */
export function zoomAt(layout: GraphLayout, camera: Camera, { x, y }: Point, factor: number): Camera {
  const scale = Math.min(Math.max(1, camera.scale * factor), closest(layout));
  const grown = scale / camera.scale;
  return clamp(layout, { scale, dx: x - grown * (x - camera.dx), dy: y - grown * (y - camera.dy) });
}

export function pan(layout: GraphLayout, camera: Camera, x: number, y: number): Camera {
  return clamp(layout, { ...camera, dx: camera.dx + x, dy: camera.dy + y });
}

/** No farther than everything, no closer than is of use, and never beyond the edges. */
export function clamp(layout: GraphLayout, camera: Camera): Camera {
  const scale = Math.min(Math.max(1, camera.scale), closest(layout));
  const inside = (at: number, side: number) => Math.min(0, Math.max(at, side * (1 - scale)));
  return { scale, dx: inside(camera.dx, layout.width), dy: inside(camera.dy, layout.height) };
}

function closest(layout: GraphLayout): number {
  return Math.max(8, ...layout.pitch.map((pitch) => FAR_APART / pitch));
}

/** The middle of a head on the screen: above its column, but not over the edge while the column can be seen. */
export function headX(layout: GraphLayout, camera: Camera, column: number): number {
  const x = camera.scale * layout.x[column] + camera.dx;
  if (x < 0 || x > layout.width) return x;
  const half = layout.heads[column].width / 2;
  return Math.min(Math.max(x, half), Math.max(half, layout.width - half));
}
