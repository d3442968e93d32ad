// The line that an edge is drawn as: shader, canvas and hit test draw and find the same one.

/** Where the edges of a bundle run, in pixels of the screen. */
export interface Course {
  x0: number;
  x1: number;
  /** How many gaps between columns they cross: those that cross more than one arc past the columns between. */
  gaps: number;
  /** The height at which they pass them. */
  lane: number;
}

/** Edges that pass columns go this far into the lane: what is left of their own heights keeps them apart. */
const INTO_LANE = 0.94;

export function smooth(t: number): number {
  return t * t * (3 - 2 * t);
}

/** 0 between neighbours; otherwise it rises within the first gap, stays, and falls within the last one. */
function laneShare(t: number, gaps: number): number {
  return gaps > 1 ? INTO_LANE * smooth(Math.min(1, gaps * Math.min(t, 1 - t))) : 0;
}

/** The height of an edge from y0 to y1 at the share `t` (0..1) of the way from x0 to x1. */
export function curveY(t: number, y0: number, y1: number, gaps: number, lane: number): number {
  const direct = y0 + (y1 - y0) * smooth(t);
  return direct + (lane - direct) * laneShare(t, gaps);
}

/** `curveY` for a vertex shader. */
export const CURVE_GLSL = `
float smoothly(float t) {
  return t * t * (3.0 - 2.0 * t);
}
float laneShare(float t, float gaps) {
  return gaps > 1.0 ? ${INTO_LANE} * smoothly(min(1.0, gaps * min(t, 1.0 - t))) : 0.0;
}
float curveY(float t, float y0, float y1, float gaps, float lane) {
  float direct = y0 + (y1 - y0) * smoothly(t);
  return direct + (lane - direct) * laneShare(t, gaps);
}
`;
