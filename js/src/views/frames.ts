// When a view is painted: once a frame however much has changed, and a failure is shown where the picture would be.

import { showError } from "./dom.ts";

export class Frames<Part> {
  private readonly dirty = new Set<Part>();
  private frame = 0;
  private seq = 0;

  /** `paint` gets what has changed, and returns whether there was anything to paint yet. */
  constructor(
    private readonly root: HTMLElement,
    private readonly paint: (dirty: ReadonlySet<Part>) => boolean,
    private readonly signal: AbortSignal,
  ) {
    signal.addEventListener("abort", () => cancelAnimationFrame(this.frame), { once: true });
  }

  changed(part: Part): void {
    this.dirty.add(part);
    if (this.frame || this.signal.aborted) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.guard(() => this.draw());
    });
  }

  private draw(): void {
    const began = performance.now();
    if (!this.paint(this.dirty)) return;
    this.dirty.clear();
    this.root.querySelector(":scope > .nbw-error")?.remove();
    this.root.dataset.frameMs = (performance.now() - began).toFixed(2);
    this.root.dataset.seq = String(++this.seq);
  }

  guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      console.error(error);
      showError(this.root, error);
    }
  }
}
