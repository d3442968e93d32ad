// The view as one SVG text, for papers: made from the state alone, with every cell inside it.

import { MARKS } from "./codes.ts";
import { type Content, isSquare, type Matrix } from "./content.ts";
import { clusterColors } from "./dendrogram.ts";
import { formatNumber, plural } from "./format.ts";
import type { Palette } from "./palette.ts";
import { encodePng, toBase64 } from "./png.ts";
import { makeLut } from "./raster.ts";
import type { Scene } from "./scene.ts";
import { runs } from "./selection.ts";
import { treeScale } from "./tree_scale.ts";

/** What a picture needs of the scene. */
export type Pictured = Pick<Scene, "content" | "cut" | "clusters" | "rows">;

const SIDE = 400;
const TREE = 130;
const PAD = 24;
const TOP = 64;
const BOTTOM = 76;
const BAND = 10;
/** A longer side is drawn from strongest-of-a-block cells: print shows no more. */
const MOST_CELLS = 2048;

export async function drawPicture(scene: Pictured, palette: Palette): Promise<string> {
  const { content } = scene;
  if (!content) throw new Error("there is nothing to draw yet: content has not been set");
  const tree = content.tree ? TREE : 0;
  const left = (i: number) => PAD + tree + BAND + 8 + i * (SIDE + 3 * PAD);
  const width = left(content.matrices.length - 1) + SIDE + PAD;
  const height = TOP + SIDE + BOTTOM;
  const panels = await Promise.all(content.matrices.map((m, i) => drawMatrix(scene, m, left(i), palette)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${escapeXml(palette.font)}">`,
    `<rect width="${width}" height="${height}" fill="${palette.paper}"/>`,
    text(PAD, 24, `${content.layer} · ${plural(content.rows, "unit")}`, palette.muted, 11),
    drawTree(scene, content, palette),
    ...panels,
    "</svg>",
  ].join("\n");
}

async function drawMatrix(scene: Pictured, matrix: Matrix, x: number, palette: Palette): Promise<string> {
  const { base } = matrix;
  const level = (side: number) => Math.max(0, Math.ceil(Math.log2(side / MOST_CELLS)));
  const shown = matrix.pyramid.level(level(base.rows), level(base.columns));
  const lut = makeLut(palette.dark ? matrix.colors.dark : matrix.colors.light, palette.marks);
  const png = await encodePng(shown.codes, shown.columns, shown.rows, lut);
  const cells = `<image x="${x}" y="${TOP}" width="${SIDE}" height="${SIDE}" preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,${toBase64(png)}"/>`;
  return [
    `<g>`,
    text(x, 44, matrix.title, palette.ink, 14, 'font-weight="600"'),
    text(x + SIDE, 44, matrix.how, palette.muted, 11, 'text-anchor="end"'),
    cells,
    drawSelected(scene, matrix, x, palette),
    drawLegend(matrix, x, palette),
    "</g>",
  ].join("\n");
}

function drawSelected(scene: Pictured, matrix: Matrix, x: number, palette: Palette): string {
  const line = (attributes: string) => `<rect ${attributes} fill="none" stroke="${palette.accent}"/>`;
  const { rows, columns } = matrix.base;
  return runs(scene.rows)
    .map(([first, last]) => {
      const across = `x="${x}" y="${TOP + (first / rows) * SIDE}" width="${SIDE}" height="${((last + 1 - first) / rows) * SIDE}"`;
      const down = `x="${x + (first / columns) * SIDE}" y="${TOP}" width="${((last + 1 - first) / columns) * SIDE}" height="${SIDE}" stroke-opacity="0.5"`;
      return line(across) + (isSquare(matrix) ? line(down) : "");
    })
    .join("");
}

function drawLegend(matrix: Matrix, x: number, palette: Palette): string {
  const y = TOP + SIDE + 30;
  const table = palette.dark ? matrix.colors.dark : matrix.colors.light;
  const bar = Array.from({ length: 125 }, (_, i) => {
    const c = 3 * (2 * i);
    return `<rect x="${x + i}" y="${y}" width="1.5" height="8" fill="rgb(${table[c]},${table[c + 1]},${table[c + 2]})"/>`;
  });
  const unit = matrix.unit ? ` ${matrix.unit}` : "";
  const marks = MARKS.filter((_, i) => matrix.marks[i] > 0).map(
    (mark) => `${mark.label}: ${plural(matrix.marks[MARKS.indexOf(mark)], "cell")}`,
  );
  const columns = matrix.columns ? matrix.columns.title : "the same units";
  return [
    ...bar,
    text(x, y + 22, formatNumber(matrix.low), palette.muted, 10),
    text(x + 125, y + 22, formatNumber(matrix.high) + unit, palette.muted, 10, 'text-anchor="end"'),
    text(
      x + SIDE,
      y + 8,
      [matrix.note, ...marks].filter(Boolean).join(" · "),
      palette.muted,
      10,
      'text-anchor="end"',
    ),
    text(x + SIDE / 2, TOP + SIDE + 16, columns, palette.muted, 10, 'text-anchor="middle"'),
  ].join("");
}

function drawTree(scene: Pictured, content: Content, palette: Palette): string {
  const { tree } = content;
  if (!tree) return "";
  const { x } = treeScale(tree.top, TREE);
  const y = (position: number) => TOP + (position / content.rows) * SIDE;
  const heightOf = (node: number) => (node < tree.leaves ? 0 : tree.height[node - tree.leaves]);
  const paths = { above: "", below: "" };
  tree.height.forEach((height, i) => {
    const [a, b] = [tree.children[2 * i], tree.children[2 * i + 1]];
    const at = (PAD + x(height)).toFixed(2);
    const [ya, yb] = [y(tree.position[a]).toFixed(2), y(tree.position[b]).toFixed(2)];
    const path = `M${(PAD + x(heightOf(a))).toFixed(2)} ${ya}H${at}V${yb}H${(PAD + x(heightOf(b))).toFixed(2)}`;
    paths[height <= scene.cut ? "below" : "above"] += path;
  });
  const width = content.rows > 200 ? 0.5 : 1;
  const stroke = (d: string, color: string) =>
    `<path d="${d}" fill="none" stroke="${color}" stroke-width="${width}"/>`;
  const cut = PAD + x(Math.min(scene.cut, tree.top));
  return [
    stroke(paths.above, palette.branch),
    stroke(paths.below, palette.ink),
    drawStrip(scene, content, y, palette),
    `<path d="M${cut} ${TOP - 8}V${TOP + SIDE + 6}" stroke="${palette.accent}" stroke-width="1.5"/>`,
    `<circle cx="${cut}" cy="${TOP - 8}" r="4.5" fill="${palette.accent}"/>`,
    text(cut, TOP + SIDE + 20, `cut ${scene.cut.toFixed(2)}`, palette.accent, 11, 'text-anchor="middle"'),
    text(PAD, TOP + SIDE + 38, content.distance, palette.muted, 10),
  ].join("\n");
}

function drawStrip(scene: Pictured, content: Content, y: (row: number) => number, palette: Palette): string {
  const { starts, count } = scene.clusters;
  const colors = clusterColors(scene.clusters, palette.clusters.length);
  const x = PAD + TREE;
  const band = (first: number, end: number, fill: string) =>
    `<rect x="${x}" y="${y(first)}" width="${BAND}" height="${Math.max(0, y(end) - y(first))}" fill="${fill}"/>`;
  const bands = Array.from({ length: count }, (_, c) =>
    band(starts[c], starts[c + 1], colors[c] < 0 ? palette.faint : palette.clusters[colors[c]]),
  );
  const leaves = content.tree?.leaves ?? 0;
  if (leaves < content.rows) {
    bands.push(band(leaves, content.rows, palette.line));
    bands.push(
      text(x - 6, y((leaves + content.rows) / 2) + 3, "constant", palette.muted, 10, 'text-anchor="end"'),
    );
  }
  return bands.join("");
}

function text(x: number, y: number, words: string, fill: string, size: number, more = ""): string {
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}" ${more}>${escapeXml(words)}</text>`;
}

export function escapeXml(words: string): string {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return words.replace(/[&<>"]/g, (sign) => names[sign]);
}
