import { expect, it } from "vitest";
import { placeBeside } from "../../src/core/beside.ts";

const frame = { width: 300, height: 200 };
const box = { width: 120, height: 50 };

it("stands inside the frame and never over the point, wherever that is", () => {
  for (let x = 0; x <= frame.width; x += 5)
    for (let y = 0; y <= frame.height; y += 5) {
      const place = placeBeside({ x, y }, box, frame);
      if (!place) throw new Error(`no place at ${x}, ${y}`);
      expect(place.x).toBeGreaterThanOrEqual(0);
      expect(place.x + box.width).toBeLessThanOrEqual(frame.width);
      expect(place.y).toBeGreaterThanOrEqual(0);
      expect(place.y + box.height).toBeLessThanOrEqual(frame.height);
      const over = x >= place.x && x <= place.x + box.width && y >= place.y && y <= place.y + box.height;
      expect(over).toBe(false);
    }
});

it("stands below right of it where there is room", () => {
  expect(placeBeside({ x: 10, y: 10 }, box, frame)).toEqual({ x: 24, y: 24 });
  expect(placeBeside({ x: 290, y: 190 }, box, frame)).toEqual({ x: 156, y: 126 });
});

it("has no place where neither above nor below is room for it", () => {
  expect(placeBeside({ x: 10, y: 30 }, { width: 10, height: 60 }, { width: 300, height: 80 })).toBeNull();
});
