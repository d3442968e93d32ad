// The dendrogram, the cluster strip and the cut that is drawn across them.

import { clusterColors } from "../core/dendrogram.ts";
import { formatNumber, plural } from "../core/format.ts";
import { STRIP } from "../core/layout.ts";
import type { Palette } from "../core/palette.ts";
import type { Scene } from "../core/scene.ts";
import { countBefore } from "../core/selection.ts";
import { cellAt, edgeOf } from "../core/span.ts";
import { treeScale } from "../core/tree_scale.ts";
import { followCut } from "./cut_slider.ts";
import { make, setText } from "./dom.ts";
import { freshCanvas } from "./fresh_canvas.ts";

export interface TreeActions {
  select(rows: number[], add: boolean): void;
  setCut(cut: number, done: boolean): void;
}

/** A click this far right of a branch still means the branch. */
const SLACK = 4;
/** Width of the coloured part of the strip. */
const BAND = 10;

export class TreeView {
  readonly node: HTMLElement;
  private readonly canvas = make("canvas", { class: "nbw-tree-canvas", "aria-hidden": "true" });
  private readonly slider: HTMLElement;
  private readonly label = make("span", { class: "nbw-cut-label" });
  private readonly axis = make("span", { class: "nbw-tree-axis" });
  private width = 0;
  private height = 0;

  constructor(
    private readonly scene: Scene,
    private readonly actions: TreeActions,
    signal: AbortSignal,
  ) {
    this.slider = make("div", {
      class: "nbw-cut",
      role: "slider",
      tabindex: "0",
      "aria-label": "height of the cut",
      "aria-orientation": "horizontal",
    });
    this.slider.append(
      make("i", { class: "nbw-cut-line" }),
      make("i", { class: "nbw-cut-handle" }),
      this.label,
    );
    this.node = make("div", { class: "nbw-tree" }, this.canvas, this.axis, this.slider);
    this.canvas.addEventListener("click", (event) => this.click(event), { signal });
    followCut(
      this.slider,
      {
        value: () => this.scene.cut,
        top: () => this.scene.content?.tree?.top ?? 1,
        heightAt: (clientX) => this.scale().height(clientX - this.node.getBoundingClientRect().left),
        set: (cut, done) => this.actions.setCut(cut, done),
      },
      signal,
    );
  }

  private scale() {
    return treeScale(this.scene.content?.tree?.top ?? 1, this.width - STRIP);
  }

  private click(event: MouseEvent): void {
    const box = this.canvas.getBoundingClientRect();
    const rows = this.scene.content?.rows ?? 0;
    const row = cellAt(this.scene.rowSpan, rows, this.height, event.clientY - box.top);
    if (row < 0) return;
    const x = event.clientX - box.left;
    const inStrip = x > this.width - STRIP;
    const found = inStrip
      ? this.scene.clusterRows(row)
      : this.scene.branchRows(row, this.scale().height(x - SLACK));
    if (found.length > 0) this.actions.select(found, event.ctrlKey || event.metaKey || event.shiftKey);
  }

  paint(width: number, height: number, palette: Palette): void {
    this.width = width;
    this.height = height;
    this.node.style.width = `${width}px`;
    const context = freshCanvas(this.canvas, width, height);
    paintBranches(context, this.scene, this.scale().x, height, palette);
    paintStrip(context, this.scene, width - STRIP + 6, height, palette);
    this.placeCut();
  }

  private placeCut(): void {
    const tree = this.scene.content?.tree;
    this.slider.hidden = !tree;
    setText(this.axis, tree ? (this.scene.content?.distance ?? "") : "");
    if (!tree) return;
    const { cut, clusters } = this.scene;
    const x = this.scale().x(Math.min(cut, tree.top));
    this.slider.style.left = `${x}px`;
    this.axis.hidden = x > this.width - STRIP - 76;
    setText(this.label, `cut ${cut.toFixed(2)}`);
    const shift = Math.max(24 - x, 0) - Math.max(x + 26 - this.width, 0);
    this.label.style.transform = `translateX(calc(-50% + ${shift}px))`;
    this.slider.setAttribute("aria-valuemin", "0");
    this.slider.setAttribute("aria-valuemax", tree.top.toFixed(3));
    this.slider.setAttribute("aria-valuenow", cut.toFixed(3));
    this.slider.setAttribute("aria-valuetext", `${formatNumber(cut)}, ${plural(clusters.count, "cluster")}`);
  }
}

