// The model of a saved page: traits without a kernel behind them.

import type { Model } from "./model.ts";

type Listener = (...args: unknown[]) => void;

export class SavedModel implements Model {
  private readonly listeners = new Map<string, Set<Listener>>();

  constructor(private readonly state: Map<string, unknown>) {}

  // biome-ignore lint/suspicious/noExplicitAny: a trait may hold anything; each widget knows its own
  get(name: string): any {
    return this.state.get(name);
  }

  set(name: string, value: unknown): void {
    if (Object.is(this.state.get(name), value)) return;
    this.state.set(name, value);
    for (const listener of [...(this.listeners.get(`change:${name}`) ?? [])]) listener();
  }

  on(event: string, listener: Listener): void {
    const known = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, known.add(listener));
  }

  off(event: string, listener: Listener): void {
    this.listeners.get(event)?.delete(listener);
  }

  /** Traits are shared in the page already. */
  save_changes(): void {}

  /** Nobody answers: views then keep the value they can decode, with its error. */
  send(): void {}
}
