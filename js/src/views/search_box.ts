// "find unit": numbers, ranges and names, with an answer in place when there is no such unit.

import type { Scene } from "../core/scene.ts";
import { findUnits } from "../core/search.ts";
import { make, setText } from "./dom.ts";

export interface Search {
  node: HTMLElement;
  /** Takes an answer back that was about another layer. */
  forget(): void;
}

export function makeSearch(scene: Scene, found: (rows: number[]) => void, signal: AbortSignal): Search {
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
    const result = findUnits(input.value, content.layer, content.rowOfUnit);
    setText(message, result.message);
    input.setAttribute("aria-invalid", String(result.message !== ""));
    if (!result.message && result.rows.length > 0) found(result.rows);
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
