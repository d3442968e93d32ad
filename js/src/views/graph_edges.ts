// What both ways of drawing edges share: the picture they are given, and how strength becomes width and ink.

import { NEGATIVE_INFINITY, NOT_A_NUMBER, POSITIVE_INFINITY, STEPS } from "../core/codes.ts";
import { type Course, curveY } from "../core/graph_curve.ts";
import type { Camera } from "../core/graph_layout.ts";

/** Edges of one bundle in one go: they share their course. */
export interface EdgeRun {
  course: Course;
  first: number;
  count: number;
}

export interface EdgePicture {
  /** Size in CSS pixels. */
  width: number;
  height: number;
  ratio: number;
  camera: Camera;
  edges: EdgeNumbers;
  runs: readonly EdgeRun[];
  /** The diverging colours, three bytes each. */
  table: Uint8Array;
  /** Colours of the six marks. */
  marks: readonly string[];
  ink: EdgeInk;
}

/** The edges in the order of the runs, of the same ones always the same object. */
export interface EdgeNumbers {
  readonly count: number;
  /** Three numbers an edge: y of its ends before the camera, and its signed strength within ±1 or one of NOT_FINITE. */
  write(out: Float32Array, first: number, count: number): void;
}

export interface EdgeInk {
  /** Width in CSS pixels, and opacity, of the weakest and of the strongest edge. */
  widths: [number, number];
  opacities: [number, number];
  /** Opacity and colour grow with strength to this power. */
  gamma: number;
  /** Straight pieces of each curve, but for the strongest, which are always smooth. */
  segments: number;
}

/** Pieces of a curve that looks round, and how many edges of a bundle always have so many. */
export const SMOOTH = 24;
export const SMOOTH_EDGES = 1500;

/** What stands for a strength that is no number: beyond ±1, and no NaN, of which shaders promise nothing. */
export const NOT_FINITE = { minus: -2, nan: 2, plus: 3 };
/** Their marks among the six, in the order -∞, NaN, +∞. */
export const MARKED = [NEGATIVE_INFINITY, NOT_A_NUMBER, POSITIVE_INFINITY].map((code) => code - STEPS - 1);

export function strengthOf(value: number, largest: number): number {
  if (Number.isNaN(value)) return NOT_FINITE.nan;
  if (!Number.isFinite(value)) return value > 0 ? NOT_FINITE.plus : NOT_FINITE.minus;
  return largest > 0 ? value / largest : 0;
}

/** The more edges, the thinner and the paler, so that what is strong still stands out. */
export function inkFor(count: number): EdgeInk {
  const crowd = Math.min(1, Math.max(0, Math.log10(Math.max(1, count) / 400) / 2.4));
  const mix = (few: number, many: number) => few + (many - few) * crowd;
  return {
    widths: [mix(0.7, 0.5), mix(2.6, 1.6)],
    opacities: [0.2 * 0.17 ** crowd, mix(0.95, 0.75)],
    gamma: mix(1.1, 1.4),
    segments: Math.max(6, Math.min(SMOOTH, Math.round(240_000 / Math.max(1, count)))),
  };
}

/**
 * Where in a half of the table the weakest and the strongest edge have their colours. In the middle is the colour of the
 * paper, at the ends of some tables nearly black: between them a thin line is seen, and its hue as well.
 */
export const SHADES = [0.4, 0.86] as const;

/** How an edge of a strength within ±1 is drawn; the shader says the same. `code` is its place in the table. */
export interface EdgeLook {
  width: number;
  opacity: number;
  code: number;
}

export function lookOf(strength: number, table: ArrayLike<number>, ink: EdgeInk): EdgeLook {
  const { widths, opacities, gamma } = ink;
  const size = Math.abs(strength);
  const share = size ** gamma;
  const shade = SHADES[0] + (SHADES[1] - SHADES[0]) * share;
  return {
    width: widths[0] + (widths[1] - widths[0]) * size,
    opacity: opacities[0] + (opacities[1] - opacities[0]) * share,
    code: Math.round((table.length / 3 - 1) * (0.5 + 0.5 * Math.sign(strength) * shade)),
  };
}

export function colorOf(table: ArrayLike<number>, strength: number, ink: EdgeInk): string {
  const { code } = lookOf(strength, table, ink);
  return `rgb(${table[3 * code]} ${table[3 * code + 1]} ${table[3 * code + 2]})`;
}

/** What is no number is dashed, in the colour of its mark; dashes in CSS pixels along x. */
export const MARKED_LOOK: EdgeLook = { width: 1.4, opacity: 0.95, code: -1 };
export const DASH = { every: 9, ink: 5.4 };

/** Which of the six marks stands for a strength; -1 for a number. */
export function markOf(strength: number): number {
  if (Math.abs(strength) <= 1) return -1;
  return MARKED[[NOT_FINITE.minus, NOT_FINITE.nan, NOT_FINITE.plus].indexOf(strength)];
}

/** Adds the curve of one edge; heights are in pixels of the screen. Between neighbours it is exactly this cubic. */
export function traceEdge(path: Path2D, { x0, x1, gaps, lane }: Course, y0: number, y1: number): void {
  path.moveTo(x0, y0);
  if (gaps === 1) {
    const third = (x1 - x0) / 3;
    path.bezierCurveTo(x0 + third, y0, x1 - third, y1, x1, y1);
    return;
  }
  const pieces = SMOOTH * gaps;
  for (let k = 1; k <= pieces; k++)
    path.lineTo(x0 + ((x1 - x0) * k) / pieces, curveY(k / pieces, y0, y1, gaps, lane));
}
