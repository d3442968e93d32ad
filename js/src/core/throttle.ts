// Calls at most once in `wait` milliseconds, and always with the last value in the end.

export interface Throttled<T> {
  (value: T): void;
  /** Sends what is still waiting now. */
  flush(): void;
  cancel(): void;
}

export function throttle<T>(send: (value: T) => void, wait: number): Throttled<T> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let waiting: { value: T } | null = null;
  const release = () => {
    timer = null;
    if (!waiting) return;
    const { value } = waiting;
    waiting = null;
    timer = setTimeout(release, wait);
    send(value);
  };
  const throttled = (value: T) => {
    waiting = { value };
    if (timer === null) release();
  };
  const cancel = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    waiting = null;
  };
  const flush = () => {
    const last = waiting;
    cancel();
    if (last) send(last.value);
  };
  return Object.assign(throttled, { flush, cancel });
}