function paintBranches(
  context: CanvasRenderingContext2D,
  { content, cut, rowSpan, rows }: Scene,
  x: (height: number) => number,
  height: number,
  palette: Palette,
): void {
  const tree = content?.tree;
  if (!tree) return;
  const pickedBefore = countBefore(rows, tree.leaves);
  const paths = { above: new Path2D(), below: new Path2D(), picked: new Path2D() };
  const heightOf = (node: number) => (node < tree.leaves ? 0 : tree.height[node - tree.leaves]);
  const end = rowSpan.start + rowSpan.size;
  const size = height / rowSpan.size;
  for (let i = 0; i < tree.height.length; i++) {
    if (tree.last[i] + 1 < rowSpan.start || tree.first[i] > end) continue;
    const under = tree.last[i] + 1 - tree.first[i];
    // Branches within one pixel would only blacken it; zooming in brings them out.
    if (under * size < 1) continue;
    const whole = pickedBefore[tree.last[i] + 1] - pickedBefore[tree.first[i]] === under;
    const path = whole ? paths.picked : tree.height[i] <= cut ? paths.below : paths.above;
    const [a, b] = [tree.children[2 * i], tree.children[2 * i + 1]];
    const [ya, yb] = [a, b].map((node) => edgeOf(rowSpan, height, tree.position[node]));
    const at = x(tree.height[i]);
    path.moveTo(x(heightOf(a)), ya);
    path.lineTo(at, ya);
    path.lineTo(at, yb);
    path.lineTo(x(heightOf(b)), yb);
  }
  const dense = size < 2.5;
  context.lineWidth = dense ? 0.6 : 1.1;
  context.globalAlpha = dense ? 0.65 : 1;
  stroke(context, paths.above, palette.branch);
  context.lineWidth = dense ? 0.6 : 1.3;
  stroke(context, paths.below, palette.ink);
  context.globalAlpha = 1;
  stroke(context, paths.picked, palette.accent);
}

function stroke(context: CanvasRenderingContext2D, path: Path2D, color: string): void {
  context.strokeStyle = color;
  context.stroke(path);
}

function paintStrip(
  context: CanvasRenderingContext2D,
  { content, clusters, rowSpan }: Scene,
  x: number,
  height: number,
  palette: Palette,
): void {
  if (!content) return;
  const colors = clusterColors(clusters, palette.clusters.length);
  const end = rowSpan.start + rowSpan.size;
  for (let c = 0; c < clusters.count; c++) {
    if (clusters.starts[c + 1] < rowSpan.start || clusters.starts[c] > end) continue;
    const [a, b] = [clusters.starts[c], clusters.starts[c + 1]].map((row) => edgeOf(rowSpan, height, row));
    const gap = b - a > 4 ? 1 : 0;
    context.fillStyle = colors[c] < 0 ? palette.faint : palette.clusters[colors[c]];
    context.fillRect(x, a, BAND, Math.max(0.5, b - a - gap));
  }
  const leaves = content.tree?.leaves ?? 0;
  if (leaves < content.rows) paintConstant(context, x, edgeOf(rowSpan, height, leaves), height, palette);
}

/** Constant units have no correlation and stand outside the tree: a hatched strip with its name. */
function paintConstant(
  context: CanvasRenderingContext2D,
  x: number,
  from: number,
  height: number,
  palette: Palette,
): void {
  const top = Math.max(0, from);
  if (top >= height) return;
  context.save();
  context.beginPath();
  context.rect(x, top, BAND, height - top);
  context.clip();
  context.strokeStyle = palette.muted;
  context.lineWidth = 1;
  context.beginPath();
  for (let y = top - BAND; y < height + BAND; y += 4) {
    context.moveTo(x, y + BAND);
    context.lineTo(x + BAND, y);
  }
  context.stroke();
  context.restore();
  if (height - top < 14) return;
  context.fillStyle = palette.muted;
  context.font = `11px ${palette.font}`;
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.fillText("constant", x - 6, Math.min(height - 6, (top + height) / 2));
}
