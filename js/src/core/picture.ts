// The view as one SVG text, for papers: made from the state alone, with every cell inside it.

import { MARKS, STEPS } from "./codes.ts";
import { type Content, isSquare, labelOfColumn, type Matrix, valueAt } from "./content.ts";
import { formatCell, formatCount, plural, ticksOf } from "./format.ts";
import type { Palette } from "./palette.ts";
import { drawSums, PICTURED_SUMS_ABOVE, PICTURED_SUMS_BESIDE, type Plot } from "./picture_sums.ts";
import { drawTree, type Pictured } from "./picture_tree.ts";
import { encodePng, toBase64 } from "./png.ts";
import { makeLut } from "./raster.ts";
import { runs } from "./selection.ts";
import { escapeXml, text } from "./svg.ts";

const SIDE = 400;
const TREE = 130;
const PAD = 24;
const TOP = 64;
const BOTTOM = 112;
const BAND = 10;
/** The same rules as for Python's pictures: names up to so many rows, or so many characters across; values in cells. */
const NAMED_ROWS = 48;
const NAMED_ACROSS = 70;
const VALUES_UP_TO = 16;
/** A longer side is drawn from strongest-of-a-block cells: print shows no more. */
const MOST_CELLS = 2048;

export async function drawPicture(scene: Pictured, palette: Palette): Promise<string> {
  const { content } = scene;
  if (!content) throw new Error("there is nothing to draw yet: content has not been set");
  const tree = content.tree ? TREE : 0;
  const sums = content.matrices.some((matrix) => matrix.sums);
  const top = TOP + (sums ? PICTURED_SUMS_ABOVE : 0);
  const lefts = leftsOf(content, PAD + tree + BAND + 8);
  const width = (lefts.pop() ?? 0) - 2 * PAD;
  const height = top + SIDE + BOTTOM;
  const panels = await Promise.all(
    content.matrices.map((_, i) =>
      drawMatrix(scene, content, i, { x: lefts[i], y: top, side: SIDE }, palette),
    ),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${escapeXml(palette.font)}">`,
    `<rect width="${width}" height="${height}" fill="${palette.paper}"/>`,
    text(PAD, 24, `${content.layer} · ${plural(content.rows, "unit")}`, palette.muted, 11),
    drawTree(scene, content, { left: PAD, tree, band: BAND, top, side: SIDE }, palette),
    ...panels,
    "</svg>",
  ].join("\n");
}

/** Left edges of the plots, and where one more would begin. */
function leftsOf(content: Content, first: number): number[] {
  const lefts = [first];
  for (const matrix of content.matrices) {
    const beside = matrix.sums ? PICTURED_SUMS_BESIDE : 0;
    lefts.push(lefts[lefts.length - 1] + SIDE + beside + 3 * PAD);
  }
  return lefts;
}

async function drawMatrix(
  scene: Pictured,
  content: Content,
  index: number,
  plot: Plot,
  palette: Palette,
): Promise<string> {
  const matrix = content.matrices[index];
  const { base, sums } = matrix;
  const { x, y } = plot;
  const level = (side: number) => Math.max(0, Math.ceil(Math.log2(side / MOST_CELLS)));
  const shown = matrix.pyramid.level(level(base.rows), level(base.columns));
  const lut = makeLut(palette.dark ? matrix.colors.dark : matrix.colors.light, palette.marks);
  const png = await encodePng(shown.codes, shown.columns, shown.rows, lut);
  const cells = `<image x="${x}" y="${y}" width="${SIDE}" height="${SIDE}" preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,${toBase64(png)}"/>`;
  const chosen = { rows: scene.rows, columns: scene.selectedColumns(index) };
  return [
    `<g>`,
    text(x, 44, matrix.title, palette.ink, 14, 'font-weight="600"'),
    text(x + SIDE, 44, matrix.how, palette.muted, 11, 'text-anchor="end"'),
    cells,
    drawValues(matrix, lut, plot),
    drawSelected(chosen, matrix, plot, palette),
    drawNames(content, matrix, plot, palette),
    sums ? drawSums(sums, chosen, plot, palette) : "",
    drawFoot(matrix, [shown.rows, shown.columns], plot, palette),
    drawLegend(matrix, plot, palette),
    "</g>",
  ].join("\n");
}

function drawSelected(
  chosen: { rows: readonly number[]; columns: readonly number[] },
  matrix: Matrix,
  { x, y, side }: Plot,
  palette: Palette,
): string {
  const line = (attributes: string) => `<rect ${attributes} fill="none" stroke="${palette.accent}"/>`;
  const { rows, columns } = matrix.base;
  const behind = isSquare(matrix) ? ' stroke-opacity="0.5"' : "";
  const across = runs(chosen.rows).map(([first, last]) =>
    line(
      `x="${x}" y="${y + (first / rows) * side}" width="${side}" height="${((last + 1 - first) / rows) * side}"`,
    ),
  );
  const down = runs(chosen.columns).map(([first, last]) =>
    line(
      `x="${x + (first / columns) * side}" y="${y}" width="${((last + 1 - first) / columns) * side}" height="${side}"${behind}`,
    ),
  );
  return [...down, ...across].join("");
}

