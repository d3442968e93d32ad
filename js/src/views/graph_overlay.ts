// What lies over edges and units: lit paths, names, the edge and the unit pointed at, who is selected, the brush.

import {
  type Edge,
  edgeFrom,
  edgeTo,
  endsOf,
  type Graph,
  type Node,
  nameOfNode,
} from "../core/graph_content.ts";
import { courseOf, type GraphLayout, halfWidth, markAt } from "../core/graph_layout.ts";
import { make } from "./dom.ts";
import { freshCanvas } from "./fresh_canvas.ts";
import type { Brush } from "./gestures.ts";
import type { GraphColors } from "./graph_colors.ts";
import { colorOf, type EdgeInk, MARKED, NOT_FINITE, strengthOf, traceEdge } from "./graph_edges.ts";
import { paintLabels } from "./graph_labels.ts";
import { tileBox } from "./graph_nodes.ts";
import { type GraphScene, isNode } from "./graph_scene.ts";
import { paintBrush } from "./overlay_canvas.ts";

/** Lit edges are few: full colour, and a width that tells them apart. */
const INK: EdgeInk = { widths: [1.2, 3.4], opacities: [1, 1], gamma: 0.8, segments: 24 };
/** Of a unit pointed at, so many of the drawn edges are lit. */
const MOST_LIT = 300;

interface Stage {
  context: CanvasRenderingContext2D;
  scene: GraphScene;
  graph: Graph;
  layout: GraphLayout;
  colors: GraphColors;
}

export class GraphOverlay {
  readonly canvas = make("canvas", { class: "nbw-graph-overlay", "aria-hidden": "true" });

  /** `nodes`: the canvas of the units, which steps back while one of them is pointed at. */
  paint(
    scene: GraphScene,
    colors: GraphColors,
    brush: Brush | null,
    nodes: HTMLCanvasElement,
    ratio?: number,
  ): void {
    const { graph, layout } = scene;
    if (!graph || !layout) return;
    const context = freshCanvas(this.canvas, scene.width, scene.height, true, ratio);
    const stage = { context, scene, graph, layout, colors };
    paintLit(stage);
    for (const edge of scene.pointed?.steps ?? []) paintEdge(stage, edge, 2.5);
    paintLabels(context, scene, colors);
    if (scene.hover) paintPointed(stage, scene.hover, nodes);
    if (scene.via) paintEdge(stage, scene.via, 2);
    const { accent, ink } = colors.palette;
    for (const node of scene.selected) paintRing(stage, node, accent, 2);
    if (scene.cursor) paintRing(stage, scene.cursor, ink, 2, 3);
    paintNames(stage);
    paintBrush(context, { brush, palette: colors.palette });
  }
}

/** Every edge of the lit paths once, the weakest first. */
function paintLit(stage: Stage): void {
  const edges = new Map<string, Edge>();
  for (const path of stage.scene.litPaths)
    for (const edge of path.steps) edges.set(`${edge.bundle}:${edge.edge}`, edge);
  const strength = (edge: Edge) => Math.abs(strengthAt(stage, edge));
  for (const edge of [...edges.values()].sort((a, b) => strength(a) - strength(b))) paintEdge(stage, edge, 0);
}

function paintPointed(stage: Stage, spot: Node | Edge, nodes: HTMLCanvasElement): void {
  const { ink } = stage.colors.palette;
  if (isNode(spot)) {
    const edges = drawnAt(stage, spot);
    for (const edge of edges) paintEdge(stage, edge, 0);
    for (const node of [spot, ...edges.flatMap((edge) => endsOf(stage.graph, edge))])
      copyMark(stage, node, nodes);
    paintRing(stage, spot, ink, 1.5);
    return;
  }
  paintEdge(stage, spot, 2.5);
  for (const node of endsOf(stage.graph, spot)) paintRing(stage, node, ink, 1.5);
}

/** A unit as it stands on its own canvas, where all units are faint just now. */
function copyMark({ context, scene, graph, layout }: Stage, node: Node, nodes: HTMLCanvasElement): void {
  const { x, y } = scene.placeOf(node);
  const mark = markAt(graph, layout, node.column, scene.camera.scale);
  const wide = halfWidth(mark) + 1;
  const high = mark.tile < 0 ? Math.max(1, (layout.pitch[node.column] * scene.camera.scale) / 2) : wide;
  const [left, top] = [Math.max(0, x - wide), Math.max(0, y - high)];
  const [width, height] = [Math.min(scene.width, x + wide) - left, Math.min(scene.height, y + high) - top];
  if (width <= 0 || height <= 0) return;
  const ratio = nodes.width / scene.width;
  const from = [left, top, width, height].map((side) => side * ratio) as [number, number, number, number];
  context.drawImage(nodes, ...from, left, top, width, height);
}

