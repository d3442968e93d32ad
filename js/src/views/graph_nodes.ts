// The units: dots filled by their value, tiles that show a feature map, or one strip where they stand too close.

import type { GraphColumn } from "../core/graph_content.ts";
import { type Mark, markAt, STRIP_WIDTH } from "../core/graph_layout.ts";
import type { Palette } from "../core/palette.ts";
import { packColor } from "../core/raster.ts";
import { context2d, make } from "./dom.ts";
import { freshCanvas } from "./fresh_canvas.ts";
import { cssOf, type GraphColors, pixelOf } from "./graph_colors.ts";
import type { GraphScene } from "./graph_scene.ts";
import { TileSheets } from "./graph_tiles.ts";

export interface Column {
  column: GraphColumn;
  index: number;
  mark: Mark;
  /** The middle of the column, the middle of the place at the top, and the way to the next, on the screen. */
  x: number;
  y: number;
  pitch: number;
  /** First place in view, and one past the last. */
  first: number;
  end: number;
  value(unit: number): number;
  /** Packed pixel of each unit. */
  fill(unit: number): number;
}

export class NodesCanvas {
  readonly canvas = make("canvas", { class: "nbw-graph-nodes", "aria-hidden": "true" });
  private readonly sheets = new TileSheets();

  paint(scene: GraphScene, colors: GraphColors, ratio?: number): void {
    const { graph, layout } = scene;
    if (!graph || !layout) return;
    const context = freshCanvas(this.canvas, scene.width, scene.height, true, ratio);
    graph.columns.forEach((_, index) => {
      const column = columnAt(scene, index, colors);
      if (column.x < -80 || column.x > scene.width + 80) return;
      if (column.mark.tile < 0) paintStrip(context, column, colors.palette);
      else if (column.mark.tile > 0) this.paintTiles(context, scene, column, colors);
      else paintDots(context, column, colors.palette);
    });
  }

  private paintTiles(
    context: CanvasRenderingContext2D,
    scene: GraphScene,
    column: Column,
    colors: GraphColors,
  ): void {
    const { graph } = scene;
    const sheet = graph && this.sheets.of(graph, column.index, scene.at, colors);
    const { maps, order } = column.column;
    if (!sheet || !maps) return;
    const byCluster = scene.clusterColors(column.index, colors.palette.clusters.length);
    context.imageSmoothingEnabled = false;
    for (let place = column.first; place < column.end; place++) {
      const unit = order[place];
      const { left, top, width, height } = tileBox(maps, column.mark.tile, column.x, yOf(column, place));
      context.drawImage(
        sheet.canvas,
        ...sheet.corner(unit),
        maps.width,
        maps.height,
        left,
        top,
        width,
        height,
      );
      context.strokeStyle = byCluster ? cssOf(column.fill(unit)) : colors.palette.branch;
      context.lineWidth = byCluster ? 2 : 1;
      context.strokeRect(left - 0.5, top - 0.5, width + 1, height + 1);
    }
  }
}

/** Where a map stands, in whole pixels: with its own proportions, inside the square of its tile. */
export function tileBox(maps: { width: number; height: number }, side: number, x: number, y: number) {
  const longest = Math.max(maps.width, maps.height);
  const [width, height] = [maps.width, maps.height].map((cells) =>
    Math.max(1, Math.round((side * cells) / longest)),
  );
  return { left: Math.round(x - width / 2), top: Math.round(y - height / 2), width, height };
}

