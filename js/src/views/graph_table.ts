// The strongest drawn edges as a table, for whoever reads numbers rather than lines.

import { plural } from "../core/format.ts";
import { TABLE_HEAD, tableRows } from "../core/graph_readout.ts";
import { make, setText } from "./dom.ts";
import type { GraphScene } from "./graph_scene.ts";

const MOST = 50;

export class GraphTable {
  private readonly summary = make("summary", {}, "Table of edges");
  private readonly body = make("tbody");
  private readonly caption = make("caption");
  private readonly details: HTMLDetailsElement;
  private stale = true;

  constructor(
    private readonly scene: GraphScene,
    signal: AbortSignal,
  ) {
    const heads = TABLE_HEAD.map((text) => make("th", { scope: "col" }, text));
    const table = make("table", {}, this.caption, make("thead", {}, make("tr", {}, ...heads)), this.body);
    // A box that scrolls must be reachable by keyboard.
    const box = make(
      "div",
      { class: "nbw-graph-rows", tabindex: "0", role: "region", "aria-label": "edges" },
      table,
    );
    this.details = make("details", { class: "nbw-graph-table" }, this.summary, box);
    this.details.addEventListener("toggle", () => this.fill(), { signal });
  }

  get node(): HTMLElement {
    return this.details;
  }

  /** Other edges are drawn, or other values shown. */
  change(): void {
    this.stale = true;
    setText(
      this.summary,
      `Table: the strongest ${plural(Math.min(MOST, this.scene.drawn.count), "edge")} drawn`,
    );
    this.fill();
  }

  private fill(): void {
    const { graph, strengths, drawn, at } = this.scene;
    if (!this.details.open || !this.stale || !graph) return;
    this.stale = false;
    setText(this.caption, graph.samples[at] ?? "");
    this.body.replaceChildren(
      ...tableRows(graph, strengths, drawn, at, MOST).map(({ cells }) =>
        make("tr", {}, ...cells.map((text) => make("td", {}, text))),
      ),
    );
  }
}
