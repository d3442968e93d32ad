// What stands under a position: a unit, an edge, or the units inside a brush.

import { type Edge, edgeFrom, edgeTo, type Graph, type Node } from "./graph_content.ts";
import { type Course, curveY } from "./graph_curve.ts";
import {
  type Camera,
  courseOf,
  type GraphLayout,
  halfWidth,
  type Mark,
  markAt,
  nodeY,
  toWorld,
} from "./graph_layout.ts";
import type { Drawn } from "./graph_strength.ts";
import type { Stretch } from "./hit.ts";

/** A small mark is hit when the pointer is this close to its edge. */
const NEAR = 3;
/** Edges closer than this are all under the pointer: of them the strongest is meant. */
const UNDER = 1;
/** The slope of an edge is measured this far to both sides. */
const STEP = 0.5;

/** Positions are in pixels of the screen. */
export function nodeAt(graph: Graph, layout: GraphLayout, camera: Camera, x: number, y: number): Node | null {
  const world = toWorld(camera, { x, y });
  const column = nearestColumn(layout, world.x);
  if (column < 0) return null;
  const mark = markAt(graph, layout, column, camera.scale);
  const beside = camera.scale * Math.abs(world.x - layout.x[column]);
  const place = Math.floor((world.y - layout.top) / layout.pitch[column]);
  if (beside > halfWidth(mark) + NEAR || place < 0 || place >= graph.columns[column].units) return null;
  const above = world.y - (layout.top + (place + 0.5) * layout.pitch[column]);
  if (camera.scale * Math.abs(above) > halfHeight(mark) + NEAR) return null;
  return { column, unit: graph.columns[column].order[place] };
}

/** In a strip there is nothing between units. */
function halfHeight({ radius, tile }: Mark): number {
  if (tile < 0) return Infinity;
  return tile > 0 ? tile / 2 : radius;
}

function nearestColumn(layout: GraphLayout, x: number): number {
  let nearest = -1;
  layout.x.forEach((own, column) => {
    if (nearest < 0 || Math.abs(own - x) < Math.abs(layout.x[nearest] - x)) nearest = column;
  });
  return nearest;
}

/** The units whose middle is inside a brush, column by column, from the top. */
export function nodesUnder(graph: Graph, layout: GraphLayout, camera: Camera, brush: Stretch): Node[] {
  const a = toWorld(camera, { x: brush.x0, y: brush.y0 });
  const b = toWorld(camera, { x: brush.x1, y: brush.y1 });
  const inside = (value: number, one: number, other: number) =>
    value >= Math.min(one, other) && value <= Math.max(one, other);
  return graph.columns.flatMap(({ order }, column) =>
    inside(layout.x[column], a.x, b.x)
      ? Array.from(order)
          .filter((_, place) => inside(layout.top + (place + 0.5) * layout.pitch[column], a.y, b.y))
          .map((unit) => ({ column, unit }))
      : [],
  );
}

/** The drawn edge nearest to a position, if it is within `reach` pixels. */
export function edgeAt(
  graph: Graph,
  layout: GraphLayout,
  camera: Camera,
  drawn: Drawn,
  x: number,
  y: number,
  reach: number,
): Edge | null {
  let best = reach;
  let found: Edge | null = null;
  // From what was painted last to what was painted first, so that of edges just as near the upper one is taken.
  for (let bundle = drawn.edges.length - 1; bundle >= 0; bundle--) {
    const course = courseOf(graph, layout, camera, bundle);
    if (x < course.x0 || x > course.x1) continue;
    const edges = endsOf(graph, layout, bundle, drawn.edges[bundle]);
    const hit = nearestOf(edges, course, camera, x, y);
    if (hit.distance > best || (found && hit.distance === best)) continue;
    best = hit.distance;
    found = { bundle, edge: drawn.edges[bundle][hit.index] };
  }
  return found;
}

/** The heights, before the camera, that drawn edges begin and end at. */
interface Ends {
  layout: GraphLayout;
  y0: Float32Array;
  y1: Float32Array;
}

/** Kept with the list of drawn edges: to look up 100,000 of them takes longer than to find the nearest. */
const ENDS = new WeakMap<Int32Array, Ends>();

function endsOf(graph: Graph, layout: GraphLayout, b: number, edges: Int32Array): Ends {
  const kept = ENDS.get(edges);
  if (kept?.layout === layout) return kept;
  const bundle = graph.bundles[b];
  const ends = { layout, y0: new Float32Array(edges.length), y1: new Float32Array(edges.length) };
  for (let i = 0; i < edges.length; i++) {
    ends.y0[i] = nodeY(layout, graph, bundle.source, edgeFrom(bundle, edges[i]));
    ends.y1[i] = nodeY(layout, graph, bundle.target, edgeTo(bundle, edges[i]));
  }
  ENDS.set(edges, ends);
  return ends;
}

/** The strongest of the edges that are nearest: −1 and infinity where there are none. */
function nearestOf({ y0, y1 }: Ends, course: Course, { scale, dy }: Camera, x: number, y: number) {
  const height = heightAt(course, x);
  const left = heightAt(course, x - STEP);
  const right = heightAt(course, x + STEP);
  let index = -1;
  let distance = Infinity;
  for (let i = y0.length - 1; i >= 0; i--) {
    const start = scale * y0[i] + dy;
    const end = scale * y1[i] + dy;
    const off = height.a * start + height.b * end + height.c - y;
    const rise = (right.a - left.a) * start + (right.b - left.b) * end + right.c - left.c;
    const slope = rise / (2 * STEP);
    // A steep line is nearer than the way straight up to it.
    const own = Math.max(UNDER, Math.abs(off) / Math.sqrt(1 + slope * slope));
    if (own < distance) {
      distance = own;
      index = i;
    }
  }
  return { index, distance };
}

/** At one x the height of any edge is a y0 + b y1 + c, so that no edge has to be traced. */
function heightAt({ x0, x1, gaps, lane }: Course, x: number): { a: number; b: number; c: number } {
  const t = Math.min(1, Math.max(0, (x - x0) / (x1 - x0)));
  const c = curveY(t, 0, 0, gaps, lane);
  return { a: curveY(t, 1, 0, gaps, lane) - c, b: curveY(t, 0, 1, gaps, lane) - c, c };
}
