// A still picture in which boxes can be pointed at, walked through by keys, and marked.

import { boxAt, boxOf } from "../core/boxes.ts";
import type { Picture } from "../core/spectrum_content.ts";
import { make, setText } from "./dom.ts";

export interface BoxActions {
  /** A hand is at a box, or at none (-1). */
  point(k: number): void;
  pick(k: number, several: boolean): void;
  clear(): void;
}

const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };
const SVG = "http://www.w3.org/2000/svg";

export class BoxedPicture {
  readonly node: HTMLElement;
  private readonly image: HTMLImageElement;
  private readonly marks = document.createElementNS(SVG, "svg");
  private readonly live = make("span", { class: "nbw-sr", "aria-live": "polite" });
  private chosen: readonly number[] = [];
  private at = -1;

  constructor(
    readonly picture: Picture,
    private readonly what: string,
    private readonly said: (k: number) => string,
    private readonly actions: BoxActions,
    signal: AbortSignal,
  ) {
    this.image = make("img", { alt: picture.alt, width: picture.width, height: picture.height });
    this.marks.setAttribute("viewBox", "0 0 1 1");
    this.marks.setAttribute("preserveAspectRatio", "none");
    this.marks.setAttribute("aria-hidden", "true");
    const stage = make("div", { class: "nbw-stage" }, this.image);
    stage.append(this.marks, this.live);
    this.node = make("figure", { class: "nbw-boxed" }, stage);
    this.node.style.maxWidth = `${picture.width}px`;
    if (this.count > 0) this.listen(stage, signal);
  }

  private get count(): number {
    return this.picture.boxes.length / 4;
  }

  setTheme(dark: boolean): void {
    const file = dark ? this.picture.files.dark : this.picture.files.light;
    const source = `data:image/svg+xml,${encodeURIComponent(file)}`;
    if (this.image.src !== source) this.image.src = source;
  }

  mark(chosen: readonly number[], at = -1): void {
    this.chosen = chosen;
    this.at = at;
    this.marks.replaceChildren(
      ...chosen.filter((k) => k < this.count).map((k) => this.rect(k, "nbw-chosen")),
      ...(at >= 0 && at < this.count ? [this.rect(at, "nbw-at")] : []),
    );
  }

  private rect(k: number, name: string): SVGElement {
    const [left, top, right, bottom] = boxOf(this.picture.boxes, k);
    const rect = document.createElementNS(SVG, "rect");
    const sides = { x: left, y: top, width: right - left, height: bottom - top, class: name };
    for (const [side, value] of Object.entries(sides)) rect.setAttribute(side, String(value));
    return rect;
  }

  private listen(stage: HTMLElement, signal: AbortSignal): void {
    stage.tabIndex = 0;
    stage.setAttribute("role", "application");
    stage.setAttribute("aria-label", `${this.picture.title}: arrow keys walk, Enter picks a ${this.what}`);
    const at = (event: MouseEvent) => {
      const { left, top, width, height } = stage.getBoundingClientRect();
      return boxAt(
        this.picture.boxes,
        (event.clientX - left) / (width || 1),
        (event.clientY - top) / (height || 1),
      );
    };
    stage.addEventListener("pointermove", (event) => this.actions.point(at(event)), { signal });
    stage.addEventListener("pointerleave", () => this.actions.point(-1), { signal });
    stage.addEventListener("blur", () => this.actions.point(-1), { signal });
    stage.addEventListener(
      "click",
      (event) => {
        const k = at(event);
        if (k >= 0) this.actions.pick(k, event.ctrlKey || event.metaKey || event.shiftKey);
      },
      { signal },
    );
    stage.addEventListener("keydown", (event) => this.key(event), { signal });
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = STEPS[event.key];
    const ends: Record<string, number> = { Home: 0, End: this.count - 1 };
    if (step !== undefined || event.key in ends) {
      const from = this.at >= 0 ? this.at : (this.chosen[0] ?? (step === 1 ? -1 : this.count));
      const to = step === undefined ? ends[event.key] : from + step;
      this.actions.point(Math.min(this.count - 1, Math.max(0, to)));
      setText(this.live, this.said(this.at));
    } else if ((event.key === "Enter" || event.key === " ") && this.at >= 0) {
      this.actions.pick(this.at, event.shiftKey);
    } else if (event.key === "Escape") this.actions.clear();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
