// The drawn edges on a canvas of the view, by WebGL where there is one. Painting 100,000 of them takes longer than a
// frame may: while a hand moves the picture, the last one is moved with it and painted again when the hand rests.

import type { Graph } from "../core/graph_content.ts";
import { courseOf, type GraphLayout, wholeView } from "../core/graph_layout.ts";
import type { Drawn } from "../core/graph_strength.ts";
import { context2d, make, screenRatio, setText, sizeCanvas } from "./dom.ts";
import type { GraphColors } from "./graph_colors.ts";
import { DrawnNumbers } from "./graph_edge_numbers.ts";
import { type EdgePicture, inkFor } from "./graph_edges.ts";
import { type EdgePainter, knownPainter, sharedPainter } from "./graph_gl.ts";
import { EdgeRaster } from "./graph_raster.ts";
import type { GraphScene } from "./graph_scene.ts";

/** WebGL paints so many edges in every frame; a 2D canvas whatever takes it less than these milliseconds. */
const QUICK_EDGES = 20_000;
const QUICK = 6;
/** So long, in milliseconds, a frame may paint. The first picture of a graph may take its time: nobody moves it yet. */
const SLICE = 10;
const FIRST_SLICE = 450;
/** So long after a picture it is asked whether there is WebGL. */
const REST = 1000;
/** After so many milliseconds the view says that it is still drawing, and so often shows what it has. */
const PATIENCE = 400;

export class EdgesCanvas {
  canvas = this.front();
  /** Undefined until it is known whether there is one. */
  private painter: EdgePainter | null | undefined;
  private made: { drawn: Drawn; layout: GraphLayout; edges: DrawnNumbers } | null = null;
  /** The picture on the canvas, finished or not. */
  private shown: EdgePicture | null = null;
  private took = 0;
  /** Says how far a picture is that takes long. */
  readonly busy = make("div", { class: "nbw-graph-busy", role: "status", hidden: true });
  /** A picture in the making. */
  private making: Making | null = null;
  private frame = 0;
  /** The graph of the picture that is seen, finished or not. */
  private painted: Graph | null = null;
  private lost = false;
  private asking: ReturnType<typeof setTimeout> | undefined;

  /** `changed` says that the edges need painting again, or else that how they are painted has become known. */
  constructor(
    private readonly changed: (part: "edges" | "nodes") => void,
    private readonly signal: AbortSignal,
  ) {
    this.adopt(knownPainter());
    signal.addEventListener("abort", () => this.end(), { once: true });
  }

  private front(): HTMLCanvasElement {
    return make("canvas", { class: "nbw-graph-edges", "aria-hidden": "true" });
  }

  private end(): void {
    this.stop();
    clearTimeout(this.asking);
  }

  private adopt(painter: EdgePainter | null | undefined): void {
    this.painter = painter;
    painter?.serve(this, () => this.changed("edges"), this.signal);
  }

  /**
   * Making a WebGL context takes up to a quarter of a second, and a page has few: no picture waits for it, and one that
   * the processor draws in time does not need it.
   */
  private askLater(): void {
    if (this.painter !== undefined || this.asking !== undefined || this.took <= QUICK) return;
    this.asking = setTimeout(() => {
      this.adopt(sharedPainter());
      if (this.painter) {
        // The old canvas is drawn by the processor for ever.
        const old = this.canvas;
        this.canvas = this.front();
        old.replaceWith(this.canvas);
      }
      this.changed(this.painter ? "edges" : "nodes");
    }, REST);
  }

  /** Drawn by the 2D canvas, because there is no WebGL or it is lost. */
  get plain(): boolean {
    return this.painter === null || this.lost;
  }

  /** No picture is in the making. */
  get sharp(): boolean {
    return this.making === null;
  }

  /** Whether each frame has time to paint them anew. */
  get quick(): boolean {
    return !this.painter || this.lost ? this.took <= QUICK : (this.made?.drawn.count ?? 0) <= QUICK_EDGES;
  }

  paint(scene: GraphScene, colors: GraphColors, done: () => void): void {
    const { graph, layout, drawn } = scene;
    if (!graph || !layout) return;
    this.stop();
    const picture = this.picture(scene, graph, layout, drawn, screenRatio(), colors);
    if (this.paintByCard(picture)) return;
    const isNew = this.painted !== graph;
    this.making = { picture, graph, isNew, done, drawing: null, ...startedAt(performance.now()) };
    // Where a picture takes long, the next one may come before it is done: then each frame has one slice, not two.
    if (isNew || this.took <= QUICK) this.goOn();
    else this.frame = requestAnimationFrame(() => this.goOn());
  }

  /** At once, however long it takes: what is to be copied next. */
  paintWhole(scene: GraphScene, colors: GraphColors, ratio: number): void {
    const { graph, layout, drawn } = scene;
    if (!graph || !layout) return;
    this.stop();
    const picture = this.picture(scene, graph, layout, drawn, ratio, colors);
    if (this.paintByCard(picture)) return;
    const raster = new EdgeRaster(picture);
    const slices = raster.slices();
    while (!slices.next().done);
    this.showRaster(raster, picture);
  }

