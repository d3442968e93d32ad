// The host of a saved page: one HTML file, no kernel, no network. Widgets are drawn from the state inside it.

import { unpack } from "../core/unpack.ts";
import { make, showError } from "../views/dom.ts";
import { followTheme } from "../views/theme.ts";
import { render as renderPicker } from "./layer_picker.ts";
import { render as renderHeatmaps } from "./linked_heatmaps.ts";
import { SavedModel } from "./saved_model.ts";

type Patch = Record<string, Record<string, unknown>>;

export interface SavedState {
  format: number;
  title: string;
  widgets: { name: string; kind: "layer_picker" | "linked_heatmaps"; state: Record<string, unknown> }[];
  /** "picker.layer" -> value -> widget -> the traits it then takes. */
  answers: Record<string, Record<string, Patch>>;
}

const RENDER = { layer_picker: renderPicker, linked_heatmaps: renderHeatmaps };

export async function openPage(document: Document): Promise<void> {
  const text = document.getElementById("nbw-state")?.textContent;
  if (!text) throw new Error('the page holds no <script id="nbw-state">: it was not written whole');
  const state = JSON.parse(text) as SavedState;
  if (state.format !== 1) throw new Error(`the page has format ${state.format}; this reader knows format 1`);
  const life = new AbortController();
  const page = make("div", { class: "nbw nbw-page" });
  const grid = make("div", { class: "nbw-page-grid" });
  page.append(make("main", {}, make("h1", { class: "nbw-sr" }, state.title), grid));
  document.body.append(page);
  followTheme(page, () => undefined, life.signal);
  const models = new Map<string, SavedModel>();
  for (const { name, state: traits } of state.widgets) {
    // A job needs a kernel: what was offered or running when the page was saved can neither start nor end here.
    const unpacked = { ...((await unpack(traits)) as object), job: null };
    models.set(name, new SavedModel(new Map(Object.entries(unpacked))));
  }
  await answerFrom(state.answers, models);
  for (const { name, kind } of state.widgets) {
    const slot = make("div", { class: `nbw-slot nbw-slot-${kind}` });
    grid.append(slot);
    RENDER[kind]({ model: models.get(name) as SavedModel, el: slot, signal: life.signal });
  }
}

/** Plays the kernel's part: when a trait takes a value, other widgets take the traits written down for it. */
async function answerFrom(answers: SavedState["answers"], models: Map<string, SavedModel>): Promise<void> {
  for (const [key, byValue] of Object.entries(answers ?? {})) {
    const dot = key.lastIndexOf(".");
    const [asker, trait] = [models.get(key.slice(0, dot)), key.slice(dot + 1)];
    const unpacked = new Map<string, Promise<Patch>>();
    const answer = async () => {
      const value = String(asker?.get(trait));
      if (!byValue[value]) return;
      const patch = unpacked.get(value) ?? (unpack(byValue[value]) as Promise<Patch>);
      unpacked.set(value, patch);
      const ready = await patch;
      // While this was unpacked, another value may have been chosen.
      if (String(asker?.get(trait)) === value) apply(ready, models);
    };
    asker?.on(`change:${trait}`, answer);
    await answer();
  }
}

function apply(patch: Patch, models: Map<string, SavedModel>): void {
  for (const [name, traits] of Object.entries(patch)) {
    for (const [trait, value] of Object.entries(traits)) models.get(name)?.set(trait, value);
  }
}

openPage(document).catch((error) => {
  console.error(error);
  showError(document.body, error);
});
