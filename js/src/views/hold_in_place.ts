// What was clicked stays under the pointer, though the click makes other things on the page grow or shrink.

/** For so long, in milliseconds, what follows a click may still change the page. */
const WHILE = 1500;
const ENDS = ["wheel", "pointerdown", "touchstart", "keydown"] as const;

/** Scrolls whatever scrolls so that `node` stays where it is, until time is up or the reader moves on. */
export function holdInPlace(node: HTMLElement, signal: AbortSignal): void {
  const top = node.getBoundingClientRect().top;
  const over = new AbortController();
  const stop = () => over.abort();
  const until = performance.now() + WHILE;
  const follow = () => {
    if (over.signal.aborted || signal.aborted) return;
    const moved = node.getBoundingClientRect().top - top;
    if (node.isConnected && Math.abs(moved) >= 1) scrollerOf(node).scrollTop += moved;
    if (performance.now() < until) requestAnimationFrame(follow);
    else stop();
  };
  signal.addEventListener("abort", stop, { once: true, signal: over.signal });
  for (const type of ENDS)
    window.addEventListener(type, stop, { signal: over.signal, capture: true, passive: true });
  requestAnimationFrame(follow);
}

/** The nearest box around a node that scrolls: a notebook's own, or the page. */
function scrollerOf(node: HTMLElement): Element {
  for (let box = node.parentElement; box; box = box.parentElement) {
    const { overflowY } = getComputedStyle(box);
    if (/auto|scroll/.test(overflowY) && box.scrollHeight > box.clientHeight) return box;
  }
  return document.scrollingElement ?? document.documentElement;
}
