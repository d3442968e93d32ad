// The colours of one graph in one theme, ready for canvases.

import { encodeValue } from "../core/codes.ts";
import type { Graph, GraphColumn } from "../core/graph_content.ts";
import type { Palette } from "../core/palette.ts";
import { makeLut } from "../core/raster.ts";

export interface GraphColors {
  palette: Palette;
  /** Diverging colours, of edges and of values of both signs; three bytes each. */
  diverging: Uint8Array;
  sequential: Uint8Array;
  /** The packed pixel of each code. */
  pixels: { diverging: Uint32Array; sequential: Uint32Array };
}

export function readColors(graph: Graph, palette: Palette): GraphColors {
  const { diverging, sequential } = palette.dark ? graph.colors.dark : graph.colors.light;
  const pixels = {
    diverging: makeLut(diverging, palette.marks),
    sequential: makeLut(sequential, palette.marks),
  };
  return { palette, diverging, sequential, pixels };
}

/** The packed pixel of a unit's value in the range of its column. */
export function pixelOf({ pixels }: GraphColors, column: GraphColumn, value: number): number {
  return (column.diverging ? pixels.diverging : pixels.sequential)[encodeValue(value, column)];
}

export function cssOf(pixel: number): string {
  return `rgb(${pixel & 255} ${(pixel >> 8) & 255} ${(pixel >> 16) & 255})`;
}
