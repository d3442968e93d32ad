// The graph without a mouse: a cursor that walks from unit to unit, across layers along the strongest edge.

import { type Edge, edgeFrom, type Node } from "../core/graph_content.ts";
import { relativeStrength } from "../core/graph_strength.ts";
import { walk } from "../core/graph_walk.ts";
import { type GraphScene, isNode } from "./graph_scene.ts";

export interface GraphKeys {
  scene: GraphScene;
  /** Selects or lets go of a unit. */
  toggle(node: Node): void;
  /** Opens the map of a unit, if it has one. */
  open(node: Node): void;
  clear(): void;
  step(by: number): void;
  read(node: Node, via: Edge | null): void;
}

const STEPS = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"];

export function followGraphKeys(plot: HTMLElement, keys: GraphKeys, signal: AbortSignal): void {
  plot.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !keys.scene.graph) return;
      const used = STEPS.includes(event.key) ? step(event.key, keys) : act(event.key, keys);
      if (!used) return;
      // Neither the page may scroll nor a notebook's command mode see a key that was used here.
      event.preventDefault();
      event.stopPropagation();
    },
    { signal },
  );
  plot.addEventListener("blur", () => keys.scene.moveCursor(null, null), { signal });
}

function step(key: string, { scene, read }: GraphKeys): boolean {
  const { graph, cursor } = scene;
  if (!graph || graph.columns.length === 0) return false;
  // The first key only says where the cursor is; at an end it stays and says so again.
  const next = cursor && walk(graph, scene.strengths, cursor, key);
  const { column, unit } = next ?? cursor ?? start(scene);
  scene.moveCursor({ column, unit }, next?.via ?? null);
  scene.reveal({ column, unit });
  read({ column, unit }, next?.via ?? null);
  return true;
}

/** Where a reader begins: at the first selected unit, at the one pointed at, or where the strongest edge in view starts. */
function start(scene: GraphScene): Node {
  if (scene.selected.length > 0) return scene.selected[0];
  if (scene.hover && isNode(scene.hover)) return scene.hover;
  return strongestInView(scene) ?? { column: 0, unit: scene.graph?.columns[0].order[0] ?? 0 };
}

/** Of edges just as strong, and each layer has a strongest one, that of the first layer. */
function strongestInView(scene: GraphScene): Node | null {
  const { graph, drawn, strengths } = scene;
  if (!graph) return null;
  let best: { node: Node; size: number } | null = null;
  graph.bundles.forEach((bundle, b) => {
    const edges = drawn.edges[b];
    for (let i = edges.length - 1; i >= 0; i--) {
      const size = relativeStrength(strengths.values[b][edges[i]], strengths.largest[b]);
      // From the strongest down: what comes next cannot be better.
      if (best && size <= best.size) return;
      const node = { column: bundle.source, unit: edgeFrom(bundle, edges[i]) };
      if (!scene.inView(node)) continue;
      best = { node, size };
      return;
    }
  });
  return (best as { node: Node } | null)?.node ?? null;
}

function act(key: string, { scene, toggle, open, clear, step }: GraphKeys): boolean {
  const { cursor } = scene;
  const middle = { x: scene.width / 2, y: scene.height / 2 };
  const at = () => (cursor ? scene.placeOf(cursor) : middle);
  const actions: Record<string, () => void> = {
    Enter: () => cursor && toggle(cursor),
    " ": () => cursor && toggle(cursor),
    o: () => cursor && open(cursor),
    Escape: clear,
    "+": () => scene.zoomAt(at(), 1.6),
    "=": () => scene.zoomAt(at(), 1.6),
    "-": () => scene.zoomAt(at(), 1 / 1.6),
    "0": () => scene.fit(),
    n: () => step(1),
    p: () => step(-1),
  };
  actions[key]?.();
  return actions[key] !== undefined;
}
