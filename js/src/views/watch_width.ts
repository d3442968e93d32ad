// How wide a view is, told once at the start and after each change.

export function watchWidth(root: HTMLElement, changed: (width: number) => void, signal: AbortSignal): void {
  let width = 0;
  let changedAt = 0;
  const observer = new ResizeObserver((entries) => {
    const next = entries[0].contentRect.width;
    if (Math.abs(next - width) < 1 || next === 0) return;
    // A scroll bar that comes and goes with the height of the picture would make it flicker for ever.
    const now = performance.now();
    const scrollBarLeft = next > width && next - width < 20 && now - changedAt < 300;
    if (scrollBarLeft) return;
    changedAt = now;
    width = next;
    changed(width);
  });
  observer.observe(root);
  signal.addEventListener("abort", () => observer.disconnect(), { once: true });
}
