// What is pointed at, told beside the pointer. The line under the graph says the same and is what screen readers find.

import { placeBeside } from "../core/beside.ts";
import type { Parts } from "../core/graph_readout.ts";
import { make } from "./dom.ts";
import type { GraphScene } from "./graph_scene.ts";

export class GraphTip {
  readonly node = make("div", { class: "nbw-graph-tip", "aria-hidden": "true", hidden: true });
  private at = { x: 0, y: 0 };
  private said = "";

  constructor(private readonly scene: GraphScene) {}

  /** Says this, or nothing. */
  say(parts: Parts): void {
    const said = parts.join("\n");
    if (said === this.said) return;
    this.said = said;
    const [who, value, more] = parts;
    const lines = [who ? make("b", {}, who) : "", value ?? "", more ? make("small", {}, more) : ""];
    this.node.replaceChildren(...lines.filter((line) => line !== "").map((line) => make("div", {}, line)));
    this.node.hidden = this.node.childElementCount === 0;
    if (!this.node.hidden) this.place();
  }

  /** The pointer has moved. */
  follow(x: number, y: number): void {
    this.at = { x, y };
    if (!this.node.hidden) this.place();
  }

  private place(): void {
    const { node, scene } = this;
    const size = { width: node.offsetWidth, height: node.offsetHeight };
    const place = placeBeside(this.at, size, scene);
    node.style.visibility = place ? "" : "hidden";
    if (place) node.style.transform = `translate(${place.x}px, ${place.y}px)`;
  }
}
