// The graph without a mouse: a cursor that walks from unit to unit, across layers along the strongest edge.

import { columnOfLayer, endsOf, type Node } from "../core/graph_content.ts";
import { relativeStrength } from "../core/graph_strength.ts";
import { type Step, walk } from "../core/graph_walk.ts";
import { type GraphScene, isNode } from "./graph_scene.ts";

export interface GraphKeys {
  scene: GraphScene;
  /** Selects or lets go of a unit. */
  toggle(node: Node): void;
  /** Opens the map of a unit, if it has one. */
  open(node: Node): void;
  clear(): void;
  step(by: number): void;
  read(step: Step): void;
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
  const to = next ?? { ...(cursor ?? start(scene)), via: null, gap: "" };
  const { column, unit } = to;
  scene.moveCursor({ column, unit }, to.via);
  scene.reveal({ column, unit });
  read(to);
  return true;
}

/**
 * Where a reader begins: at the first selected unit, at the one pointed at, in the picked layer, else anywhere; there
 * where the strongest edge in view is.
 */
function start(scene: GraphScene): Node {
  if (scene.selected.length > 0) return scene.selected[0];
  if (scene.hover && isNode(scene.hover)) return scene.hover;
  const { graph, layer } = scene;
  const picked = graph && layer !== "" ? columnOfLayer(graph, layer) : -1;
  const column = Math.max(0, picked);
  return strongestInView(scene, picked) ?? { column, unit: graph?.columns[column].order[0] ?? 0 };
}

/** Of edges just as strong, and each layer has a strongest one, that of the first layer; `within` a column, or −1: any. */
function strongestInView(scene: GraphScene, within: number): Node | null {
  const found = scene.drawn.edges.map((_, bundle) => strongestOf(scene, bundle, within));
  const sizes = found.map((at) => at?.size ?? -1);
  return found[sizes.indexOf(Math.max(...sizes))]?.node ?? null;
}

function strongestOf(scene: GraphScene, bundle: number, within: number): { node: Node; size: number } | null {
  const { graph, drawn, strengths } = scene;
  const edges = drawn.edges[bundle];
  for (let i = edges.length - 1; graph && i >= 0; i--) {
    const ends = endsOf(graph, { bundle, edge: edges[i] });
    const node = ends.find((end) => (within < 0 || end.column === within) && scene.inView(end));
    if (!node) continue;
    return { node, size: relativeStrength(strengths.values[bundle][edges[i]], strengths.largest[bundle]) };
  }
  return null;
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
