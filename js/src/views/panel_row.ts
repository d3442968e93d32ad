// The panels side by side, the card of a job among them, and how much room each gets.

import { type Content, isSquare } from "../core/content.ts";
import { type Job, type JobAction, readJob } from "../core/job.ts";
import { GAP, layoutPanels, type Shape } from "../core/layout.ts";
import type { Palette } from "../core/palette.ts";
import type { Part, Scene } from "../core/scene.ts";
import { make } from "./dom.ts";
import { JobCard } from "./job_card.ts";
import { Panel, type PanelActions } from "./panel.ts";

/** Heads grow in all panels together, or rows would no longer stand level: two lines, then two for the title. */
const HEADS = ["nbw-two-lines", "nbw-long-titles"];

export class PanelRow {
  readonly node = make("div", { class: "nbw-panels" });
  private readonly card: JobCard;
  private panels: Panel[] = [];
  private job: Job | null = null;
  private life: AbortController | null = null;

  constructor(
    private readonly scene: Scene,
    private readonly actions: PanelActions & { askJob(action: JobAction): void },
    signal: AbortSignal,
  ) {
    this.card = new JobCard(actions.askJob, actions.say, signal);
    this.node.style.gap = `${GAP}px`;
    signal.addEventListener("abort", () => this.life?.abort(), { once: true });
  }

  setContent(content: Content): void {
    this.life?.abort();
    this.life = new AbortController();
    const { signal } = this.life;
    this.panels = content.matrices.map((matrix, i) => new Panel(i, matrix, this.scene, this.actions, signal));
    const message = content.message ? [make("p", { class: "nbw-message" }, content.message)] : [];
    const focused = this.focusedPlot();
    // The card stays in the page all the while: an element that is taken out loses the focus.
    for (const child of [...this.node.children]) if (child !== this.card.node) child.remove();
    this.node.prepend(...message, ...this.panels.map((panel) => panel.node));
    this.showCard();
    if (focused) this.focusPlot(content.matrices.findIndex((matrix) => matrix.id === focused));
  }

  /** The id of the matrix whose plot has the focus. */
  private focusedPlot(): string | undefined {
    const plot = this.node.querySelector(".nbw-plot:focus");
    return plot?.closest<HTMLElement>("[data-matrix]")?.dataset.matrix;
  }

  private focusPlot(index: number): void {
    this.panels[index]?.node.querySelector<HTMLElement>(".nbw-plot")?.focus({ preventScroll: true });
  }

  /** Shows the job and tells whether panels must be placed anew, because its card came or went. */
  setJob(raw: unknown): boolean {
    const before = this.job;
    this.job = readJob(raw);
    if (this.job) this.card.paint(this.job);
    else this.card.clear();
    if ((before === null) === (this.job === null)) return false;
    this.showCard();
    return true;
  }

  private showCard(): void {
    const { node } = this.card;
    const focused = node.contains(document.activeElement);
    if (!this.job) node.remove();
    else if (node.parentNode !== this.node) this.node.append(node);
    // Whoever pressed the button finds what it made in its place.
    if (focused && !this.job) this.focusPlot(this.panels.length - 1);
  }

  place(width: number): void {
    const { content } = this.scene;
    if (!content || width === 0) return;
    const shapes = shapesOf(content);
    const boxes = layoutPanels(width, this.job ? [...shapes, placeOfJob(content)] : shapes);
    this.panels.forEach((panel, i) => {
      panel.place(boxes[i]);
    });
    this.card.place(boxes[boxes.length - 1]?.panel ?? width);
    this.levelHeads();
  }

  private levelHeads(): void {
    this.node.classList.remove(...HEADS);
    const words = [...this.node.querySelectorAll("[data-matrix] .nbw-head > :is(.nbw-title, .nbw-how)")];
    for (const name of HEADS) {
      if (!words.some(isCut)) return;
      this.node.classList.add(name);
    }
  }

  paint(palette: Palette, changed: ReadonlySet<Part>): void {
    const all = changed.has("content");
    const moved = all || changed.has("spans");
    const picked = all || changed.has("selection");
    for (const panel of this.panels) {
      if (moved) panel.paintCells(palette);
      if (moved || picked || changed.has("cut")) panel.paintTree(palette);
      if (moved || picked || changed.has("hover")) panel.paintOverlay(palette);
    }
  }
}

function shapesOf(content: Content): Shape[] {
  return content.matrices.map((matrix) => ({
    square: isSquare(matrix),
    rows: matrix.base.rows,
    columns: matrix.base.columns,
    sums: matrix.sums !== null,
    titled: Boolean(matrix.columns?.layer),
  }));
}

/** A job's card takes the place of an ordinary panel with sums: when that comes, the others stay where they are. */
function placeOfJob({ rows }: Content): Shape {
  return { square: false, rows, columns: rows / 2, sums: true, titled: true };
}

function isCut({ scrollWidth, clientWidth, scrollHeight, clientHeight }: Element): boolean {
  return scrollWidth > clientWidth + 1 || scrollHeight > clientHeight + 1;
}
