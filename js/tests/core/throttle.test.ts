import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { throttle } from "../../src/core/throttle.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("sends the first at once, at most one in a period, and always the last", () => {
  const sent: number[] = [];
  const send = throttle((value: number) => sent.push(value), 100);
  for (let i = 0; i < 100; i++) {
    send(i);
    vi.advanceTimersByTime(10);
  }
  expect(sent.length).toBeLessThanOrEqual(11);
  vi.advanceTimersByTime(200);
  expect(sent[0]).toBe(0);
  expect(sent[sent.length - 1]).toBe(99);
});

it("flushes what waits, once", () => {
  const sent: number[] = [];
  const send = throttle((value: number) => sent.push(value), 100);
  send(1);
  send(2);
  send.flush();
  vi.advanceTimersByTime(500);
  expect(sent).toEqual([1, 2]);
});

it("sends nothing after it was cancelled", () => {
  const sent: number[] = [];
  const send = throttle((value: number) => sent.push(value), 100);
  send(1);
  send(2);
  send.cancel();
  vi.advanceTimersByTime(500);
  expect(sent).toEqual([1]);
});
