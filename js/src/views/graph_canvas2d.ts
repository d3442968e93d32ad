// The same edges without WebGL, in slices: a caller with little time can stop after each one and go on later.

import type { Course } from "../core/graph_curve.ts";
import {
  colorOf,
  type EdgePicture,
  MARKED,
  NOT_FINITE,
  opacityOf,
  traceEdge,
  widthOf,
} from "./graph_edges.ts";

/** Edges of one slice, and of one stroke, are of about the same strength: one stroke for many costs far less. */
const SLICE = 1000;
const SHADES = 24;

export function* paintSlices(context: CanvasRenderingContext2D, picture: EdgePicture): Generator<void> {
  const { ratio } = picture;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, picture.width, picture.height);
  for (const { course, first, count } of picture.runs) {
    for (let from = first; from < first + count; from += SLICE) {
      paintSlice(context, picture, course, from, Math.min(first + count, from + SLICE));
      // Strokes are only noted down and drawn when somebody looks.
      context.getImageData(0, 0, 1, 1);
      yield;
    }
  }
}

function paintSlice(
  context: CanvasRenderingContext2D,
  picture: EdgePicture,
  course: Course,
  from: number,
  to: number,
): void {
  const { camera, edges } = picture;
  const y = (height: number) => height * camera.scale + camera.dy;
  const paths = new Map<number, Path2D>();
  for (let i = 3 * from; i < 3 * to; i += 3) {
    const path = shadeOf(paths, edges[i + 2]);
    traceEdge(path, course, y(edges[i]), y(edges[i + 1]));
  }
  const weakestFirst = [...paths].sort(([a], [b]) => Math.abs(a) - Math.abs(b));
  for (const [shade, path] of weakestFirst) stroke(context, path, picture, shade / SHADES);
  context.globalAlpha = 1;
}

function stroke(
  context: CanvasRenderingContext2D,
  path: Path2D,
  { ink, table, marks }: EdgePicture,
  strength: number,
): void {
  if (Math.abs(strength) <= 1) {
    context.strokeStyle = colorOf(table, strength, ink);
    context.lineWidth = widthOf(strength, ink);
    context.globalAlpha = opacityOf(strength, ink);
    context.stroke(path);
    return;
  }
  // What is no number is dashed, in the colour of its mark.
  const mark = [NOT_FINITE.minus, NOT_FINITE.nan, NOT_FINITE.plus].indexOf(strength);
  context.strokeStyle = marks[MARKED[mark]];
  context.lineWidth = 1.4;
  context.globalAlpha = 0.95;
  context.setLineDash([5.4, 3.6]);
  context.stroke(path);
  context.setLineDash([]);
}

function shadeOf(paths: Map<number, Path2D>, strength: number): Path2D {
  const shade = Math.round(strength * SHADES);
  let path = paths.get(shade);
  if (!path) {
    path = new Path2D();
    paths.set(shade, path);
  }
  return path;
}