/** Names of rows at the right and of columns below, where there is room for them. */
function drawNames(content: Content, matrix: Matrix, { x, y: top }: Plot, palette: Palette): string {
  const { rows, columns } = matrix.base;
  const rowNames = Array.from({ length: rows }, (_, row) => String(content.units[row]));
  const columnNames = Array.from({ length: columns }, (_, k) => labelOfColumn(content, matrix, k));
  const longest = Math.max(1, ...columnNames.map((name) => name.length));
  const beside = rows > NAMED_ROWS ? [] : rowNames;
  const below = columns > Math.floor(NAMED_ACROSS / longest) ? [] : columnNames;
  return [
    ...beside.map((name, k) =>
      text(x + SIDE + 4, top + ((k + 0.5) / rows) * SIDE + 3, name, palette.muted, 8),
    ),
    ...below.map((name, k) =>
      text(x + ((k + 0.5) / columns) * SIDE, top + SIDE + 11, name, palette.muted, 8, 'text-anchor="middle"'),
    ),
  ].join("");
}

function drawValues(matrix: Matrix, lut: Uint32Array, { x, y: top }: Plot): string {
  const { rows, columns, codes } = matrix.base;
  if (Math.max(rows, columns) > VALUES_UP_TO) return "";
  return Array.from(codes, (code, index) => {
    if (code > STEPS) return "";
    const [row, column] = [Math.floor(index / columns), index % columns];
    const [at, y] = [x + ((column + 0.5) / columns) * SIDE, top + ((row + 0.5) / rows) * SIDE + 3];
    const value = formatCell(valueAt(matrix, row, column));
    return text(at, y, value, isDark(lut[code]) ? "#ffffff" : "#000000", 9, 'text-anchor="middle"');
  }).join("");
}

/** What the panel shows, over how many samples, and what was left out. */
function drawFoot(
  matrix: Matrix,
  [rows, columns]: [number, number],
  { x, y: top }: Plot,
  palette: Palette,
): string {
  const { base } = matrix;
  const what = matrix.columns ? matrix.columns.title : "units";
  const pooled = rows < base.rows || columns < base.columns ? "; each pixel: the strongest of its cells" : "";
  const lines = [`${plural(base.rows, "unit")} × ${formatCount(base.columns)} ${what}${pooled}`, matrix.note];
  const n = matrix.samples === null ? "" : `n = ${formatCount(matrix.samples)}`;
  const shown = lines.filter(Boolean);
  return [
    ...shown.map((line, k) =>
      text(x + SIDE / 2, top + SIDE + 28 + 13 * k, line, palette.muted, 10, 'text-anchor="middle"'),
    ),
    n && text(x + SIDE, top + SIDE + 76, n, palette.muted, 10, 'text-anchor="end"'),
  ].join("");
}

function drawLegend(matrix: Matrix, { x, y: top }: Plot, palette: Palette): string {
  const y = top + SIDE + 56;
  const table = palette.dark ? matrix.colors.dark : matrix.colors.light;
  const bar = Array.from({ length: 125 }, (_, i) => {
    const c = 3 * (2 * i);
    return `<rect x="${x + i}" y="${y}" width="1.5" height="8" fill="rgb(${table[c]},${table[c + 1]},${table[c + 2]})"/>`;
  });
  const ticks = ticksOf(matrix);
  const anchors = ["start", "middle", "end"];
  const last = ticks.length - 1;
  return [
    ...bar,
    ...ticks.map((tick, k) => {
      const anchor = k === last ? "end" : anchors[k];
      return text(x + (125 * k) / last, y + 20, tick, palette.muted, 10, `text-anchor="${anchor}"`);
    }),
    text(x, y + 36, legendWords(matrix), palette.muted, 10),
  ].join("");
}

/** "z (SD) · masked: 20 cells" */
function legendWords(matrix: Matrix): string {
  const { quantity, unit } = matrix;
  const marks = MARKS.flatMap((mark, i) =>
    matrix.marks[i] > 0 ? [`${mark.label}: ${plural(matrix.marks[i], "cell")}`] : [],
  );
  return [quantity && unit ? `${quantity} (${unit})` : quantity || unit, ...marks]
    .filter(Boolean)
    .join(" · ");
}

/** Whether white is easier to read on a colour than black; the table packs 0xAABBGGRR. */
function isDark(color: number): boolean {
  return 0.299 * (color & 255) + 0.587 * ((color >> 8) & 255) + 0.114 * ((color >> 16) & 255) < 140;
}
