// The strip of numbers above the panels: Python's facts and the two that follow the cut and the selection.

import type { Fact } from "../core/content.ts";
import { formatCount, formatNumber } from "../core/format.ts";
import { exactSquare, smallestInside } from "../core/inside.ts";
import type { Scene } from "../core/scene.ts";
import { make } from "./dom.ts";

/** More selected rows than this would make a drag stutter: the fact costs rows squared. */
const MOST_ROWS = 1500;

export function liveFacts(scene: Scene): Fact[] {
  const { content, clusters, rows } = scene;
  if (!content) return [];
  const facts: Fact[] = [];
  if (content.tree) {
    facts.push({
      label: "clusters at the cut",
      value: formatCount(clusters.count),
      reference: `of ${formatCount(content.tree.leaves)} units`,
      explain: `Groups left when the tree is cut at a distance (${content.distance}) of ${scene.cut.toFixed(2)}. Drag the cut to change it.`,
    });
  }
  const matrix = exactSquare(content);
  if (matrix) {
    const asked = rows.length > 1 && rows.length <= MOST_ROWS;
    // The tile is always there: one that came with the first brush would push the picture down.
    facts.push({
      label: `smallest |${matrix.quantity}| inside`,
      value: asked ? formatNumber(smallestInside(matrix, rows)) : "–",
      reference: rows.length ? `${formatCount(rows.length)} selected${withoutValue(scene)}` : noneOf(scene),
      explain: `The weakest ${matrix.title.toLowerCase()} between any two of the selected units.`,
    });
  }
  return facts;
}

/** Units of another layer may be selected: they have no correlation here. */
function noneOf({ content, selected }: Scene): string {
  return selected.length > 0 ? `none of ${content?.layer} selected` : "nothing selected";
}

/** Constant units have no correlation: they are in the selection, not in the number. */
function withoutValue({ clusters, content, rows }: Scene): string {
  const constant = content?.tree ? rows.filter((row) => clusters.labels[row] === 0).length : 0;
  return constant ? `, ${formatCount(constant)} constant` : "";
}

export function paintFacts(strip: HTMLElement, facts: readonly Fact[]): void {
  strip.replaceChildren(
    ...facts.map((fact) =>
      make(
        "div",
        { class: "nbw-fact", role: "listitem", title: fact.explain || undefined },
        make("span", {}, fact.label),
        make("b", {}, fact.value),
        make("span", {}, fact.reference),
      ),
    ),
  );
}
