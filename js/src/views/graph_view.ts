// The whole EdgeGraph view: head, controls, plot, read-out, table; and when each of them is painted.

import type { LayerClusters } from "../core/clusters.ts";
import { decodeGraph, type Node } from "../core/graph_content.ts";
import type { Quantity } from "../core/graph_strength.ts";
import type { WireGraph } from "../core/graph_wire.ts";
import { FRAME } from "../core/layout.ts";
import { sameUnits } from "../core/selection.ts";
import { button, make, screenRatio, setText, showError } from "./dom.ts";
import { Frames } from "./frames.ts";
import { type Brush, followGestures } from "./gestures.ts";
import { type GraphColors, readColors } from "./graph_colors.ts";
import { GraphControls } from "./graph_controls.ts";
import { EdgesCanvas } from "./graph_edges_canvas.ts";
import { GraphHands, type GraphHost } from "./graph_hands.ts";
import { GraphHeads } from "./graph_heads.ts";
import { followGraphKeys } from "./graph_keys.ts";
import { MapCard } from "./graph_map.ts";
import { NodesCanvas } from "./graph_nodes.ts";
import { GraphOverlay } from "./graph_overlay.ts";
import { GraphPathList } from "./graph_path_list.ts";
import { downloadPicture } from "./graph_picture.ts";
import { GraphPointer } from "./graph_pointer.ts";
import { GraphReadout, readPointed } from "./graph_readout.ts";
import { type GraphPart, GraphScene, isNode } from "./graph_scene.ts";
import { GraphTable } from "./graph_table.ts";
import { GraphTip } from "./graph_tip.ts";
import { GraphWords, summaryOf } from "./graph_words.ts";
import { PanButton } from "./pan_button.ts";
import { followTheme, readPalette } from "./theme.ts";
import { watchWidth } from "./watch_width.ts";
import { WheelHint } from "./wheel_hint.ts";

/** The hand rests when nothing has moved for this long, in milliseconds. */
const REST = 120;

