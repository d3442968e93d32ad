// Says for a moment how to zoom, when the wheel was turned and only the page has moved.

import { make } from "./dom.ts";

export class WheelHint {
  readonly node = make("div", { class: "nbw-wheel-hint", hidden: true }, "Ctrl or ⌘ + wheel zooms");
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(signal: AbortSignal) {
    signal.addEventListener("abort", () => clearTimeout(this.timer), { once: true });
  }

  show(): void {
    this.node.hidden = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.node.hidden = true;
    }, 1200);
  }
}
