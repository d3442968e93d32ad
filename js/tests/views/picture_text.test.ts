// @vitest-environment jsdom
import { beforeEach, expect, it, vi } from "vitest";
import { draw } from "../../src/views/graph_picture.ts";
import { stubPage } from "../page.ts";

let written: [string, number][];
let context: CanvasRenderingContext2D;

/** Every letter is 10 wide, and words begin where their letters do. */
beforeEach(() => {
  stubPage();
  written = [];
  const measureText = (word: string) => ({ width: 10 * word.length });
  const fillText = (word: string, x: number) => written.push([word, x]);
  const own: Record<string, unknown> = { measureText, fillText, globalAlpha: 1 };
  context = new Proxy({} as CanvasRenderingContext2D, {
    get: (_, name: string) => own[name] ?? (() => undefined),
    set: () => true,
  });
  vi.spyOn(Element.prototype, "getBoundingClientRect").mockImplementation(
    () => ({ left: 0, right: 160, top: 0, width: 160, height: 16 }) as DOMRect,
  );
  Range.prototype.getBoundingClientRect = function () {
    const before = this.startContainer.previousSibling?.textContent?.length ?? 0;
    const [left, right] = [this.startOffset, this.endOffset].map((at) => 10 * (before + at));
    return { left, right, width: right - left, top: 0, height: 16 } as DOMRect;
  };
});

/** A box 160 wide with a text that may be longer. */
function box(...children: (string | HTMLElement)[]): HTMLElement {
  const node = document.createElement("span");
  node.style.cssText = "overflow: hidden; text-overflow: ellipsis";
  node.append(...children);
  Object.defineProperties(node, {
    scrollWidth: { value: 10 * (node.textContent?.length ?? 0) },
    clientWidth: { value: 160 },
  });
  document.body.append(node);
  return node;
}

it("what fits is written whole", () => {
  draw(context, box("out.add ±12.0 ·c"));
  expect(written).toEqual([
    ["out.add", 0],
    ["±12.0", 80],
    ["·c", 140],
  ]);
});

it("what the page cuts ends in an ellipsis inside its box", () => {
  draw(context, box("out.add ±12.0 · out.add ±1.14"));
  expect(written).toEqual([
    ["out.add", 0],
    ["±12.0", 80],
    ["·", 140],
    ["…", 150],
  ]);
  written = [];
  draw(context, box("largest ±12.012345 · more"));
  expect(written).toEqual([
    ["largest", 0],
    ["±12.012…", 80],
  ]);
});

it("what is inside of it as well is cut once", () => {
  const inner = document.createElement("span");
  inner.append("largest ±12.0");
  draw(context, box(inner, " · out.add ±1.14"));
  expect(written.map(([word]) => word)).toEqual(["largest", "±12.0", "·", "…"]);
});

it("a box that does not ask for one has no ellipsis", () => {
  const node = box("out.add ±12.0 · out.add ±1.14");
  node.style.textOverflow = "clip";
  draw(context, node);
  expect(written.length).toBe(5);
});
