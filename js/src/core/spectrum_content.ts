// What Python stores of a spectrum on a saved page: still pictures, and where units or layers stand in them.

import { decodeArray, type Numbers, type WireArray } from "./arrays.ts";

export interface WirePicture {
  title: string;
  alt: string;
  /** The bytes of an SVG file for each theme. */
  files: { light: WireArray; dark: WireArray };
  /** Pixels at its own size. */
  width: number;
  height: number;
  /** (n, 4): left, top, right, bottom as shares of width and height. */
  boxes: WireArray;
}

export interface WireHead {
  title: string;
  words: string[];
  /** The layers in the order of the overview's boxes. */
  layers: string[];
  overview: WirePicture;
}

export interface WireSpectrum {
  layer: string;
  panels: WirePicture[];
  /** What is said of each unit. */
  units: string[];
}

export interface Picture {
  title: string;
  alt: string;
  files: { light: string; dark: string };
  width: number;
  height: number;
  boxes: Numbers;
}

export function decodePicture(wire: WirePicture): Picture {
  const { title, alt, width, height } = wire;
  const file = (array: WireArray) => new TextDecoder().decode(decodeArray(array) as Uint8Array);
  const files = { light: file(wire.files.light), dark: file(wire.files.dark) };
  return { title, alt, files, width, height, boxes: decodeArray(wire.boxes) };
}
