// The lit paths as short lists, to be read: those into the selected units, and those out of them.

import type { Direction } from "../core/graph_content.ts";
import { listPaths, OF_ALL_EXPLAINED, PATHS_EXPLAINED, type PathLine } from "../core/graph_path_words.ts";
import type { Path } from "../core/graph_paths.ts";
import { make } from "./dom.ts";
import type { GraphScene } from "./graph_scene.ts";

export class GraphPathList {
  readonly node = make("div", { class: "nbw-graph-paths", hidden: true });
  private readonly paths = new Map<Element, Path>();
  private shown: unknown = null;

  constructor(
    private readonly scene: GraphScene,
    signal: AbortSignal,
  ) {
    // A line that is pointed at stands out in the picture.
    const over = (event: Event) => {
      const line = (event.target as Element).closest("li");
      scene.pointPath((line && this.paths.get(line)) ?? null);
    };
    this.node.addEventListener("pointerover", over, { signal });
    this.node.addEventListener("pointerleave", () => scene.pointPath(null), { signal });
  }

  paint(): void {
    const { graph, lit, contributions } = this.scene;
    if (this.shown === lit || !graph) return;
    this.shown = lit;
    this.paths.clear();
    const sides = (["in", "out"] as const).flatMap((direction) => {
      const list = listPaths(graph, contributions, lit, direction);
      return list ? [this.side(direction, list)] : [];
    });
    this.node.hidden = sides.length === 0;
    this.node.replaceChildren(...sides);
  }

  private side(direction: Direction, list: NonNullable<ReturnType<typeof listPaths>>): HTMLElement {
    const ofAll = make("span", { class: "nbw-faint", title: OF_ALL_EXPLAINED }, list.ofAll);
    return make(
      "section",
      { class: `nbw-graph-path-side nbw-${direction}`, "aria-label": list.head },
      make("div", { class: "nbw-graph-path-head" }, make("b", {}, list.head), ofAll),
      ...(list.lines.length > 0 ? [this.table(list.lines)] : []),
      ...list.notes.map((note) => make("p", { class: "nbw-faint" }, note)),
    );
  }

  private table(lines: readonly PathLine[]): HTMLElement {
    const rows = lines.map(({ path, course, product, share }) => {
      const line = make(
        "li",
        {},
        make("span", { class: "nbw-graph-course", title: course }, course),
        make("span", { class: "nbw-graph-product", title: PATHS_EXPLAINED }, product),
        make("span", { class: "nbw-faint", title: PATHS_EXPLAINED }, share),
      );
      this.paths.set(line, path);
      return line;
    });
    const heads = make(
      "div",
      { class: "nbw-graph-path-heads nbw-faint", title: PATHS_EXPLAINED },
      make("span", {}, "path"),
      make("span", {}, "product"),
      make("span", {}, "share of these"),
    );
    return make("div", {}, heads, make("ol", {}, ...rows));
  }
}