  private paintByCard(picture: EdgePicture): boolean {
    this.lost = Boolean(this.painter && !this.painter.paint(this, picture));
    if (!this.painter || this.lost) return false;
    this.show(this.painter.canvas, picture);
    return true;
  }

  private goOn(): void {
    const { making } = this;
    if (!making) return;
    const { picture, isNew, began } = making;
    const start = performance.now();
    making.drawing ??= drawingOf(picture);
    const { raster, slices } = making.drawing;
    const until = start + (isNew ? FIRST_SLICE : SLICE);
    let share = slices.next();
    while (!share.done && performance.now() < until) share = slices.next();
    making.took += performance.now() - start;
    if (!share.done) {
      if (isNew || this.isOutdated(making, performance.now())) this.showMade(making.graph, raster, picture);
      this.tellBusy(start - began, share.value);
      this.frame = requestAnimationFrame(() => this.goOn());
      return;
    }
    this.stop();
    this.showMade(making.graph, raster, picture);
    this.askLater();
    making.done();
  }

  private showMade(graph: Graph, raster: EdgeRaster, picture: EdgePicture): void {
    this.showRaster(raster, picture);
    this.painted = graph;
  }

  /**
   * Whether an unfinished picture, which has the strongest edges of each layer, is better than the one before: that has
   * stood beside units of another size, in colours of another theme, or simply too long.
   */
  private isOutdated(making: Making, now: number): boolean {
    const fits = this.shown !== null && fitTogether(this.shown, making.picture);
    if (fits && now - making.told < PATIENCE) return false;
    making.told = now;
    return true;
  }

  private tellBusy(waited: number, share: number): void {
    this.busy.hidden = waited < PATIENCE;
    setText(this.busy, `drawing the edges: ${Math.floor(100 * share)} %`);
  }

  private stop(): void {
    cancelAnimationFrame(this.frame);
    this.took = this.making?.took || this.took;
    this.making = null;
    this.busy.hidden = true;
  }

  private showRaster(raster: EdgeRaster, picture: EdgePicture): void {
    sizeCanvas(this.canvas, picture.width, picture.height, picture.ratio);
    const context = context2d(this.canvas, true);
    const image = context.createImageData(raster.width, raster.height);
    raster.writeTo(image.data);
    context.putImageData(image, 0, 0);
    this.seen(picture);
  }

  /** Copies the picture that WebGL drew to the canvas that is seen. */
  private show(from: HTMLCanvasElement, picture: EdgePicture): void {
    sizeCanvas(this.canvas, picture.width, picture.height, picture.ratio);
    const context = context2d(this.canvas);
    const { width: w, height: h } = this.canvas;
    context.globalCompositeOperation = "copy";
    context.drawImage(from, 0, 0, w, h, 0, 0, w, h);
    this.seen(picture);
  }

  private seen(picture: EdgePicture): void {
    this.shown = picture;
    this.canvas.style.transform = "";
  }

  /** Moves the last picture to where the camera looks now. */
  move({ camera }: GraphScene): void {
    this.stop();
    const from = this.shown?.camera ?? wholeView();
    const grown = camera.scale / from.scale;
    const [x, y] = [camera.dx - grown * from.dx, camera.dy - grown * from.dy];
    this.canvas.style.transform = `translate(${x}px, ${y}px) scale(${grown})`;
  }

  private picture(
    scene: GraphScene,
    graph: Graph,
    layout: GraphLayout,
    drawn: Drawn,
    ratio: number,
    { diverging, palette }: GraphColors,
  ): EdgePicture {
    if (this.made?.drawn !== drawn || this.made.layout !== layout)
      this.made = { drawn, layout, edges: new DrawnNumbers(graph, layout, scene.strengths, drawn) };
    let first = 0;
    const runs = drawn.edges.map(({ length: count }, bundle) => {
      const run = { course: courseOf(graph, layout, scene.camera, bundle), first, count };
      first += count;
      return run;
    });
    return {
      width: scene.width,
      height: scene.height,
      ratio,
      camera: scene.camera,
      edges: this.made.edges,
      runs,
      table: diverging,
      marks: palette.marks,
      ink: inkFor(drawn.count),
    };
  }
}

/** A picture that is being drawn, and what is done with it then. */
interface Making {
  picture: EdgePicture;
  graph: Graph;
  /** Whether it is the first of its graph. */
  isNew: boolean;
  done: () => void;
  /** Null until the first slice. */
  drawing: { raster: EdgeRaster; slices: Generator<number> } | null;
  began: number;
  /** When it was asked for or last shown. */
  told: number;
  /** Milliseconds of drawing up to now. */
  took: number;
}

function startedAt(now: number): Pick<Making, "began" | "told" | "took"> {
  return { began: now, told: now, took: 0 };
}

/** Whether edges of one picture stand where those of the other do, in the same colours. */
function fitTogether(one: EdgePicture, other: EdgePicture): boolean {
  const same =
    one.width === other.width && one.height === other.height && one.table.length === other.table.length;
  return same && one.table.every((part, k) => part === other.table[k]);
}

function drawingOf(picture: EdgePicture): NonNullable<Making["drawing"]> {
  const raster = new EdgeRaster(picture);
  return { raster, slices: raster.slices() };
}