/** The strongest drawn edges that begin or end at a unit. */
function drawnAt({ scene, graph }: Stage, { column, unit }: Node): Edge[] {
  const found: Edge[] = [];
  scene.drawn.edges.forEach((edges, bundle) => {
    const own = graph.bundles[bundle];
    const end = own.source === column ? edgeFrom : own.target === column ? edgeTo : null;
    if (!end) return;
    const touching: Edge[] = [];
    for (let i = edges.length - 1; i >= 0 && touching.length < MOST_LIT; i--)
      if (end(own, edges[i]) === unit) touching.push({ bundle, edge: edges[i] });
    found.push(...touching.reverse());
  });
  return found;
}

function strengthAt({ scene }: Stage, { bundle, edge }: Edge): number {
  return strengthOf(scene.strengths.values[bundle][edge], scene.strengths.largest[bundle]);
}

/** `halo` is how much wider the rim is that sets an edge off from those around it. */
function paintEdge(stage: Stage, edge: Edge, halo: number): void {
  const { context, scene, graph, layout, colors } = stage;
  const strength = strengthAt(stage, edge);
  const path = new Path2D();
  const [from, to] = endsOf(graph, edge);
  const course = courseOf(graph, layout, scene.camera, edge.bundle);
  traceEdge(path, course, scene.placeOf(from).y, scene.placeOf(to).y);
  const finite = Math.abs(strength) <= 1;
  const width = finite ? INK.widths[0] + (INK.widths[1] - INK.widths[0]) * Math.abs(strength) : 1.6;
  if (halo > 0) {
    context.strokeStyle = colors.palette.paper;
    context.lineWidth = width + 2 * halo;
    context.stroke(path);
  }
  context.strokeStyle = finite ? colorOf(colors.diverging, strength, INK) : markColor(colors, strength);
  context.lineWidth = width + (halo > 0 ? 0.8 : 0);
  if (!finite) context.setLineDash([5.4, 3.6]);
  context.stroke(path);
  context.setLineDash([]);
}

function markColor({ palette }: GraphColors, strength: number): string {
  return palette.marks[MARKED[[NOT_FINITE.minus, NOT_FINITE.nan, NOT_FINITE.plus].indexOf(strength)]];
}

/** Round a dot, along a tile, across a strip. */
function paintRing(stage: Stage, node: Node, color: string, width: number, gap = 1): void {
  const { context, scene, graph, layout } = stage;
  const { x, y } = scene.placeOf(node);
  const mark = markAt(graph, layout, node.column, scene.camera.scale);
  const { maps } = graph.columns[node.column];
  const out = gap + width / 2;
  context.strokeStyle = color;
  context.lineWidth = width;
  if (mark.tile > 0 && maps) {
    const box = tileBox(maps, mark.tile, x, y);
    context.strokeRect(box.left - out, box.top - out, box.width + 2 * out, box.height + 2 * out);
  } else if (mark.tile < 0) {
    const half = halfWidth(mark) + 4;
    const pitch = layout.pitch[node.column] * scene.camera.scale;
    context.fillStyle = color;
    context.fillRect(x - half, y - Math.max(1, pitch / 2), 2 * half, Math.max(2, pitch));
  } else {
    context.beginPath();
    context.arc(x, y, Math.max(3, mark.radius + out), 0, 2 * Math.PI);
    context.stroke();
  }
}

/** The names of a few: the unit pointed at, where the keyboard stands, both ends of an edge. */
function paintNames(stage: Stage): void {
  const { scene, graph } = stage;
  const { hover, cursor } = scene;
  const named = hover ? (isNode(hover) ? [hover] : endsOf(graph, hover)) : cursor ? [cursor] : [];
  for (const node of named) paintName(stage, node);
}

function paintName({ context, scene, graph, layout, colors }: Stage, node: Node): void {
  const { x, y } = scene.placeOf(node);
  const { palette } = colors;
  const text = nameOfNode(graph, node);
  const gap = halfWidth(markAt(graph, layout, node.column, scene.camera.scale)) + 8;
  context.font = `600 11px ${palette.font}`;
  const width = context.measureText?.(text)?.width ?? 0;
  const left = x + gap + width > scene.width ? x - gap - width : x + gap;
  context.fillStyle = palette.paper;
  context.globalAlpha = 0.88;
  context.fillRect(left - 3, y - 8, width + 6, 16);
  context.globalAlpha = 1;
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillStyle = palette.ink;
  context.fillText(text, left, y + 0.5);
}
