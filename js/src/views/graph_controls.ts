// One quiet row: what edges stand for, how many are drawn, which sample, what colours the units.

import { formatCount } from "../core/format.ts";
import { readAs, thresholdInWords } from "../core/graph_readout.ts";
import type { Quantity } from "../core/graph_strength.ts";
import { button, make, setText } from "./dom.ts";
import type { GraphScene } from "./graph_scene.ts";

export interface ControlActions {
  quantity(quantity: Quantity): void;
  shown(count: number): void;
  perUnit(count: number): void;
  step(by: number): void;
  colorBy(by: "activation" | "cluster"): void;
}

const PER_UNIT = [0, 1, 2, 3, 5, 10];
/** Steps of the slider, from one edge to all of them, before those that would be the same are left out. */
const STEPS = 200;

export class GraphControls {
  readonly node: HTMLElement;
  private readonly quantities: Record<Quantity, HTMLButtonElement>;
  private readonly slider = make("input", {
    type: "range",
    min: 0,
    max: 1,
    step: 1,
    class: "nbw-graph-slider",
    "aria-label": "edges drawn",
  });
  private readonly count = make("output", { class: "nbw-graph-count" });
  private readonly perUnit = make("select", {
    class: "nbw-select",
    "aria-label": "edges drawn into each unit",
  });
  private readonly colorBy = make("select", { class: "nbw-select", "aria-label": "units are coloured by" });
  private readonly sample = make("span", { class: "nbw-graph-sample" });
  private readonly back: HTMLButtonElement;
  private readonly next: HTMLButtonElement;
  private readonly stepper: HTMLElement;
  private readonly colors: HTMLElement;
  private counts: readonly number[] = [];

  constructor(
    private readonly scene: GraphScene,
    actions: ControlActions,
    signal: AbortSignal,
  ) {
    const choose = (quantity: Quantity, title: string) =>
      button(quantity, title, () => actions.quantity(quantity), signal);
    this.quantities = {
      contribution: choose("contribution", "edges show what they add to their target: weight × value"),
      weight: choose("weight", "edges show their weight, the same in every sample"),
    };
    this.back = button("‹", "previous sample (p)", () => actions.step(-1), signal);
    this.next = button("›", "next sample (n)", () => actions.step(1), signal);
    this.perUnit.append(...PER_UNIT.map((k) => make("option", { value: k }, k === 0 ? "off" : String(k))));
    this.colorBy.append(make("option", { value: "activation" }, "activation"));
    this.colorBy.append(make("option", { value: "cluster" }, "cluster"));
    const on = (node: HTMLElement, type: string, act: () => void) =>
      node.addEventListener(type, act, { signal });
    on(this.slider, "input", () => actions.shown(this.counts[Number(this.slider.value)]));
    on(this.perUnit, "change", () => actions.perUnit(Number(this.perUnit.value)));
    on(this.colorBy, "change", () => actions.colorBy(this.colorBy.value as "activation" | "cluster"));
    this.stepper = group("sample", this.back, this.sample, this.next);
    this.colors = make("label", { class: "nbw-graph-field" }, "colour", this.colorBy);
    this.node = make(
      "div",
      { class: "nbw-graph-controls", role: "group", "aria-label": "what is drawn" },
      group("edges show", this.quantities.contribution, this.quantities.weight),
      make("span", { class: "nbw-graph-field" }, "edges", this.slider, this.count),
      make(
        "label",
        { class: "nbw-graph-field", title: "draw only the strongest edges into each unit" },
        "per unit",
        this.perUnit,
      ),
      this.colors,
      this.stepper,
    );
  }

  private get total(): number {
    return this.scene.graph?.bundles.reduce((sum, bundle) => sum + bundle.edges, 0) ?? 0;
  }

  paint(): void {
    const { scene, total } = this;
    const { graph } = scene;
    if (!graph) return;
    for (const [name, face] of Object.entries(this.quantities))
      face.setAttribute("aria-pressed", String(name === scene.quantity));
    const { count } = scene.drawn;
    // Each step is another number: a key that changed nothing would seem to be broken.
    if (this.counts[this.counts.length - 1] !== total) this.counts = countsOf(total);
    this.slider.max = String(this.counts.length - 1);
    this.slider.value = String(placeOf(this.counts, count));
    this.slider.disabled = scene.perUnit > 0;
    // With so many into each unit, no strength divides those drawn from the others.
    const threshold = scene.perUnit > 0 ? "" : thresholdInWords(scene.strengths, scene.drawn);
    const said = `${formatCount(count)} of ${formatCount(total)}`;
    this.slider.setAttribute("aria-valuetext", readAs([said, threshold], ", "));
    setText(this.count, readAs([formatCount(count), threshold]));
    this.count.title = threshold && "the strength of the weakest edge drawn, relative to its layer’s largest";
    if (!PER_UNIT.includes(scene.perUnit) && !this.perUnit.querySelector(`[value="${scene.perUnit}"]`))
      this.perUnit.append(make("option", { value: scene.perUnit }, String(scene.perUnit)));
    this.perUnit.value = String(scene.perUnit);
    this.colorBy.value = scene.colorBy;
    this.colors.hidden = !scene.clusters && scene.colorBy === "activation";
    this.stepper.hidden = graph.samples.length < 2;
    setText(this.sample, graph.samples[scene.at] ?? "");
    this.back.disabled = scene.at === 0;
    this.next.disabled = scene.at === graph.samples.length - 1;
  }
}

function group(label: string, ...faces: HTMLElement[]): HTMLElement {
  return make("span", { class: "nbw-graph-group", role: "group", "aria-label": label }, ...faces);
}

/** What the slider can be set to: from one edge to all in about equal ratios, in numbers of two digits, each once. */
export function countsOf(total: number): number[] {
  const counts = Array.from({ length: STEPS }, (_, step) => {
    const exact = Math.max(1, total) ** (step / STEPS);
    const digits = 10 ** Math.max(0, Math.floor(Math.log10(exact)) - 1);
    return Math.min(total, Math.round(exact / digits) * digits);
  });
  return [...new Set([...counts, total])];
}

/** The place among these counts that is nearest to one, in ratio. */
export function placeOf(counts: readonly number[], count: number): number {
  const off = (k: number) => Math.abs(Math.log(Math.max(1, counts[k]) / Math.max(1, count)));
  return counts.reduce((best, _, k) => (off(k) < off(best) ? k : best), 0);
}
