// The graph as it is seen, with its words, on one canvas: canvases are copied, words and bars of colours drawn again.

import type { Graph } from "../core/graph_content.ts";
import { context2d, make } from "./dom.ts";
import { pngOf, save } from "./download.ts";
import type { GraphScene } from "./graph_scene.ts";
import { type Line, lineCutBy, writeText } from "./picture_text.ts";

/** Pixels of the picture to one of the page: sharp in print. */
const RATIO = 2;
/** Round the picture, and between its parts. */
const MARGIN = 16;
const BETWEEN = 10;
/** What is for hands, not for eyes. */
const LEFT_OUT = ".nbw-zoom, .nbw-graph-card, .nbw-graph-tip, .nbw-wheel-hint, .nbw-graph-busy";

/** `parts`: what the picture shows, from the top. `sharpen` paints canvases at so many pixels to one of the page. */
export async function downloadPicture(
  parts: readonly HTMLElement[],
  scene: GraphScene,
  paper: string,
  sharpen: (ratio: number) => void,
): Promise<void> {
  if (!scene.graph) return;
  // What the pointer was at on its way to the button is painted away first.
  await new Promise((done) => requestAnimationFrame(done));
  // A saved page bears the name of the model.
  const of = document.getElementById("nbw-state") ? document.title : "";
  sharpen(RATIO);
  save(await pngOf(drawParts(parts, paper)), `${pictureName(scene.graph, scene, of)}.png`);
}

/** Parts of a view one below the other; those that are hidden or empty leave no gap. */
function drawParts(parts: readonly HTMLElement[], paper: string): HTMLCanvasElement {
  const shown = parts.filter((part) => part.offsetHeight > 0 && part.childElementCount > 0);
  const width = Math.max(0, ...shown.map((part) => part.offsetWidth)) + 2 * MARGIN;
  const height = shown.reduce((sum, part) => sum + part.offsetHeight + BETWEEN, 2 * MARGIN - BETWEEN);
  const canvas = make("canvas");
  canvas.width = Math.round(RATIO * width);
  canvas.height = Math.round(RATIO * height);
  const context = context2d(canvas);
  context.scale(RATIO, RATIO);
  context.fillStyle = paper;
  context.fillRect(0, 0, width, height);
  let top = MARGIN;
  for (const part of shown) {
    const box = part.getBoundingClientRect();
    context.save();
    context.translate(MARGIN - box.left, top - box.top);
    draw(context, part);
    context.restore();
    top += part.offsetHeight + BETWEEN;
  }
  return canvas;
}

/** Draws an element and what is in it; `line`: the one that it is part of, if that is cut. */
export function draw(context: CanvasRenderingContext2D, node: HTMLElement, line: Line | null = null): void {
  const style = getComputedStyle(node);
  const box = node.getBoundingClientRect();
  if (node.matches(LEFT_OUT) || style.visibility === "hidden" || box.width === 0 || box.height === 0) return;
  context.save();
  context.globalAlpha *= Number(style.opacity);
  fillBackground(context, style, box);
  if (style.overflowX !== "visible") {
    context.beginPath();
    context.rect(box.left, box.top, box.width, box.height);
    context.clip();
  }
  if (node instanceof HTMLCanvasElement) context.drawImage(node, box.left, box.top, box.width, box.height);
  const own = lineCutBy(node, style, box) ?? line;
  for (const child of node.childNodes) {
    if (child instanceof HTMLElement) draw(context, child, own);
    else if (child instanceof Text) writeText(context, child, style, own);
  }
  context.restore();
}

/** A plain colour, or a gradient from left to right, which is all that bars of colours are. */
function fillBackground(context: CanvasRenderingContext2D, style: CSSStyleDeclaration, box: DOMRect): void {
  const stops = style.backgroundImage.match(/rgba?\([^)]*\)/g);
  context.fillStyle = style.backgroundColor;
  if (stops && stops.length > 1) {
    const gradient = context.createLinearGradient(box.left, 0, box.right, 0);
    for (const [k, stop] of stops.entries()) gradient.addColorStop(k / (stops.length - 1), stop);
    context.fillStyle = gradient;
  }
  context.fillRect(box.left, box.top, box.width, box.height);
}

/** What a picture is of, as the name of a file: "Sequential-Edges-contribution-sample_0-1_4". */
export function pictureName(graph: Graph, { quantity, at, layer, names }: GraphScene, of: string): string {
  const whom = names.length === 1 ? names[0] : names.length > 1 ? `${names.length} units` : layer;
  const parts = [of === graph.title ? "" : of, graph.title, quantity, graph.samples[at] ?? "", whom];
  const plain = parts.map((part) => part.replace(/[^\p{L}\p{N}.]+/gu, "_").replace(/^_+|_+$/g, ""));
  return plain.filter((part) => part !== "").join("-");
}
