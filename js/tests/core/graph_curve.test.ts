import { describe, expect, it } from "vitest";
import { CURVE_GLSL, curveY, smooth } from "../../src/core/graph_curve.ts";

const SHARES = Array.from({ length: 41 }, (_, i) => i / 40);

it("is the smooth step between neighbours, flat at both ends", () => {
  for (const t of SHARES)
    expect(curveY(t, 100, 20, 1, -500)).toBeCloseTo(100 - 80 * (3 * t ** 2 - 2 * t ** 3), 9);
  expect(smooth(1e-6) + 1 - smooth(1 - 1e-6)).toBeLessThan(1e-10);
});

describe.each([2, 3, 5, 12])("over %i gaps", (gaps) => {
  it("starts and ends at its units and is in the lane at every column between", () => {
    expect([curveY(0, 90, 300, gaps, 10), curveY(1, 90, 300, gaps, 10)]).toEqual([90, 300]);
    for (let column = 1; column < gaps; column++) {
      const y = curveY(column / gaps, 90, 300, gaps, 10);
      expect(Math.abs(y - 10)).toBeLessThan(0.07 * 290);
    }
  });

  it("keeps apart in the lane what starts and ends apart", () => {
    expect(curveY(0.5, 90, 90, gaps, 10)).toBeLessThan(curveY(0.5, 100, 100, gaps, 10));
  });

  it("is the same from right to left", () => {
    for (const t of SHARES)
      expect(curveY(1 - t, 90, 300, gaps, 10)).toBeCloseTo(curveY(t, 300, 90, gaps, 10), 9);
  });
});

/** The shader's text differs from JavaScript only in how functions and numbers are declared. */
function translated(glsl: string): typeof curveY {
  const script = glsl
    .replace(
      /float (\w+)\(([^)]*)\) \{/g,
      (_, name, inputs) => `function ${name}(${inputs.replace(/float /g, "")}) {`,
    )
    .replace(/float (\w+) =/g, "const $1 =");
  return new Function("min", `${script}; return curveY;`)(Math.min);
}

it("is the same line in the shader", () => {
  const inShader = translated(CURVE_GLSL);
  for (const gaps of [1, 2, 4])
    for (const t of SHARES) expect(inShader(t, 30, 200, gaps, 5)).toBe(curveY(t, 30, 200, gaps, 5));
});
