// A canvas as wide and high as what is painted on it next, empty, and measured in CSS pixels.

import { context2d, screenRatio, sizeCanvas } from "./dom.ts";

/** `byProcessor`: as in `context2d`; `pixels`: of the canvas to one of the page. */
export function freshCanvas(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  byProcessor = false,
  pixels = screenRatio(),
): CanvasRenderingContext2D {
  const ratio = sizeCanvas(canvas, width, height, pixels);
  const context = context2d(canvas, byProcessor);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
