// What jsdom lacks and the views need: a canvas that records, sizes, and a model that counts its listeners.

import { vi } from "vitest";
import type { Model } from "../src/widgets/model.ts";

/** Calls on any canvas since `stubPage`, in order: [method, ...arguments]. */
export type Calls = unknown[][];

export function stubPage(width = 900): { calls: Calls; resize(width: number): void } {
  document.body.replaceChildren();
  const calls: Calls = [];
  const paint = new Proxy({} as Record<string, unknown>, {
    get(target, name: string) {
      if (name === "createImageData") {
        return (w: number, h: number) => ({ width: w, height: h, data: new Uint8ClampedArray(4 * w * h) });
      }
      return name in target ? target[name] : (...given: unknown[]) => calls.push([name, ...given]);
    },
  });
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation((() => paint) as never);
  vi.stubGlobal(
    "Path2D",
    class {
      moveTo() {}
      lineTo() {}
      arc() {}
      bezierCurveTo() {}
    },
  );
  const media = Object.assign(new EventTarget(), { matches: false });
  vi.stubGlobal("matchMedia", () => media);
  const observers = new Set<(entries: unknown[]) => void>();
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(private readonly tell: (entries: unknown[]) => void) {}
      observe() {
        observers.add(this.tell);
        this.tell([{ contentRect: { width } }]);
      }
      disconnect() {
        observers.delete(this.tell);
      }
    },
  );
  return {
    calls,
    resize: (next) => {
      for (const tell of observers) tell([{ contentRect: { width: next } }]);
    },
  };
}

/** A model as Jupyter gives it, with every message and every save on record. */
export class FakeModel implements Model {
  readonly sent: unknown[] = [];
  saves = 0;
  private readonly listeners: [string, (...args: unknown[]) => void][] = [];

  constructor(readonly state: Record<string, unknown>) {}

  get(name: string) {
    return this.state[name];
  }

  set(name: string, value: unknown) {
    if (this.state[name] === value) return;
    this.state[name] = value;
    this.emit(`change:${name}`);
  }

  save_changes() {
    this.saves++;
  }

  on(event: string, listener: (...args: unknown[]) => void) {
    this.listeners.push([event, listener]);
  }

  off(event: string, listener: (...args: unknown[]) => void) {
    const at = this.listeners.findIndex(([name, other]) => name === event && other === listener);
    if (at >= 0) this.listeners.splice(at, 1);
  }

  send(message: unknown) {
    this.sent.push(message);
  }

  emit(event: string, ...args: unknown[]) {
    for (const [name, listener] of [...this.listeners]) if (name === event) listener(...args);
  }

  get listening() {
    return this.listeners.length;
  }
}

/** Waits for the frame in which the view paints. */
export function painted(): Promise<void> {
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())));
}

export function press(target: Element, key: string, more: KeyboardEventInit = {}): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
  target.dispatchEvent(event);
  return event;
}

export function point(
  target: Element,
  type: string,
  x: number,
  y: number,
  more: PointerEventInit = {},
): void {
  target.dispatchEvent(
    new PointerEvent(type, {
      clientX: x,
      clientY: y,
      pointerId: 1,
      button: 0,
      bubbles: true,
      cancelable: true,
      ...more,
    }),
  );
}

/** The first match, or a failed test that says what is missing. */
export function find<T extends Element = HTMLElement>(root: ParentNode, selector: string): T {
  const found = root.querySelector<T>(selector);
  if (!found) throw new Error(`nothing matches ${selector}`);
  return found;
}

/** Counts listeners on every target, so that a test can see that none is left. */
export function countListeners(): () => number {
  let count = 0;
  const add = EventTarget.prototype.addEventListener;
  const open = new Set<string>();
  let next = 0;
  vi.spyOn(EventTarget.prototype, "addEventListener").mockImplementation(function (
    this: EventTarget,
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: AddEventListenerOptions | boolean,
  ) {
    const signal = typeof options === "object" ? options.signal : undefined;
    // What a signal itself holds ends with the signal.
    if (!(this instanceof AbortSignal)) {
      const id = String(next++);
      open.add(id);
      count = open.size;
      if (signal) {
        signal.addEventListener("abort", () => {
          open.delete(id);
          count = open.size;
        });
      }
    }
    add.call(this, type, listener, options);
  });
  return () => count;
}
