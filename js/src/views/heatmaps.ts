// The whole LinkedHeatmaps view: tools, facts, panels, selection; and when each of them is painted.

import { type LayerClusters, labelsByUnit } from "../core/clusters.ts";
import { decodeContent, type WireContent } from "../core/content.ts";
import type { Clusters } from "../core/dendrogram.ts";
import { plural } from "../core/format.ts";
import type { JobAction } from "../core/job.ts";
import type { Palette } from "../core/palette.ts";
import { type Part, Scene } from "../core/scene.ts";
import { type Change, layerOf, sameUnits } from "../core/selection.ts";
import { throttle } from "../core/throttle.ts";
import { make, setText } from "./dom.ts";
import { addDownloads } from "./download.ts";
import { ExactAsker, type ExactRequest } from "./exact.ts";
import { liveFacts, paintFacts } from "./facts_view.ts";
import { Frames } from "./frames.ts";
import { PanButton } from "./pan_button.ts";
import type { PanelActions } from "./panel.ts";
import { PanelRow } from "./panel_row.ts";
import { type FoundUnits, makeSearch, type Search } from "./search_box.ts";
import { SelectionBar } from "./selection_bar.ts";
import { followTheme, readPalette } from "./theme.ts";
import { watchWidth } from "./watch_width.ts";

/** What the world outside does with a change made here. */
export interface HeatmapsHost {
  /** `cut` is the new one where a hand has moved it, and null where the clusters came of what was set outside. */
  clustersChanged(clusters: LayerClusters, cut: number | null): void;
  selectionChanged(layer: string, names: string[]): void;
  askExact(request: ExactRequest): void;
  askJob(action: JobAction): void;
}

/** At most ten cuts a second leave the browser: a notebook server drops what comes faster for long. */
const CLUSTERS_EVERY = 100;

export class HeatmapsView {
  private readonly scene = new Scene((part) => this.changed(part));
  private readonly frames: Frames<Part>;
  private readonly pan: PanButton;
  private readonly headline = make("span", { class: "nbw-title" });
  private readonly facts = make("div", { class: "nbw-facts", role: "list", "aria-label": "numbers" });
  private readonly live = make("div", { class: "nbw-sr", "aria-live": "polite" });
  private readonly panels: PanelRow;
  private readonly selectionBar: SelectionBar;
  private readonly exact: ExactAsker;
  private readonly search: Search;
  private readonly sendClusters;
  private told: Clusters | null = null;
  /** The cut that a hand has made and nobody outside knows yet. */
  private handsCut: number | null = null;
  private palette: Palette | null = null;
  private width = 0;

  constructor(
    private readonly root: HTMLElement,
    private readonly host: HeatmapsHost,
    private readonly signal: AbortSignal,
  ) {
    this.frames = new Frames(root, (dirty) => this.paint(dirty), signal);
    this.pan = new PanButton(root, signal);
    this.sendClusters = throttle(() => this.tellClusters(), CLUSTERS_EVERY);
    this.exact = new ExactAsker(
      (request) => host.askExact(request),
      () => this.changed("hover"),
      signal,
    );
    this.search = makeSearch(this.scene, (found) => this.found(found), signal);
    this.panels = new PanelRow(this.scene, this.panelActions(), signal);
    this.selectionBar = new SelectionBar(
      this.scene,
      {
        drop: (name) => this.tell(this.scene.drop(name)),
        replace: (rows) => this.select(rows, "replace"),
        clear: () => this.select([], "replace"),
      },
      signal,
    );
    root.append(this.toolbar(), this.facts, this.panels.node, this.selectionBar.node, this.live);
    followTheme(root, () => this.recolour(), signal);
    this.watchSize();
    signal.addEventListener("abort", () => this.sendClusters.cancel(), { once: true });
  }

  private toolbar(): HTMLElement {
    const { signal } = this;
    const bar = make("div", { class: "nbw-toolbar" }, this.headline, this.search.node, this.pan.node);
    addDownloads(bar, () => (this.palette ? { scene: this.scene, palette: this.palette } : null), signal);
    return bar;
  }

  private watchSize(): void {
    watchWidth(this.root, (width) => this.resized(width), this.signal);
    // Moving the window to another screen changes the pixels without changing the size.
    window.addEventListener("resize", () => this.changed("spans"), { signal: this.signal });
  }