export class GraphView {
  private readonly scene = new GraphScene((part) => this.changed(part));
  private readonly frames: Frames<GraphPart>;
  private readonly pan: PanButton;
  private readonly live = make("div", { class: "nbw-sr", "aria-live": "polite" });
  private readonly message = make("p", { class: "nbw-message", hidden: true });
  private readonly words = new GraphWords(this.scene);
  private readonly panel: HTMLElement;
  private readonly plot: HTMLElement;
  private readonly stage: HTMLElement;
  /** What a picture of the graph shows, from the top. */
  private readonly parts: readonly HTMLElement[];
  private readonly hint: WheelHint;
  private readonly edges: EdgesCanvas;
  private readonly nodes = new NodesCanvas();
  private readonly overlay = new GraphOverlay();
  private readonly heads: GraphHeads;
  private readonly controls: GraphControls;
  private readonly readout = new GraphReadout(this.scene);
  private readonly tip = new GraphTip(this.scene);
  private readonly paths: GraphPathList;
  private readonly table: GraphTable;
  private readonly card: MapCard;
  private readonly hands: GraphHands;
  private colors: GraphColors | null = null;
  private brush: Brush | null = null;
  private width = 0;
  private tall = 380;
  private resting: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly root: HTMLElement,
    host: GraphHost,
    private readonly signal: AbortSignal,
  ) {
    const { scene } = this;
    this.frames = new Frames(root, (dirty) => this.paint(dirty), signal);
    this.pan = new PanButton(root, signal);
    const desk = {
      say: (text: string) => setText(this.live, text),
      open: (node: Node) => this.open(node),
      close: () => this.card.hide(),
    };
    this.hands = new GraphHands(scene, host, desk, signal);
    this.edges = new EdgesCanvas((part) => this.changed(part), signal);
    this.hint = new WheelHint(signal);
    this.heads = new GraphHeads((layer) => this.hands.pick(layer), signal);
    this.controls = new GraphControls(scene, this.hands.controls(), signal);
    this.paths = new GraphPathList(scene, signal);
    this.table = new GraphTable(scene, signal);
    this.card = new MapCard(scene, () => this.plot.focus(), signal);
    this.plot = make(
      "div",
      {
        class: "nbw-plot nbw-graph-plot",
        tabindex: "0",
        role: "application",
        "aria-roledescription": "graph",
      },
      this.edges.canvas,
      this.nodes.canvas,
      this.overlay.canvas,
      this.hint.node,
      this.edges.busy,
    );
    this.stage = make(
      "div",
      { class: "nbw-graph-stage" },
      this.plot,
      this.heads.node,
      this.heads.feet,
      this.card.node,
      this.tip.node,
    );
    const head = make("div", { class: "nbw-head" }, this.words.title, this.words.how, this.tools());
    const foot = make("div", { class: "nbw-foot nbw-wide" }, this.words.legend, this.readout.node);
    this.panel = make(
      "div",
      { class: "nbw-panel nbw-graph", role: "group", "aria-label": "edges" },
      head,
      this.controls.node,
      this.stage,
      foot,
      this.words.notes,
      this.paths.node,
      this.table.node,
    );
    this.parts = [head, this.stage, foot, this.words.notes, this.paths.node];
    root.append(this.message, this.panel, this.live);
    followGestures(this.plot, this.pointer(), signal);
    followGraphKeys(this.plot, this.hands.keys(), signal);
    followTheme(root, () => this.recolour(), signal);
    watchWidth(root, (width) => this.resized(width), signal);
    // Moving the window to another screen changes the pixels without changing the size.
    window.addEventListener("resize", () => this.changed("graph"), { signal });
    signal.addEventListener("abort", () => clearTimeout(this.resting), { once: true });
  }

  private tools(): HTMLElement {
    const { scene, signal } = this;
    const middle = () => ({ x: scene.width / 2, y: scene.height / 2 });
    return make(
      "span",
      { class: "nbw-zoom", role: "group", "aria-label": "zoom" },
      this.pan.node,
      button("−", "zoom out (−)", () => scene.zoomAt(middle(), 1 / 1.6), signal),
      button("+", "zoom in (+)", () => scene.zoomAt(middle(), 1.6), signal),
      button("fit", "show everything (0, or double click)", () => scene.fit(), signal),
      button("PNG", "download what is seen as PNG", () => this.download(), signal),
    );
  }

  private async download(): Promise<void> {
    try {
      const paper = this.colors?.palette.paper;
      if (paper) await downloadPicture(this.parts, this.scene, paper, (ratio) => this.sharpen(ratio));
    } catch (error) {
      showError(this.root, error);
    }
  }

  /** Until the next frame, which has the pixels of the screen again. */
  private sharpen(ratio: number): void {
    const { colors, scene } = this;
    if (!colors || (ratio <= screenRatio() && this.edges.sharp)) return;
    const pixels = Math.max(ratio, screenRatio());
    this.edges.paintWhole(scene, colors, pixels);
    this.nodes.paint(scene, colors, pixels);
    this.overlay.paint(scene, colors, this.brush, this.nodes.canvas, pixels);
    this.changed("graph");
  }

  private pointer(): GraphPointer {
    return new GraphPointer({
      scene: this.scene,
      select: (...chosen) => this.hands.select(...chosen),
      open: (node) => this.open(node),
      clear: () => this.hands.clear(),
      restore: (names) => this.hands.restore(names),
      panning: () => this.pan.pressed,
      brush: (box) => {
        this.brush = box && { ...box };
        this.changed("overlay");
      },
      at: (x, y) => this.tip.follow(x, y),
      hint: () => this.hint.show(),
    });
  }

  private open(node: Node): void {
    this.card.hide();
    if (this.colors) this.card.show(node, this.colors);
  }

  setContent(wire: WireGraph): void {
    this.frames.guard(() => {
      const graph = decodeGraph(wire);
      this.card.hide();
      this.heads.setGraph(graph);
      this.scene.setGraph(graph);
      const empty = graph.columns.length === 0;
      setText(this.message, graph.message || (empty ? "no edges to show" : ""));
      this.message.hidden = !graph.message && !empty;
      this.panel.hidden = empty;
      this.plot.setAttribute("aria-label", summaryOf(graph));
      this.recolour();
    });
  }

  setEdges(choice: { sample: number; quantity: Quantity; shown: number; perUnit: number }): void {
    this.scene.setEdges(choice);
  }

  setColors(by: "activation" | "cluster", clusters: LayerClusters | null): void {
    this.scene.setColors(by, clusters);
  }

  setSelection(names: readonly string[]): void {
    if (!sameUnits(names, this.scene.names)) this.scene.setNames(names);
  }

  setLayer(layer: string): void {
    this.scene.setLayer(layer);
  }

  setHeight(height: number): void {
    if (!(height >= 120)) return;
    this.tall = height;
    if (this.width > 0) this.place();
  }

  private resized(width: number): void {
    this.width = width;
    this.place();
    // The first size comes when the view is in the page, and only there have the style sheet's colours a value.
    this.recolour();
  }

  private place(): void {
    const width = Math.max(200, Math.floor(this.width - FRAME));
    this.stage.style.height = `${this.tall}px`;
    this.plot.style.width = `${width}px`;
    this.plot.style.height = `${this.tall}px`;
    this.root.classList.toggle("nbw-graph-small", this.width < 760);
    this.scene.setSize(width, this.tall);
  }

  private recolour(): void {
    const { graph } = this.scene;
    if (!graph || this.width === 0) return;
    this.colors = readColors(graph, readPalette(this.root));
    this.changed("graph");
  }

  private changed(part: GraphPart): void {
    this.frames.changed(part);
  }

  private paint(dirty: ReadonlySet<GraphPart>): boolean {
    const { colors, scene } = this;
    const { graph } = scene;
    if (!colors || !graph || !scene.layout) return false;
    const all = dirty.has("graph") || dirty.has("size");
    const edges = all || dirty.has("edges");
    const moved = dirty.has("camera");
    if (graph.columns.length > 0) {
      if (edges) this.paintEdges(colors);
      else if (moved) this.follow(colors);
      if (edges || moved || dirty.has("nodes")) this.nodes.paint(scene, colors);
      if (edges || dirty.has("nodes")) this.heads.paint(scene, colors);
      if (edges || moved || dirty.has("nodes")) this.heads.place(scene);
      if (edges || dirty.has("nodes")) {
        this.words.paint(graph, colors, this.edges.plain);
        this.controls.paint();
      }
      if (edges) this.table.change();
      if (edges && this.card.shown) this.card.paint(colors);
      if (moved) this.card.place();
      this.dim();
      this.overlay.paint(scene, colors, this.brush, this.nodes.canvas);
      this.readout.paint();
      this.tip.say(readPointed(scene));
      this.paths.paint();
      this.table.paint();
    }
    this.root.dataset.drawn = String(graph.columns.length > 0 ? scene.drawn.count : 0);
    return true;
  }

  /** What stands out on the layer above does so only if the rest steps back. */
  private dim(): void {
    const { hover, litPaths, pointed } = this.scene;
    const { classList } = this.edges.canvas;
    classList.toggle("nbw-dimmed", litPaths.length > 0);
    classList.toggle("nbw-hushed", isNode(hover) || pointed !== null);
    classList.toggle("nbw-softened", hover !== null && !isNode(hover));
    this.nodes.canvas.classList.toggle("nbw-hushed", isNode(hover));
  }

  private paintEdges(colors: GraphColors): void {
    clearTimeout(this.resting);
    this.edges.paint(this.scene, colors, () => this.tellSharp());
    this.tellSharp();
  }

  private tellSharp(): void {
    this.root.dataset.sharp = String(this.edges.sharp);
  }

  /** The picture goes with the hand, and is painted sharp when the hand rests. */
  private follow(colors: GraphColors): void {
    clearTimeout(this.resting);
    if (this.edges.quick) {
      this.paintEdges(colors);
      return;
    }
    this.edges.move(this.scene);
    this.root.dataset.sharp = "false";
    this.resting = setTimeout(() => this.paintEdges(colors), REST);
  }
}
