// A plot without a mouse: a cursor that walks over the cells.

import type { Matrix } from "../core/content.ts";
import type { Cell, Scene } from "../core/scene.ts";

export interface PlotKeys {
  scene: Scene;
  index: number;
  matrix: Matrix;
  select(rows: number[], change: "replace" | "add" | "toggle"): void;
  /** Selects or lets go of the unit of a column; false where columns are no units. */
  selectColumn(column: number): boolean;
  read(cell: Cell): void;
}

const STEPS: Record<string, [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  PageUp: [-10, 0],
  PageDown: [10, 0],
  Home: [0, -Infinity],
  End: [0, Infinity],
};

export function followKeys(plot: HTMLElement, keys: PlotKeys, signal: AbortSignal): void {
  let cursor: Cell | null = null;
  const current = (): Cell => {
    const hover = keys.scene.hover;
    // The pointer may stand on a label: then it names a row or a column, but no cell.
    const cell = hover?.matrix === keys.index && hover.row >= 0 && hover.column >= 0;
    return cell ? hover : (cursor ?? { matrix: keys.index, row: 0, column: 0 });
  };
  plot.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || (event.altKey && event.key !== "Enter")) return;
      const step = STEPS[event.key];
      if (step) {
        cursor = keys.scene.hover || cursor ? moved(current(), step, keys.matrix) : current();
        keys.read(cursor);
      } else if (!act(event.altKey ? "c" : event.key, current(), keys)) return;
      // Neither the page may scroll nor a notebook's command mode see a key that was used here.
      event.preventDefault();
      event.stopPropagation();
    },
    { signal },
  );
  plot.addEventListener("blur", () => keys.scene.point(null), { signal });
}

function moved(cell: Cell, [down, right]: [number, number], { base }: Matrix): Cell {
  const within = (value: number, end: number) => Math.min(end - 1, Math.max(0, value));
  return {
    ...cell,
    row: within(cell.row + down, base.rows),
    column: within(cell.column + right, base.columns),
  };
}

/** The keys that are not steps; false for a key that means nothing here. */
function act(key: string, cell: Cell, { scene, index, select, selectColumn }: PlotKeys): boolean {
  if (key === "c") return selectColumn(cell.column);
  const actions: Record<string, () => void> = {
    Enter: () => select([cell.row], "toggle"),
    " ": () => select([cell.row], "toggle"),
    Escape: () => select([], "replace"),
    "+": () => scene.zoomAt(index, 0.5, 0.5, 1.6),
    "=": () => scene.zoomAt(index, 0.5, 0.5, 1.6),
    "-": () => scene.zoomAt(index, 0.5, 0.5, 1 / 1.6),
    "0": () => scene.fit(),
  };
  const action = actions[key];
  action?.();
  return action !== undefined;
}
