import { describe, expect, it } from "vitest";
import { GAP, layoutPanels } from "../../src/core/layout.ts";

describe.each([360, 600, 640, 900, 1280, 1920])("at %i px", (width) => {
  for (const square of [[true], [true, false], [true, true, false], [false]]) {
    it(`panels ${square.join(", ")} share a height and stay inside`, () => {
      const boxes = layoutPanels(width, square);
      expect(new Set(boxes.map((box) => box.height)).size).toBe(1);
      for (const [i, box] of boxes.entries()) {
        if (square[i]) expect(box.width).toBe(box.height);
        expect(box.panel).toBeLessThanOrEqual(width);
        expect(box.tree > 0).toBe(i === 0);
      }
    });
  }
});

it("stands two panels side by side when wide and stacks them when narrow", () => {
  const total = (width: number) =>
    layoutPanels(width, [true, false]).reduce((sum, box) => sum + box.panel, GAP);
  expect(total(1000)).toBeLessThanOrEqual(1000);
  expect(total(600)).toBeGreaterThan(600);
});
