// What a hand does to the graph, by mouse, keyboard or control: the scene changes, and the world outside is told.

import type { Node } from "../core/graph_content.ts";
import type { Quantity } from "../core/graph_strength.ts";
import type { Step } from "../core/graph_walk.ts";
import { type Change, layerOf, sameUnits } from "../core/selection.ts";
import { throttle } from "../core/throttle.ts";
import type { ControlActions } from "./graph_controls.ts";
import type { GraphKeys } from "./graph_keys.ts";
import { selectedInWords, spokenStep } from "./graph_readout.ts";
import type { GraphScene } from "./graph_scene.ts";

/** What the world outside does with a change made here. */
export interface GraphHost {
  save(trait: string, value: unknown): void;
  selectionChanged(layer: string, names: string[]): void;
}

/** What a hand can do besides: have something read aloud, open an enlarged map, close it. */
export interface GraphDesk {
  say(text: string): void;
  open(node: Node): void;
  close(): void;
}

/** At most ten a second leave the browser while a slider is dragged. */
const SHOWN_EVERY = 100;

export class GraphHands {
  private readonly saveShown;

  constructor(
    private readonly scene: GraphScene,
    private readonly host: GraphHost,
    private readonly desk: GraphDesk,
    signal: AbortSignal,
  ) {
    this.saveShown = throttle((count: number) => host.save("shown", count), SHOWN_EVERY);
    signal.addEventListener("abort", () => this.saveShown.cancel(), { once: true });
  }

  controls(): ControlActions {
    const { scene, host } = this;
    return {
      quantity: (quantity: Quantity) => scene.setEdges({ quantity }) && host.save("quantity", quantity),
      shown: (shown) => scene.setEdges({ shown }) && this.saveShown(shown),
      perUnit: (perUnit) => scene.setEdges({ perUnit }) && host.save("per_unit", perUnit),
      step: (by) => this.step(by),
      colorBy: (by) => {
        scene.setColors(by, scene.clusters);
        host.save("color_by", by);
      },
    };
  }

  keys(): GraphKeys {
    const { scene, desk } = this;
    return {
      scene,
      toggle: (node) => this.select(node.column, [node.unit], "toggle"),
      open: (node) => desk.open(node),
      clear: () => {
        scene.moveCursor(null, null);
        this.clear();
      },
      step: (by) => this.step(by),
      read: (step) => this.read(step),
    };
  }

  private read(step: Step): void {
    const { graph, at } = this.scene;
    if (graph) this.desk.say(spokenStep(graph, step, at));
  }

  private step(by: number): void {
    const { scene } = this;
    const last = (scene.graph?.samples.length ?? 1) - 1;
    const sample = Math.min(last, Math.max(0, scene.at + by));
    if (!scene.setEdges({ sample })) return;
    this.host.save("sample", sample);
    this.desk.say(scene.graph?.samples[sample] ?? "");
  }

  pick(layer: string): void {
    this.scene.setLayer(layer);
    this.host.save("layer", layer);
  }

  select(column: number, units: readonly number[], change: Change, ofSeveral = false): void {
    this.tell(this.scene.select(column, units, change, ofSeveral));
  }

  clear(): void {
    this.desk.close();
    if (this.scene.names.length > 0) this.restore([]);
  }

  /** Takes back what clicks have selected. */
  restore(names: readonly string[]): void {
    const { scene } = this;
    this.desk.close();
    const changed = !sameUnits(names, scene.names);
    const layer = layerOf(names[0] ?? scene.names[0] ?? "");
    scene.setNames(names);
    if (changed) this.tell({ layer, names: [...names] });
  }

  private tell({ layer, names }: { layer: string; names: string[] }): void {
    this.host.selectionChanged(layer, names);
    this.desk.say(selectedInWords(names.length, this.scene.takenOf));
  }
}
