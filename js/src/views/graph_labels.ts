// The names of units beside them, on paper of their own: an edge that ran into a number would read as its minus sign.

import type { Palette } from "../core/palette.ts";
import type { GraphColors } from "./graph_colors.ts";
import { type Column, columnAt, yOf } from "./graph_nodes.ts";
import type { GraphScene } from "./graph_scene.ts";

/** Units at least this far apart have room for their names. */
const LABEL_FITS = 11;
/** Between a mark and its label, between a mark and the paper of its label, and from the label to the paper's end. */
const GAP = 8;
const CLEAR = 1;
const PAD = 3;

export function paintLabels(context: CanvasRenderingContext2D, scene: GraphScene, colors: GraphColors): void {
  scene.graph?.columns.forEach((_, index) => {
    const column = columnAt(scene, index, colors);
    if (column.x >= -80 && column.x <= scene.width + 80) paintColumn(context, scene, column, colors.palette);
  });
}

/** Names of classes always, where there is room; numbers of units only where a reader has come close. */
function paintColumn(
  context: CanvasRenderingContext2D,
  scene: GraphScene,
  column: Column,
  palette: Palette,
): void {
  const { labels, order, values, units } = column.column;
  if (column.pitch < LABEL_FITS || (!labels && scene.fitted)) return;
  const left = column.index === 0;
  const gap = (column.mark.tile > 0 ? column.mark.tile / 2 : column.mark.radius) + GAP;
  const sample = values.subarray(scene.at * units, (scene.at + 1) * units);
  const largest = labels ? sample.reduce((best, value, unit) => (value > sample[best] ? unit : best), 0) : -1;
  const size = labels ? 12 : 10;
  context.textBaseline = "middle";
  context.textAlign = left ? "right" : "left";
  for (let place = column.first; place < column.end; place++) {
    const unit = order[place];
    const [x, y] = [column.x + (left ? -gap : gap), yOf(column, place)];
    const text = labels ? labels[unit] : String(unit);
    context.font = `${unit === largest ? "700 " : ""}${size}px ${palette.font}`;
    const width = context.measureText?.(text)?.width ?? 0;
    context.fillStyle = palette.paper;
    context.globalAlpha = 0.92;
    // From the mark on: what is left of an edge before a number would look like its sign.
    const paper = width + GAP - CLEAR + PAD;
    context.fillRect(left ? x - width - PAD : x - GAP + CLEAR, y - size / 2 - 1, paper, size + 2);
    context.globalAlpha = 1;
    context.fillStyle = unit === largest ? palette.ink : palette.muted;
    context.fillText(text, x, y + 0.5);
  }
}
