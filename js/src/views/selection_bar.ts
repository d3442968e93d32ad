// Who is selected, as chips, and what can be done with them.

import { plural } from "../core/format.ts";
import { exactSquare, medoidsOf } from "../core/inside.ts";
import type { Scene } from "../core/scene.ts";
import { button, make, setText } from "./dom.ts";

export interface SelectionActions {
  drop(name: string): void;
  replace(rows: number[]): void;
  clear(): void;
}

const CHIPS = 12;

export class SelectionBar {
  readonly node: HTMLElement;
  private readonly count = make("span", { class: "nbw-how" });
  private readonly chips = make("div", { class: "nbw-chips", role: "list", "aria-label": "selected units" });
  private readonly hint = make("span", { class: "nbw-hint" });
  private readonly keep: HTMLButtonElement;
  private readonly clear: HTMLButtonElement;

  constructor(
    private readonly scene: Scene,
    private readonly actions: SelectionActions,
    signal: AbortSignal,
  ) {
    this.keep = button("Keep medoid", "", () => this.keepMedoids(), signal);
    this.clear = button("Clear", "let go of every unit (Esc)", () => actions.clear(), signal);
    const tools = make("div", { class: "nbw-tools" }, this.keep, this.clear);
    const title = make("span", { class: "nbw-title" }, "Selection");
    const head = make("div", { class: "nbw-head" }, title, this.count, tools);
    this.node = make(
      "div",
      { class: "nbw-panel nbw-selection", role: "group", "aria-label": "selection" },
      head,
      this.chips,
      this.hint,
    );
    // One listener for all chips: they come and go with every brush.
    this.chips.addEventListener("click", (event) => this.chipPressed(event), { signal });
  }

  private chipPressed(event: MouseEvent): void {
    const name = (event.target as HTMLElement).closest<HTMLElement>("button[data-name]")?.dataset.name;
    if (name === undefined) return;
    this.actions.drop(name);
    (this.chips.querySelector<HTMLElement>("button") ?? this.clear).focus();
  }

  private keepMedoids(): void {
    const { content, clusters, rows } = this.scene;
    const matrix = content && exactSquare(content);
    if (content && matrix) this.actions.replace(medoidsOf(content, matrix, clusters, rows));
  }

  paint(): void {
    const { content, shown, unknown } = this.scene;
    if (!content) return;
    const total = shown.length + unknown.length;
    setText(this.count, total ? plural(total, "unit") : "");
    const chips = [
      ...shown.slice(0, CHIPS).map((name) => chip(name, true)),
      ...unknown.slice(0, CHIPS).map((name) => chip(name, false)),
    ];
    const more = total - chips.length;
    if (more > 0)
      chips.push(
        make("span", { class: "nbw-more", role: "listitem" }, `+ ${more.toLocaleString("en-GB")} more`),
      );
    this.chips.replaceChildren(...chips);
    this.chips.hidden = total === 0;
    this.hint.hidden = total > 0;
    setText(this.hint, "Drag over cells, click a branch or a colour, or find a unit by its number.");
    this.paintButtons(total);
  }

  private paintButtons(total: number): void {
    const { content, clusters, rows } = this.scene;
    const exact = content ? exactSquare(content) : null;
    const clustered = rows.some((row) => clusters.labels[row] > 0);
    this.keep.disabled = !exact || !clustered;
    this.keep.title = !exact
      ? "needs exact values: this matrix came rounded to 250 steps"
      : "keep the most central unit of every cluster that is touched, and let go of the others";
    this.clear.disabled = total === 0;
  }
}

function chip(name: string, known: boolean): HTMLElement {
  const face = make("button", {
    type: "button",
    class: known ? "nbw-chip" : "nbw-chip nbw-unknown",
    "data-name": name,
    title: known ? `let go of ${name}` : `${name} is not in this layer; press to let go of it`,
    "aria-label": known ? `let go of ${name}` : `let go of ${name}, not in this layer`,
  });
  face.append(name, make("span", { class: "nbw-x", "aria-hidden": "true" }, "×"));
  const item = make("span", { role: "listitem" }, face);
  if (!known) item.append(make("small", {}, " not in this layer"));
  return item;
}
