// The switch that makes a drag move the picture instead of selecting.

import { button } from "./dom.ts";

export class PanButton {
  readonly node: HTMLButtonElement;
  pressed = false;

  constructor(root: HTMLElement, signal: AbortSignal) {
    this.node = button(
      "pan",
      "drag moves the picture instead of selecting (or hold Shift)",
      () => {
        this.pressed = !this.pressed;
        this.node.setAttribute("aria-pressed", String(this.pressed));
        root.classList.toggle("nbw-panning", this.pressed);
      },
      signal,
    );
    this.node.setAttribute("aria-pressed", "false");
  }
}
