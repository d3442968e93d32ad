// The few helpers that make plain DOM pleasant to write.

type Attributes = Record<string, string | number | boolean | undefined>;

/** An element with attributes and children; `class` and `text` are the usual ones, false leaves one out. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children);
  return node;
}

/** A button with a tooltip, which is also its accessible name when the face is only a sign. */
export function button(
  face: string,
  title: string,
  press: () => void,
  signal: AbortSignal,
): HTMLButtonElement {
  const node = make(
    "button",
    { type: "button", class: "nbw-button", title, "aria-label": /[a-z]/i.test(face) ? undefined : title },
    face,
  );
  node.addEventListener("click", press, { signal });
  return node;
}

export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Pixels of the screen to one of the page. */
export function screenRatio(): number {
  return window.devicePixelRatio || 1;
}

/** Gives a canvas its size in CSS pixels and in its own, and returns their ratio. */
export function sizeCanvas(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  ratio = screenRatio(),
): number {
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  return ratio;
}

/** `byProcessor`: without the graphics card. The first call for a canvas decides. */
export function context2d(canvas: HTMLCanvasElement, byProcessor = false): CanvasRenderingContext2D {
  const context = canvas.getContext("2d", { willReadFrequently: byProcessor });
  if (!context) throw new Error("this browser gives no 2D canvas: the heatmap cannot be drawn");
  return context;
}

/** Shows a failure where the picture would be; a silent blank helps nobody. */
export function showError(root: HTMLElement, error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  root.querySelector(":scope > .nbw-error")?.remove();
  root.prepend(make("div", { class: "nbw-error", role: "alert" }, `This view could not be drawn: ${text}`));
}

/** A view's own name as the maker of a selection. */
export function newSource(kind: string): string {
  return `${kind}-${Math.random().toString(36).slice(2, 10)}`;
}