export function columnAt(scene: GraphScene, index: number, colors: GraphColors): Column {
  const { graph, layout, camera } = scene;
  if (!graph || !layout) throw new Error("there is no graph yet");
  const column = graph.columns[index];
  const pitch = layout.pitch[index] * camera.scale;
  const y = (layout.top + layout.pitch[index] / 2) * camera.scale + camera.dy;
  const placeAt = (at: number) => Math.floor((at - y) / pitch + 0.5);
  const sample = scene.at * column.units;
  const byCluster = scene.clusterColors(index, colors.palette.clusters.length);
  const { clusters, faint } = colors.palette;
  const value = (unit: number) => column.values[sample + unit];
  const fill = (unit: number) => {
    if (!byCluster) return pixelOf(colors, column, value(unit));
    const color = byCluster[unit] ?? -1;
    return packColor(color < 0 ? faint : clusters[color]);
  };
  return {
    column,
    index,
    mark: markAt(graph, layout, index, camera.scale),
    x: layout.x[index] * camera.scale + camera.dx,
    y,
    pitch,
    first: Math.max(0, placeAt(0) - 1),
    end: Math.min(column.units, placeAt(scene.height) + 2),
    value,
    fill,
  };
}

export function yOf({ y, pitch }: Column, place: number): number {
  return y + place * pitch;
}

function paintDots(context: CanvasRenderingContext2D, column: Column, palette: Palette): void {
  const { order } = column.column;
  const { radius } = column.mark;
  // Dots of one colour are one path: a thousand units are painted in a few strokes.
  const paths = new Map<number, Path2D>();
  const outline = new Path2D();
  for (let place = column.first; place < column.end; place++) {
    const pixel = column.fill(order[place]);
    let path = paths.get(pixel);
    if (!path) {
      path = new Path2D();
      paths.set(pixel, path);
    }
    for (const own of [path, outline]) {
      own.moveTo(column.x + radius, yOf(column, place));
      own.arc(column.x, yOf(column, place), radius, 0, 2 * Math.PI);
    }
  }
  for (const [pixel, path] of paths) {
    context.fillStyle = cssOf(pixel);
    context.fill(path);
  }
  context.strokeStyle = palette.branch;
  context.lineWidth = Math.min(1, 0.3 * radius);
  context.stroke(outline);
  paintCrosses(context, column, palette);
}

/** What is no number wears a cross, besides the colour of its mark. */
function paintCrosses(context: CanvasRenderingContext2D, column: Column, palette: Palette): void {
  const { radius } = column.mark;
  const { order } = column.column;
  if (radius < 3) return;
  const arm = radius * 0.5;
  context.strokeStyle = palette.ink;
  context.lineWidth = 1;
  context.beginPath();
  for (let place = column.first; place < column.end; place++) {
    if (Number.isFinite(column.value(order[place]))) continue;
    const y = yOf(column, place);
    context.moveTo(column.x - arm, y - arm);
    context.lineTo(column.x + arm, y + arm);
    context.moveTo(column.x + arm, y - arm);
    context.lineTo(column.x - arm, y + arm);
  }
  context.stroke();
}

function paintStrip(context: CanvasRenderingContext2D, column: Column, palette: Palette): void {
  const { order, units } = column.column;
  const strip = make("canvas");
  strip.width = 1;
  strip.height = units;
  const own = context2d(strip);
  const image = own.createImageData(1, units);
  const pixels = new Uint32Array(image.data.buffer);
  for (let place = 0; place < units; place++) pixels[place] = column.fill(order[place]);
  own.putImageData(image, 0, 0);
  const [left, top] = [Math.round(column.x - STRIP_WIDTH / 2), column.y - column.pitch / 2];
  const height = units * column.pitch;
  context.imageSmoothingEnabled = column.pitch < 1;
  context.drawImage(strip, left, top, STRIP_WIDTH, height);
  // Where units share a pixel their colours are mixed, but what is no number keeps a line of its own.
  for (let place = 0; place < units; place++) {
    if (column.pitch >= 1 || Number.isFinite(column.value(order[place]))) continue;
    context.fillStyle = cssOf(column.fill(order[place]));
    context.fillRect(left, yOf(column, place) - 0.5, STRIP_WIDTH, 1);
  }
  context.strokeStyle = palette.branch;
  context.lineWidth = 1;
  context.strokeRect(left - 0.5, top - 0.5, STRIP_WIDTH + 1, height + 1);
}
