// One byte a cell. Codes 0..249 are linear over [low, high]; six codes mark what no colour can show.

export const STEPS = 249;
export const BELOW = 250;
export const ABOVE = 251;
export const NEGATIVE_INFINITY = 252;
export const POSITIVE_INFINITY = 253;
export const NOT_A_NUMBER = 254;
export const MASKED = 255;

/** What the legend calls the six marks and the glyph drawn in a large cell, in the order of their codes. */
export const MARKS: readonly { code: number; label: string; glyph: string }[] = [
  { code: BELOW, label: "below the scale", glyph: "▾" },
  { code: ABOVE, label: "above the scale", glyph: "▴" },
  { code: NEGATIVE_INFINITY, label: "−∞", glyph: "−∞" },
  { code: POSITIVE_INFINITY, label: "+∞", glyph: "+∞" },
  { code: NOT_A_NUMBER, label: "not defined", glyph: "×" },
  { code: MASKED, label: "masked", glyph: "·" },
];

export interface Scale {
  low: number;
  high: number;
  diverging: boolean;
}

export function encodeValue(value: number, { low, high, diverging }: Scale): number {
  if (Number.isNaN(value)) return NOT_A_NUMBER;
  if (value < low) return value === -Infinity ? NEGATIVE_INFINITY : BELOW;
  if (value > high) return value === Infinity ? POSITIVE_INFINITY : ABOVE;
  // A scale of no width has one colour: the middle of a diverging map, the start of a sequential one.
  if (high === low) return diverging ? 125 : 0;
  return Math.round(((value - low) / (high - low)) * STEPS);
}

export function encode(values: ArrayLike<number>, scale: Scale): Uint8Array {
  const codes = new Uint8Array(values.length);
  for (let i = 0; i < codes.length; i++) codes[i] = encodeValue(values[i], scale);
  return codes;
}

/** The value in the middle of a code's step; a mark gives the infinity or NaN it stands for. */
export function decodeCode(code: number, { low, high }: Scale): number {
  if (code <= STEPS) return low + ((high - low) * code) / STEPS;
  if (code === NEGATIVE_INFINITY) return -Infinity;
  if (code === POSITIVE_INFINITY) return Infinity;
  return Number.NaN;
}

/** How often each of the six marks occurs, in the order of MARKS. */
export function countMarks(codes: Uint8Array): number[] {
  const counts = new Array<number>(MARKS.length).fill(0);
  for (let i = 0; i < codes.length; i++) if (codes[i] > STEPS) counts[codes[i] - BELOW]++;
  return counts;
}
