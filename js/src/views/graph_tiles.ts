// Feature maps as pixels: all maps of a column in one sample lie on one canvas, from which tiles are cut.

import type { Graph, GraphColumn, Maps } from "../core/graph_content.ts";
import { context2d, make } from "./dom.ts";
import type { GraphColors } from "./graph_colors.ts";

export interface TileSheet {
  canvas: HTMLCanvasElement;
  /** The upper left corner of a unit's map. */
  corner(unit: number): [number, number];
}

/** Sheets of the sample on screen; made when first drawn, dropped when sample or colours change. */
export class TileSheets {
  private sheets = new Map<number, TileSheet>();
  private made: { graph: Graph; colors: GraphColors; sample: number } | null = null;

  of(graph: Graph, column: number, sample: number, colors: GraphColors): TileSheet | null {
    const { made } = this;
    if (made?.graph !== graph || made.colors !== colors || made.sample !== sample) {
      this.sheets = new Map();
      this.made = { graph, colors, sample };
    }
    const { maps } = graph.columns[column];
    if (!maps) return null;
    const sheet = this.sheets.get(column) ?? makeSheet(graph.columns[column], maps, sample, colors);
    this.sheets.set(column, sheet);
    return sheet;
  }
}

function makeSheet({ units }: GraphColumn, maps: Maps, sample: number, colors: GraphColors): TileSheet {
  const { width, height } = maps;
  const abreast = Math.ceil(Math.sqrt(units));
  const canvas = make("canvas");
  canvas.width = abreast * width;
  canvas.height = Math.ceil(units / abreast) * height;
  const corner = (unit: number): [number, number] => [
    (unit % abreast) * width,
    Math.floor(unit / abreast) * height,
  ];
  const context = context2d(canvas);
  const image = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let unit = 0; unit < units; unit++) {
    const [left, top] = corner(unit);
    const map = mapOf(maps, units, sample, unit);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        pixels[(top + y) * canvas.width + left + x] = pixelOfCode(maps, map[y * width + x], colors);
  }
  context.putImageData(image, 0, 0);
  return { canvas, corner };
}

/** The codes of one unit's map in one sample. */
export function mapOf({ codes, width, height }: Maps, units: number, sample: number, unit: number) {
  const cells = width * height;
  const start = (sample * units + unit) * cells;
  return codes.subarray(start, start + cells);
}

/** Ranges of both signs are diverging, here as everywhere. */
export function pixelOfCode({ low }: Maps, code: number, { pixels }: GraphColors): number {
  return (low < 0 ? pixels.diverging : pixels.sequential)[code];
}
