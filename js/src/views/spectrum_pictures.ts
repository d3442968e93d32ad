// The spectrum on a saved page: pictures of the layer shown, in which the units that are selected anywhere are marked.

import { changeRows, layerOf, unitName } from "../core/selection.ts";
import { decodePicture, type WireHead, type WireSpectrum } from "../core/spectrum_content.ts";
import { BoxedPicture } from "./boxed_picture.ts";
import { make, setText } from "./dom.ts";
import { followTheme } from "./theme.ts";

export interface SpectrumHost {
  layerPicked(layer: string): void;
  selectionChanged(layer: string, names: string[]): void;
}

const NAMED = 6;

export class SpectrumPictures {
  private readonly headline = make("span", { class: "nbw-title" });
  private readonly words = make("div", { class: "nbw-words" });
  private readonly above = make("div");
  private readonly row = make("div", { class: "nbw-pictures" });
  private readonly status = make("div", { class: "nbw-status", role: "status" });
  private overview: BoxedPicture | null = null;
  private panels: BoxedPicture[] = [];
  private head: WireHead | null = null;
  private content: WireSpectrum | null = null;
  private names: readonly string[] = [];
  private unitAt = -1;
  private life = new AbortController();

  constructor(
    private readonly root: HTMLElement,
    private readonly host: SpectrumHost,
    private readonly signal: AbortSignal,
  ) {
    const box = make("section", { class: "nbw-panel", "aria-label": "spectrum" });
    box.append(this.headline, this.words, this.above, this.status, this.row);
    root.append(box);
    followTheme(root, () => this.recolour(), signal);
    signal.addEventListener("abort", () => this.life.abort(), { once: true });
  }

  setHead(head: WireHead): void {
    this.head = head;
    setText(this.headline, head.title);
    this.words.replaceChildren(...head.words.map((text) => make("p", { class: "nbw-how" }, text)));
    const said = (k: number) => `layer ${head.layers[k]}`;
    this.overview = new BoxedPicture(
      decodePicture(head.overview),
      "layer",
      said,
      {
        point: (k) => {
          this.overview?.mark(this.layerMark(), k);
          this.say(k >= 0 ? `${said(k)}: click to look at it` : "");
        },
        pick: (k) => this.host.layerPicked(head.layers[k]),
        clear: () => undefined,
      },
      this.signal,
    );
    this.above.replaceChildren(this.overview.node);
    this.recolour();
    this.paint();
  }

  setContent(content: WireSpectrum): void {
    this.content = content;
    this.unitAt = -1;
    this.life.abort();
    this.life = new AbortController();
    const { signal } = this.life;
    const said = (k: number) => this.reading(k);
    this.panels = content.panels.map(
      (wire) =>
        new BoxedPicture(
          decodePicture(wire),
          "unit",
          said,
          {
            point: (k) => this.point(k),
            pick: (k, several) => this.pick(k, several),
            clear: () => this.tell([]),
          },
          signal,
        ),
    );
    this.row.replaceChildren(...this.panels.map((panel) => panel.node));
    this.root.dataset.layer = content.layer;
    this.recolour();
    this.paint();
  }

  setSelection(names: readonly string[]): void {
    this.names = names;
    this.paint();
  }

  private recolour(): void {
    const dark = this.root.classList.contains("nbw-dark");
    for (const panel of [this.overview, ...this.panels]) panel?.setTheme(dark);
  }

  /** The selected units of the layer shown, by their numbers. */
  private chosen(): number[] {
    const { content } = this;
    if (!content) return [];
    const here = this.names.filter((name) => layerOf(name) === content.layer);
    return here
      .map((name) => Number(name.slice(content.layer.length + 1)))
      .filter((unit) => unit < content.units.length);
  }

  private layerMark(): number[] {
    const k = this.head?.layers.indexOf(this.content?.layer ?? "") ?? -1;
    return k >= 0 ? [k] : [];
  }

  private point(k: number): void {
    this.unitAt = k;
    this.paint();
  }

  private pick(k: number, several: boolean): void {
    this.tell(changeRows(this.chosen(), [k], several ? "toggle" : "replace"));
  }

  private tell(units: readonly number[]): void {
    const layer = this.content?.layer ?? "";
    const names = units.map((unit) => unitName(layer, unit));
    this.setSelection(names);
    this.host.selectionChanged(layer, names);
  }

  private reading(k: number): string {
    return this.content ? `${unitName(this.content.layer, k)} · ${this.content.units[k]}` : "";
  }

  private say(pointed: string): void {
    const { names } = this;
    const chosen = this.chosen();
    const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
    const selected = `selected: ${names.slice(0, NAMED).join(", ")}${more}`;
    const one = chosen.length === 1 && names.length === 1 ? this.reading(chosen[0]) : selected;
    setText(
      this.status,
      pointed || (names.length ? `● ${one}` : "Point at a unit to read it, click to select it."),
    );
    this.status.classList.toggle("nbw-faint", !pointed && names.length === 0);
  }

  private paint(): void {
    const chosen = this.chosen();
    for (const panel of this.panels) panel.mark(chosen, this.unitAt);
    this.overview?.mark(this.layerMark());
    this.say(this.unitAt >= 0 ? this.reading(this.unitAt) : "");
  }
}
