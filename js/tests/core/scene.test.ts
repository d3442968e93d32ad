import { describe, expect, it } from "vitest";
import { decodeContent } from "../../src/core/content.ts";
import { type Part, Scene } from "../../src/core/scene.ts";
import { layeredMatrix, smallContent, wire } from "../samples.ts";

function openScene() {
  const parts: Part[] = [];
  const scene = new Scene((part) => parts.push(part));
  scene.setCut(0.5);
  scene.setContent(decodeContent(smallContent()));
  parts.length = 0;
  return { scene, parts };
}

describe("selection", () => {
  it("keeps names that it does not show until they are replaced, but never mixes two layers", () => {
    const { scene } = openScene();
    scene.setNames(["fc:1", "fc:99"]);
    expect([scene.rows, scene.unknown]).toEqual([[1], ["fc:99"]]);
    expect(scene.select([0], "add")).toEqual(["fc:3", "fc:1", "fc:99"]);
    expect(scene.drop("fc:99")).toEqual(["fc:3", "fc:1"]);
    expect(scene.select([2], "replace")).toEqual(["fc:0"]);
    scene.setNames(["conv:9", "conv:4"]);
    expect([scene.rows, scene.unknown]).toEqual([[], ["conv:9", "conv:4"]]);
    expect(scene.drop("conv:9")).toEqual(["conv:4"]);
    expect(scene.select([0], "add")).toEqual(["fc:3"]);
  });

  it("finds its units again after a change of order", () => {
    const { scene } = openScene();
    scene.setNames(["fc:4"]);
    const wire = smallContent();
    new DataView((wire.units.data as DataView).buffer).setInt32(0, 4, true);
    new DataView((wire.units.data as DataView).buffer).setInt32(12, 3, true);
    scene.setContent(decodeContent(wire));
    expect(scene.rows).toEqual([0]);
  });

  it("takes a branch, a cluster, and a constant unit alone", () => {
    const { scene } = openScene();
    expect(scene.branchRows(0, 0.9)).toEqual([0, 1, 2, 3]);
    expect(scene.clusterRows(3)).toEqual([2, 3]);
    expect(scene.clusterRows(4)).toEqual([4]);
    expect(scene.branchRows(4, 0.9)).toEqual([]);
  });
});

describe("zoom", () => {
  it("moves rows everywhere, and columns only where they belong", () => {
    const { scene } = openScene();
    scene.zoomAt(1, 0, 0, 1.25);
    expect(scene.rowSpan).toEqual({ start: 0, size: 4 });
    expect(scene.columnSpan(0)).toEqual({ start: 0, size: 4 });
    scene.zoomAt(0, 1, 0, 1.25);
    expect(scene.columnSpan(0).size).toBeCloseTo(3.2);
    expect(scene.columnSpan(1).size).toBe(3);
    expect(scene.fitted).toBe(false);
    scene.fit();
    expect(scene.fitted).toBe(true);
  });

  it("comes close enough to see the rows that were found", () => {
    const { scene } = openScene();
    scene.show([3], 1 / 3);
    expect(scene.rowSpan.size).toBe(3);
    expect(scene.rowSpan.start).toBeLessThanOrEqual(3);
    expect(scene.columnSpan(0).size).toBe(3);
  });
});

describe("a content that follows another", () => {
  it("leaves the zoom as it is when a panel comes to the same units", () => {
    const { scene } = openScene();
    scene.zoomAt(1, 0, 0, 1.25);
    scene.zoomAt(1, 1, 0, 1.25);
    const before = [scene.rowSpan, scene.columnSpan(0), scene.columnSpan(1)];
    const small = smallContent();
    const [square, samples] = small.matrices;
    scene.setContent(decodeContent({ ...small, matrices: [square, layeredMatrix(), samples] }));
    expect([scene.rowSpan, scene.columnSpan(0), scene.columnSpan(2)]).toEqual(before);
    expect(scene.columnSpan(1)).toEqual({ start: 0, size: 3 });
  });

  it("is shown whole when its units are others, or in another order", () => {
    for (const units of [Int32Array.of(3, 1, 0, 4, 9), Int32Array.of(1, 3, 0, 4, 2)]) {
      const { scene } = openScene();
      scene.zoomAt(0, 0, 0, 1.25);
      scene.setContent(decodeContent(smallContent({ units: wire(units, 5) })));
      expect(scene.fitted).toBe(true);
    }
    const { scene } = openScene();
    scene.zoomAt(0, 0, 0, 1.25);
    scene.setContent(decodeContent(smallContent({ layer: "other" })));
    expect(scene.fitted).toBe(true);
  });
});

it("is quiet when nothing changes", () => {
  const { scene, parts } = openScene();
  scene.setCut(0.5);
  scene.setCut(Number.NaN);
  scene.point(null);
  scene.point({ matrix: 0, row: 1, column: 1 });
  scene.point({ matrix: 0, row: 1, column: 1 });
  expect(parts).toEqual(["hover"]);
});

it("counts clusters again when the cut moves", () => {
  const { scene } = openScene();
  expect(scene.clusters.count).toBe(2);
  scene.setCut(0.15);
  expect(scene.clusters.count).toBe(3);
  scene.setCut(0.9);
  expect(scene.clusters.count).toBe(1);
});
