// Where things stand on a stage that jsdom, which has no layout, puts at 0, 0.

import { GUTTER } from "../src/core/layout.ts";
import { find } from "./page.ts";

export const LAYOUT_TOP = "26px";

/** The plot of a panel and the height of one of the five rows of `smallContent`. */
export function stageOf(root: Element, panel = 0): { plot: HTMLElement; cell: number } {
  const plot = root.querySelectorAll<HTMLElement>(".nbw-plot")[panel];
  const first = find(root, ".nbw-plot");
  return { plot, cell: (Number.parseFloat(first.style.width) - GUTTER) / 5 };
}
