// The line under the graph: the edge or unit pointed at, or what is selected and lit.

import { plural } from "../core/format.ts";
import type { Graph } from "../core/graph_content.ts";
import type { Lit } from "../core/graph_lit.ts";
import { type Parts, readAs, readEdge, readNode } from "../core/graph_readout.ts";
import type { Step } from "../core/graph_walk.ts";
import { make } from "./dom.ts";
import { type GraphScene, isNode } from "./graph_scene.ts";

/** The unit or the edge that is pointed at, if there is one. */
export function readPointed({ graph, hover, at }: GraphScene): Parts {
  if (!graph || !hover) return [];
  return isNode(hover) ? readNode(graph, hover, at) : readEdge(graph, hover, at);
}

export class GraphReadout {
  readonly node = make("div", { class: "nbw-readout" });

  constructor(private readonly scene: GraphScene) {}

  paint(): void {
    const { graph, hover, cursor, via, at } = this.scene;
    if (!graph) return;
    if (hover) this.say(readPointed(this.scene));
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
    if (names.length === 0)
      return ["", "", "point at an edge or a unit · click a unit for its best paths · drag selects"];
    const elsewhere = names.length - selected.length;
    const away = elsewhere > 0 ? `${plural(elsewhere, "selected unit")} not in this graph` : "";
    if (selected.length === 0) return ["", "", away];
    const paths = pathsInWords(lit, selected.length);
    return [selectedInWords(selected.length, takenOf), "", readAs([paths, away])];
  }
}

/** "4 best paths in, 2 best paths out, by product of contributions"; of several units, how many of each at most. */
function pathsInWords({ into, out, each, of }: Lit, selected: number): string {
  const counts = { in: into?.paths.length ?? 0, out: out?.paths.length ?? 0 };
  const sides = (["in", "out"] as const).filter((side) => counts[side] > 0);
  if (sides.length === 0) return "no path of finite strength";
  const by = "by product of contributions";
  if (selected === 1)
    return [...sides.map((side) => `${plural(counts[side], "best path")} ${side}`), by].join(", ");
  const best = each === 1 ? "the best path" : `up to ${each} best paths`;
  const whom = of.length < selected ? `the first ${of.length}` : "each";
  return `${best} ${sides.join(" and ")} of ${whom}, ${by}`;
}

/** "3 units selected"; "3 units of fc1 selected: a selection is of one layer". */
export function selectedInWords(count: number, takenOf: string): string {
  const units = plural(count, "unit");
  return takenOf ? `${units} of ${takenOf} selected: a selection is of one layer` : `${units} selected`;
}

/** What a reader hears when the keyboard comes to a unit. */
export function spokenStep(graph: Graph, step: Step, sample: number): string {
  const along = step.via ? readAs(readEdge(graph, step.via, sample), ", ") : step.gap;
  return [along, readAs(readNode(graph, step, sample), ", ")].filter((part) => part !== "").join(". ");
}
