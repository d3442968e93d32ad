// Dragging and keys of the cut. The line follows the arrow: the tree grows to the left, so ArrowLeft is higher.

export interface CutControl {
  value(): number;
  top(): number;
  heightAt(clientX: number): number;
  set(cut: number, done: boolean): void;
}

export function followCut(slider: HTMLElement, control: CutControl, signal: AbortSignal): void {
  let dragging = false;
  slider.addEventListener(
    "pointerdown",
    (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      slider.focus();
      slider.setPointerCapture?.(event.pointerId);
      dragging = true;
    },
    { signal },
  );
  slider.addEventListener(
    "pointermove",
    (event) => dragging && control.set(control.heightAt(event.clientX), false),
    { signal },
  );
  const drop = () => {
    if (dragging) control.set(control.value(), true);
    dragging = false;
  };
  slider.addEventListener("pointerup", drop, { signal });
  slider.addEventListener("pointercancel", drop, { signal });
  slider.addEventListener(
    "keydown",
    (event) => {
      const next = keyed(event.key, control.value(), control.top());
      if (next === null) return;
      event.preventDefault();
      event.stopPropagation();
      control.set(next, true);
    },
    { signal },
  );
}

/** The cut after a key, in hundredths of the tree's height; null for keys that mean nothing here. */
export function keyed(key: string, value: number, top: number): number | null {
  const steps: Record<string, number> = {
    ArrowLeft: 1,
    ArrowUp: 1,
    ArrowRight: -1,
    ArrowDown: -1,
    PageUp: 10,
    PageDown: -10,
    Home: -Infinity,
    End: Infinity,
  };
  const step = steps[key];
  if (step === undefined) return null;
  return Math.min(top, Math.max(0, value + (step * top) / 100));
}
