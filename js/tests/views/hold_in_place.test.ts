// @vitest-environment jsdom
import { beforeEach, expect, it, vi } from "vitest";
import { holdInPlace } from "../../src/views/hold_in_place.ts";
import { painted } from "../page.ts";

let head: HTMLElement;
let box: HTMLElement;
let above = 100;

/** A head inside a box that scrolls, below something whose height may change. */
beforeEach(() => {
  vi.restoreAllMocks();
  above = 100;
  box = document.createElement("div");
  box.style.overflowY = "auto";
  Object.defineProperties(box, { scrollHeight: { value: 2000 }, clientHeight: { value: 500 } });
  head = document.createElement("button");
  box.append(head);
  document.body.replaceChildren(box);
  box.scrollTop = 40;
  head.getBoundingClientRect = () => ({ top: above - box.scrollTop }) as DOMRect;
});

it("scrolls by as much as what was clicked would move, later changes too", async () => {
  holdInPlace(head, new AbortController().signal);
  above = 180;
  await painted();
  expect(box.scrollTop).toBe(120);
  above = 150;
  await painted();
  expect(box.scrollTop).toBe(90);
});

it.each(["wheel", "pointerdown", "keydown"])("lets go at the next %s", async (type) => {
  holdInPlace(head, new AbortController().signal);
  window.dispatchEvent(new Event(type));
  above = 180;
  await painted();
  expect(box.scrollTop).toBe(40);
});

it("ends with the view", async () => {
  const life = new AbortController();
  holdInPlace(head, life.signal);
  life.abort();
  above = 180;
  await painted();
  expect(box.scrollTop).toBe(40);
});
