// The tree, the cut and the clusters of a picture.

import type { Content } from "./content.ts";
import { clusterColors } from "./dendrogram.ts";
import type { Palette } from "./palette.ts";
import type { Scene } from "./scene.ts";
import { text } from "./svg.ts";
import { treeScale } from "./tree_scale.ts";

/** What a picture needs of the scene. */
export type Pictured = Pick<Scene, "content" | "cut" | "clusters" | "rows" | "selectedColumns">;

/** Where the tree stands: its left edge and width, the width of the clusters' band, and the rows beside it. */
export interface Place {
  left: number;
  tree: number;
  band: number;
  top: number;
  side: number;
}

export function drawTree(scene: Pictured, content: Content, place: Place, palette: Palette): string {
  const { tree } = content;
  if (!tree) return "";
  const { left, top, side, tree: room } = place;
  const { x } = treeScale(tree.top, room);
  const y = (position: number) => top + (position / content.rows) * side;
  const heightOf = (node: number) => (node < tree.leaves ? 0 : tree.height[node - tree.leaves]);
  const paths = { above: "", below: "" };
  tree.height.forEach((height, i) => {
    const [a, b] = [tree.children[2 * i], tree.children[2 * i + 1]];
    const at = (left + x(height)).toFixed(2);
    const [ya, yb] = [y(tree.position[a]).toFixed(2), y(tree.position[b]).toFixed(2)];
    const path = `M${(left + x(heightOf(a))).toFixed(2)} ${ya}H${at}V${yb}H${(left + x(heightOf(b))).toFixed(2)}`;
    paths[height <= scene.cut ? "below" : "above"] += path;
  });
  const width = content.rows > 200 ? 0.5 : 1;
  const stroke = (d: string, color: string) =>
    `<path d="${d}" fill="none" stroke="${color}" stroke-width="${width}"/>`;
  const cut = left + x(Math.min(scene.cut, tree.top));
  return [
    stroke(paths.above, palette.branch),
    stroke(paths.below, palette.ink),
    drawStrip(scene, content, y, place, palette),
    `<path d="M${cut} ${top - 8}V${top + side + 6}" stroke="${palette.accent}" stroke-width="1.5"/>`,
    `<circle cx="${cut}" cy="${top - 8}" r="4.5" fill="${palette.accent}"/>`,
    text(cut, top + side + 20, `cut ${scene.cut.toFixed(2)}`, palette.accent, 11, 'text-anchor="middle"'),
    text(left, top + side + 38, content.distance, palette.muted, 10),
  ].join("\n");
}

function drawStrip(
  scene: Pictured,
  content: Content,
  y: (row: number) => number,
  place: Place,
  palette: Palette,
): string {
  const { starts, count } = scene.clusters;
  const colors = clusterColors(scene.clusters, palette.clusters.length);
  const x = place.left + place.tree;
  const band = (first: number, end: number, fill: string) =>
    `<rect x="${x}" y="${y(first)}" width="${place.band}" height="${Math.max(0, y(end) - y(first))}" fill="${fill}"/>`;
  const bands = Array.from({ length: count }, (_, c) =>
    band(starts[c], starts[c + 1], colors[c] < 0 ? palette.faint : palette.clusters[colors[c]]),
  );
  const leaves = content.tree?.leaves ?? 0;
  if (leaves < content.rows) {
    bands.push(
      band(leaves, content.rows, palette.line),
      hatching(x, y(leaves), place.band, y(content.rows), palette),
    );
    bands.push(
      text(x - 6, y((leaves + content.rows) / 2) + 3, "constant", palette.muted, 10, 'text-anchor="end"'),
    );
  }
  return bands.join("");
}

/** Slanted lines over the constant units: grey alone would look like one more cluster. */
function hatching(x: number, top: number, width: number, bottom: number, palette: Palette): string {
  let lines = "";
  for (let y = top; y < bottom; y += 4) {
    lines += `M${x} ${Math.min(y + 4, bottom).toFixed(1)}L${x + width} ${y.toFixed(1)}`;
  }
  return `<path d="${lines}" stroke="${palette.muted}" stroke-width="0.7"/>`;
}
