// The host of a saved page: one HTML file, no kernel, no network. Widgets are drawn from the state inside it.

import { unpack } from "../core/unpack.ts";
import { make, showError } from "../views/dom.ts";
import { followTheme } from "../views/theme.ts";
import { render as renderGraph } from "./edge_graph.ts";
import { render as renderPicker } from "./layer_picker.ts";
import { render as renderHeatmaps } from "./linked_heatmaps.ts";
import { SavedModel } from "./saved_model.ts";
import { render as renderSpectrum } from "./spectrum_pictures.ts";

type Patch = Record<string, Record<string, unknown>>;

export interface SavedState {
  format: number;
  title: string;
  widgets: { name: string; kind: keyof typeof RENDER; state: Record<string, unknown> }[];
  /** Pairs of traits that are kept equal, as "heatmaps.selection". The first one's value holds at the start. */
  links?: [string, string][];
  /** "picker.layer" -> value -> widget -> the traits it then takes. */
  answers: Record<string, Record<string, Patch>>;
}

const RENDER = {
  layer_picker: renderPicker,
  linked_heatmaps: renderHeatmaps,
  edge_graph: renderGraph,
  spectrum_pictures: renderSpectrum,
};

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
  for (const [first, second] of state.links ?? []) link(traitOf(first, models), traitOf(second, models));
  await answerFrom(state.answers, models);
  for (const { name, kind } of state.widgets) {
    const slot = make("div", { class: `nbw-slot nbw-slot-${kind}` });
    grid.append(slot);
    RENDER[kind]({ model: models.get(name) as SavedModel, el: slot, signal: life.signal });
  }
}

interface Trait {
  model: SavedModel;
  name: string;
}

/** The trait that "heatmaps.selection" names. */
function traitOf(key: string, models: Map<string, SavedModel>): Trait {
  const dot = key.lastIndexOf(".");
  const model = models.get(key.slice(0, dot));
  if (!model) throw new Error(`the page links ${key}, but its widgets are ${[...models.keys()].join(", ")}`);
  return { model, name: key.slice(dot + 1) };
}

/** Keeps two traits equal. It ends by itself: a model that is set to what it holds tells nobody. */
function link(first: Trait, second: Trait): void {
  const copy = (from: Trait, to: Trait) => () => to.model.set(to.name, from.model.get(from.name));
  copy(first, second)();
  first.model.on(`change:${first.name}`, copy(first, second));
  second.model.on(`change:${second.name}`, copy(second, first));
}

/** Plays the kernel's part: when a trait takes a value, other widgets take the traits written down for it. */
async function answerFrom(answers: SavedState["answers"], models: Map<string, SavedModel>): Promise<void> {
  for (const [key, byValue] of Object.entries(answers ?? {})) {
    const { model: asker, name: trait } = traitOf(key, models);
    const unpacked = new Map<string, Promise<Patch>>();
    const answer = async () => {
      const value = String(asker.get(trait));
      if (!byValue[value]) return;
      const patch = unpacked.get(value) ?? (unpack(byValue[value]) as Promise<Patch>);
      unpacked.set(value, patch);
      const ready = await patch;
      // While this was unpacked, another value may have been chosen.
      if (String(asker.get(trait)) === value) apply(ready, models);
    };
    asker.on(`change:${trait}`, answer);
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