  private resized(width: number): void {
    this.width = width;
    this.panels.place(width);
    // The first size comes when the view is in the page, and only there have the style sheet's colours a value.
    this.recolour();
  }

  private recolour(): void {
    this.palette = readPalette(this.root);
    this.changed("content");
  }

  setContent(wire: WireContent): void {
    this.frames.guard(() => {
      const content = decodeContent(wire);
      this.exact.forget();
      this.search.forget();
      this.scene.setContent(content);
      this.panels.setContent(content);
      this.root.classList.toggle("nbw-empty", content.matrices.length === 0);
      setText(
        this.headline,
        content.rows ? `${content.layer} · ${plural(content.rows, "unit")}` : content.layer,
      );
      this.panels.place(this.width);
    });
  }

  /** A job that only goes on repaints its own card; one that comes or goes changes the room of the panels. */
  setJob(job: unknown): void {
    this.frames.guard(() => {
      if (!this.panels.setJob(job)) return;
      this.panels.place(this.width);
      this.changed("spans");
    });
  }

  setCut(cut: number): void {
    this.scene.setCut(cut);
  }

  setSelection(names: readonly string[]): void {
    if (!sameUnits(names, this.scene.selected)) this.scene.setNames(names);
  }

  receive(message: unknown): void {
    this.exact.receive(message);
  }

  private panelActions(): PanelActions & { askJob(action: JobAction): void } {
    return {
      select: (rows, change) => this.select(rows, change),
      selectColumns: (matrix, columns, change) =>
        this.chosen(this.scene.selectColumns(matrix, columns, change)),
      askJob: (action) => this.host.askJob(action),
      restore: (names) => {
        this.scene.setNames(names);
        this.tell([...names]);
      },
      setCut: (cut, done) => {
        this.handsCut = cut;
        this.scene.setCut(cut);
        if (done) this.sendClusters.flush();
      },
      panning: () => this.pan.pressed,
      repaint: () => this.changed("hover"),
      say: (text) => setText(this.live, text),
      exact: this.exact,
    };
  }

  private select(rows: readonly number[], change: Change): void {
    this.chosen(this.scene.select(rows, change));
  }

  private chosen(names: readonly string[]): void {
    this.tell(names);
    setText(this.live, `${plural(this.scene.shown.length, "unit")} selected`);
  }

  private tell(names: readonly string[]): void {
    // Chips of another layer can be taken away here too: what is left is still of that layer.
    const layer = names.length > 0 ? layerOf(names[0]) : (this.scene.content?.layer ?? "");
    this.host.selectionChanged(layer, [...names]);
  }

  private found(found: FoundUnits): void {
    const { scene } = this;
    if (found.matrix === null) {
      this.select(found.cells, "replace");
      // Rows thinner than 1/120 of the plot cannot be made out: come closer.
      scene.show(found.cells, 1 / 120);
    } else {
      this.chosen(scene.selectColumns(found.matrix, found.cells, "replace"));
      scene.showColumns(found.matrix, found.cells[0], found.cells[found.cells.length - 1]);
    }
  }

  /** The clusters by unit, for a view of the same layer in an order of its own. */
  private tellClusters(): void {
    const { content, clusters } = this.scene;
    if (!content || (clusters === this.told && this.handsCut === null)) return;
    this.host.clustersChanged(labelsByUnit(content, clusters), this.handsCut);
    this.told = clusters;
    this.handsCut = null;
  }

  private changed(part: Part): void {
    if (this.scene.content && (part === "cut" || part === "content")) this.sendClusters(undefined);
    this.frames.changed(part);
  }

  private paint(dirty: ReadonlySet<Part>): boolean {
    const { palette, scene } = this;
    const content = scene.content;
    if (!palette || !content || this.width === 0) return false;
    this.panels.paint(palette, dirty);
    if (dirty.has("content") || dirty.has("selection") || dirty.has("cut")) {
      paintFacts(this.facts, [...content.facts, ...liveFacts(scene)]);
      this.selectionBar.paint();
    }
    this.root.dataset.layer = content.layer;
    this.root.dataset.clusters = String(scene.clusters.count);
    return true;
  }
}
