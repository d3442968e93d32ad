// A canvas as wide and high as what is painted on it next, empty, and measured in CSS pixels.

import { context2d, sizeCanvas } from "./dom.ts";

/** `byProcessor`: as in `context2d`. */
export function freshCanvas(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  byProcessor = false,
): CanvasRenderingContext2D {
  const ratio = sizeCanvas(canvas, width, height);
  const context = context2d(canvas, byProcessor);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
