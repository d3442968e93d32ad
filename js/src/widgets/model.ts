// The part of a Jupyter model that the widgets use. The saved page brings its own.

export interface Model {
  // biome-ignore lint/suspicious/noExplicitAny: a trait may hold anything; each widget knows its own
  get(name: string): any;
  set(name: string, value: unknown): void;
  save_changes(): void;
  on(event: string, listener: (...args: unknown[]) => void): void;
  off(event: string, listener: (...args: unknown[]) => void): void;
  send(message: unknown): void;
}

export interface RenderProps {
  model: Model;
  el: HTMLElement;
  /** Given by anywidget 0.11 and later; earlier ones call what `render` returns. */
  signal?: AbortSignal;
}

/** Sets a trait here and wherever else it is held. */
export function saveTo(model: Model): (name: string, value: unknown) => void {
  return (name, value) => {
    model.set(name, value);
    model.save_changes();
  };
}

/** Listens until the view ends. */
export function listen(
  model: Model,
  event: string,
  listener: (...args: unknown[]) => void,
  signal: AbortSignal,
): void {
  model.on(event, listener);
  signal.addEventListener("abort", () => model.off(event, listener), { once: true });
}

/** A root element and the life of one view, ended by whoever comes first: the signal or the clean-up. */
export function openView({ el, signal }: RenderProps, kind: string) {
  const life = new AbortController();
  const root = document.createElement("div");
  root.className = `nbw nbw-${kind}`;
  // JupyterLab's own keys stay quiet while the focus is inside. Lab looks for this mark on the element that has the
  // focus before it looks further up, and its command mode matches any element with the focus: so that one bears it.
  const quiet = (event: FocusEvent) => {
    (event.target as HTMLElement).dataset.lmSuppressShortcuts = "true";
  };
  root.addEventListener("focusin", quiet, { signal: life.signal });
  el.append(root);
  const close = () => {
    life.abort();
    root.remove();
  };
  signal?.addEventListener("abort", close, { once: true });
  return { root, signal: life.signal, close };
}
