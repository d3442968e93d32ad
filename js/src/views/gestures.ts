// Mouse, touch and wheel on a plot, told as the few things a reader means by them. Positions are in CSS
// pixels of the plot. d3-zoom has one scale for both axes; here rows are shared between matrices while
// columns are not, so the spans live in the scene and only the gestures are read here.

export interface Gestures {
  panning(): boolean;
  move(x: number, y: number): void;
  leave(): void;
  click(x: number, y: number, add: boolean): void;
  brush(box: Brush | null): void;
  brushed(box: Brush, add: boolean): void;
  pan(dx: number, dy: number): void;
  zoom(x: number, y: number, factor: number): void;
  fit(): void;
  /** The wheel turned without Ctrl or ⌘: the page scrolls. */
  plainWheel(): void;
}

export interface Brush {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/** Less movement than this is a click. */
const SLACK = 4;

interface Drag {
  id: number;
  box: Brush;
  moved: boolean;
  pans: boolean;
}

export function followGestures(plot: HTMLElement, gestures: Gestures, signal: AbortSignal): void {
  new Hand(plot, gestures, signal);
}

class Hand {
  private readonly touches = new Map<number, { x: number; y: number }>();
  private drag: Drag | null = null;

  constructor(
    private readonly plot: HTMLElement,
    private readonly to: Gestures,
    signal: AbortSignal,
  ) {
    const on = <K extends keyof HTMLElementEventMap>(
      type: K,
      listener: (e: HTMLElementEventMap[K]) => void,
    ) => plot.addEventListener(type, listener, { signal, passive: false });
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", (event) => this.cancel(event));
    on("pointerleave", () => this.to.leave());
    on("dblclick", (event) => {
      event.preventDefault();
      this.to.fit();
    });
    on("wheel", (event) => this.wheel(event));
  }

  private at(event: MouseEvent): { x: number; y: number } {
    const box = this.plot.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private down(event: PointerEvent): void {
    const point = this.at(event);
    if (event.pointerType === "touch") {
      this.touches.set(event.pointerId, point);
      if (this.touches.size > 1) this.endDrag();
    }
    if (event.button !== 0 || this.touches.size > 1) return;
    const pans = event.shiftKey || this.to.panning();
    const box = { x0: point.x, y0: point.y, x1: point.x, y1: point.y };
    this.drag = { id: event.pointerId, box, moved: false, pans };
    this.plot.setPointerCapture?.(event.pointerId);
  }

  private move(event: PointerEvent): void {
    const point = this.at(event);
    if (this.touches.has(event.pointerId) && this.touches.size > 1) {
      this.pinch(event.pointerId, point);
      return;
    }
    if (this.touches.has(event.pointerId)) this.touches.set(event.pointerId, point);
    this.to.move(point.x, point.y);
    const drag = this.drag;
    if (drag?.id !== event.pointerId) return;
    const { box } = drag;
    if (!drag.moved && Math.hypot(point.x - box.x0, point.y - box.y0) < SLACK) return;
    drag.moved = true;
    if (drag.pans) this.to.pan(point.x - box.x1, point.y - box.y1);
    box.x1 = point.x;
    box.y1 = point.y;
    if (!drag.pans) this.to.brush(box);
  }

  private pinch(id: number, point: { x: number; y: number }): void {
    const was = this.touches.get(id);
    const other = [...this.touches].find(([key]) => key !== id)?.[1];
    this.touches.set(id, point);
    if (!was || !other) return;
    const before = Math.hypot(was.x - other.x, was.y - other.y);
    const after = Math.hypot(point.x - other.x, point.y - other.y);
    if (before > 0 && after > 0) {
      this.to.zoom((point.x + other.x) / 2, (point.y + other.y) / 2, after / before);
      this.to.pan((point.x - was.x) / 2, (point.y - was.y) / 2);
    }
  }

  private up(event: PointerEvent): void {
    this.touches.delete(event.pointerId);
    const drag = this.drag;
    if (drag?.id !== event.pointerId) return;
    this.endDrag();
    const add = event.ctrlKey || event.metaKey;
    if (!drag.moved) this.to.click(drag.box.x0, drag.box.y0, add || event.shiftKey);
    else if (!drag.pans) this.to.brushed(drag.box, add);
  }

  private cancel(event: PointerEvent): void {
    this.touches.delete(event.pointerId);
    this.endDrag();
  }

  private endDrag(): void {
    if (this.drag) this.to.brush(null);
    this.drag = null;
  }

  private wheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey) {
      this.to.plainWheel();
      return;
    }
    event.preventDefault();
    const { x, y } = this.at(event);
    const lines = event.deltaMode === 1 ? 20 : 1;
    // A pinch on a touchpad arrives as small Ctrl + wheel steps and a mouse wheel as steps of 100 or so.
    const step = Math.max(-120, Math.min(120, event.deltaY * lines));
    this.to.zoom(x, y, 2 ** (-step / 120));
  }
}
