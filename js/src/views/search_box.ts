// "find unit": numbers, ranges and names, with an answer in place when there is no such unit.

import type { Content } from "../core/content.ts";
import type { Scene } from "../core/scene.ts";
import { findUnits } from "../core/search.ts";
import { layerOf } from "../core/selection.ts";
import { make, setText } from "./dom.ts";

/** Rows, or columns of a matrix. */
export interface FoundUnits {
  matrix: number | null;
  cells: number[];
}

export interface Search {
  node: HTMLElement;
  /** Takes an answer back that was about another layer. */
  forget(): void;
}

export function makeSearch(scene: Scene, found: (units: FoundUnits) => void, signal: AbortSignal): Search {
  const input = make("input", {
    type: "search",
    class: "nbw-search",
    placeholder: "find unit: 17 or 3, 8-12",
    "aria-label": "find unit by number or name",
    autocomplete: "off",
    spellcheck: "false",
  });
  const message = make("span", { class: "nbw-search-message", role: "status" });
  const look = () => {
    const { content } = scene;
    if (!content || input.value.trim() === "") return setText(message, "");
    const { matrix, layer, units } = whereToLook(content, input.value);
    const result = findUnits(input.value, layer, units);
    setText(message, result.message);
    input.setAttribute("aria-invalid", String(result.message !== ""));
    if (!result.message && result.rows.length > 0) found({ matrix, cells: result.rows });
  };
  input.addEventListener(
    "keydown",
    (event) => {
      event.stopPropagation();
      if (event.key === "Enter") look();
    },
    { signal },
  );
  const forget = () => {
    setText(message, "");
    input.removeAttribute("aria-invalid");
  };
  input.addEventListener("input", forget, { signal });
  input.addEventListener("change", look, { signal });
  return { node: make("span", { class: "nbw-find" }, input, message), forget };
}

/** Among the rows, or among the columns when the first name is of a layer that only stands there. */
function whereToLook(content: Content, text: string) {
  const layer = layerOf(text.trim().split(/[,;\s]/)[0]);
  const matrix = content.matrices.findIndex((m) => m.columns?.layer === layer);
  const units = content.matrices[matrix]?.columnOfUnit;
  if (layer === content.layer || !units)
    return { matrix: null, layer: content.layer, units: content.rowOfUnit };
  return { matrix, layer, units };
}
