import { describe, expect, it } from "vitest";
import { Pyramid } from "../../src/core/pyramid.ts";
import { levelFor, makeLut, packColor, paintFrame, parseHex, wantsDarkText } from "../../src/core/raster.ts";

const LUT = Uint32Array.from({ length: 256 }, (_, code) => code);

function paint(side: number, strong: number, pixels: number, start = 0, size = side): Uint32Array {
  const codes = new Uint8Array(side * side).fill(124);
  codes[strong * side + strong] = 249;
  const base = { codes, rows: side, columns: side };
  const out = new Uint32Array(pixels * pixels);
  const span = { start, size };
  const frame = { width: pixels, height: pixels, rows: span, columns: span };
  paintFrame(out, new Pyramid(base, true), base, frame, LUT);
  return out;
}

// Awkward on purpose: sides that are no power of two, pixels that do not divide them.
const SIZES: [number, number][] = [
  [257, 100],
  [1000, 333],
  [129, 128],
  [4097, 512],
  [300, 299],
];

describe.each(SIZES)("%i cells on %i pixels", (side, pixels) => {
  it("drop no strong cell, wherever it is", () => {
    const places = [0, 1, Math.floor(side / 2), side - 2, side - 1];
    for (const place of places) expect(paint(side, place, pixels).includes(249)).toBe(true);
  });
});

it("paints a cell exactly where it is when cells are larger than pixels", () => {
  const out = paint(4, 2, 8);
  const lit = [...out.keys()].filter((i) => out[i] === 249).map((i) => [Math.floor(i / 8), i % 8]);
  expect(lit).toEqual([
    [4, 4],
    [4, 5],
    [5, 4],
    [5, 5],
  ]);
});

it("paints the part that is asked for", () => {
  expect(paint(100, 50, 10, 50, 10)[0]).toBe(249);
  expect(paint(100, 50, 10, 51, 10).includes(249)).toBe(false);
});

it.each([
  [100, 100, 0],
  [101, 100, 1],
  [200, 100, 1],
  [201, 100, 2],
  [10, 100, 0],
])("shows %i cells on %i pixels from level %i", (cells, pixels, level) => {
  expect(levelFor(cells, pixels)).toBe(level);
});

it("packs colours as little-endian RGBA", () => {
  const bytes = new Uint8Array(Uint32Array.of(packColor("#d9480f")).buffer);
  expect([...bytes]).toEqual([0xd9, 0x48, 0x0f, 255]);
  expect(parseHex("#abc")).toEqual([0xaa, 0xbb, 0xcc]);
  expect(() => packColor("tomato")).toThrow(/"tomato"; expected #rgb or #rrggbb/);
});

it("puts the six marks after the table and knows dark from light", () => {
  const lut = makeLut(new Uint8Array(750).fill(255), [
    "#000000",
    "#111111",
    "#222222",
    "#333333",
    "#444444",
    "#555555",
  ]);
  expect(wantsDarkText(lut[249])).toBe(true);
  expect(wantsDarkText(lut[250])).toBe(false);
  expect(lut[255]).toBe(packColor("#555555"));
});
