// The drawn edges as a table, for whoever reads numbers rather than lines; a click on a head orders it.

import { plural } from "../core/format.ts";
import { readAs } from "../core/graph_readout.ts";
import {
  STRONGEST_FIRST,
  TABLE_COLUMNS,
  type TableColumn,
  tableInWords,
  tableRows,
} from "../core/graph_table.ts";
import { make, setText } from "./dom.ts";
import type { GraphScene } from "./graph_scene.ts";

const MOST = 50;

export class GraphTable {
  private readonly summary = make("summary", {}, "Table of edges");
  private readonly body = make("tbody");
  /** Above the box that scrolls, so that it can be read whole. */
  private readonly caption = make("p", { class: "nbw-graph-caption" });
  private readonly heads: HTMLElement[];
  private readonly details: HTMLDetailsElement;
  private order = STRONGEST_FIRST;
  private names: readonly string[] = [];
  private stale = true;

  constructor(
    private readonly scene: GraphScene,
    signal: AbortSignal,
  ) {
    this.heads = TABLE_COLUMNS.map(({ by, head, title }) =>
      make("th", { scope: "col" }, make("button", { type: "button", "data-by": by, title }, head)),
    );
    const row = make("tr", {}, ...this.heads);
    const table = make("table", {}, make("thead", {}, row), this.body);
    // A box that scrolls must be reachable by keyboard.
    const box = make(
      "div",
      { class: "nbw-graph-rows", tabindex: "0", role: "region", "aria-label": "edges" },
      table,
    );
    this.details = make("details", { class: "nbw-graph-table" }, this.summary, this.caption, box);
    this.details.addEventListener("toggle", () => this.fill(), { signal });
    row.addEventListener("click", (event) => this.sort((event.target as HTMLElement).dataset.by), { signal });
  }

  get node(): HTMLElement {
    return this.details;
  }

  /** Numbers begin with the largest, names with the first; again, and the order is turned round. */
  private sort(by: string | undefined): void {
    if (by === undefined) return;
    const column = by as TableColumn;
    const down = this.order.by === column ? !this.order.down : column !== "from" && column !== "to";
    this.order = { by: column, down };
    this.stale = true;
    this.fill();
  }

  /** Other edges are drawn, or other values shown. */
  change(): void {
    this.stale = true;
    const { count } = this.scene.drawn;
    const edges = plural(count, "edge");
    setText(this.summary, `Table: ${count > MOST ? `${MOST} of ${edges}` : `the ${edges}`} drawn`);
  }

  paint(): void {
    if (this.names !== this.scene.names) {
      this.names = this.scene.names;
      this.stale = true;
    }
    this.fill();
  }

  private fill(): void {
    const { graph, strengths, drawn, at, selected } = this.scene;
    if (!this.details.open || !this.stale || !graph) return;
    this.stale = false;
    const { rows, first } = tableRows({ graph, strengths, drawn, sample: at }, this.order, selected, MOST);
    const words = tableInWords(graph, this.order, first, selected.length, MOST);
    setText(this.caption, readAs([graph.samples[at] ?? "", ...words]));
    this.heads.forEach((head, k) => {
      const ordered = TABLE_COLUMNS[k].by === this.order.by;
      head.setAttribute("aria-sort", ordered ? (this.order.down ? "descending" : "ascending") : "none");
    });
    this.body.replaceChildren(
      ...rows.map((row) =>
        make("tr", { class: row.first && "nbw-first" }, ...row.cells.map((text) => make("td", {}, text))),
      ),
    );
  }
}
