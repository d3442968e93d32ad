// The line under the graph: the edge or unit pointed at, or what is selected and lit.

import { plural } from "../core/format.ts";
import type { Edge, Graph, Node } from "../core/graph_content.ts";
import { type Parts, readAs, readEdge, readNode } from "../core/graph_readout.ts";
import { make } from "./dom.ts";
import { type GraphScene, isNode } from "./graph_scene.ts";

export class GraphReadout {
  readonly node = make("div", { class: "nbw-readout" });

  constructor(private readonly scene: GraphScene) {}

  paint(): void {
    const { graph, hover, cursor, via, at } = this.scene;
    if (!graph) return;
    if (hover) this.say(isNode(hover) ? readNode(graph, hover, at) : readEdge(graph, hover, at));
    else if (via) this.say(readEdge(graph, via, at));
    else if (cursor) this.say(readNode(graph, cursor, at));
    else this.say(this.idle());
  }

  private say([who = "", value = "", more = ""]: Parts): void {
    this.node.replaceChildren(
      ...(who ? [make("span", {}, who)] : []),
      ...(value ? [make("b", {}, value)] : []),
      ...(more ? [make("span", { class: "nbw-faint" }, more)] : []),
    );
  }

  /** As of a unit or an edge: first what it is about, last what there may be no room for. */
  private idle(): Parts {
    const { names, selected, lit, takenOf } = this.scene;
    if (names.length === 0) return ["", "", "point at an edge or a unit · drag selects units"];
    const elsewhere = names.length - selected.length;
    const away = elsewhere > 0 ? `${plural(elsewhere, "selected unit")} not in this graph` : "";
    if (selected.length === 0) return ["", "", away];
    const few = lit.of < selected.length ? ` of the first ${lit.of}` : selected.length > 1 ? " of each" : "";
    const best = lit.each === 1 ? "best path" : `${lit.each} best paths`;
    const paths =
      lit.paths.length === 0
        ? "no path of finite strength"
        : `${best} in and out${few}, by product of contributions`;
    return [selectedInWords(selected.length, takenOf), "", readAs([paths, away])];
  }
}

/** "3 units selected"; "3 units of fc1 selected: a selection is of one layer". */
export function selectedInWords(count: number, takenOf: string): string {
  const units = plural(count, "unit");
  return takenOf ? `${units} of ${takenOf} selected: a selection is of one layer` : `${units} selected`;
}

/** What a reader hears when the keyboard comes to a unit. */
export function spokenStep(graph: Graph, node: Node, via: Edge | null, sample: number): string {
  const along = via ? readAs(readEdge(graph, via, sample), ", ") : "";
  return readAs([along, readAs(readNode(graph, node, sample), ", ")]).replace(" · ", ". ");
}
