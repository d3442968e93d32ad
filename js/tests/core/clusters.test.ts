import { expect, it } from "vitest";
import { clusterKeys, colorsByUnit, labelsByUnit } from "../../src/core/clusters.ts";
import { decodeContent } from "../../src/core/content.ts";
import { clusterColors, clustersAt } from "../../src/core/dendrogram.ts";
import { smallContent } from "../samples.ts";

const content = decodeContent(smallContent()); // rows are the units 3, 1, 0, 4 and the constant 2

it("clusters are told by unit number, whatever the order of the rows", () => {
  const told = labelsByUnit(content, clustersAt(content.tree, 0.5, content.rows));
  expect(told).toEqual({ layer: "fc", labels: [2, 1, 0, 1, 2] });
});

it("a unit has the colour that the strip beside its row has", () => {
  for (const cut of [0, 0.15, 0.5, 1]) {
    const clusters = clustersAt(content.tree, cut, content.rows);
    const strip = clusterColors(clusters, 8);
    const colors = colorsByUnit(labelsByUnit(content, clusters).labels, 8);
    for (let row = 0; row < content.rows; row++) {
      const label = clusters.labels[row];
      expect(colors[content.units[row]]).toBe(label > 0 ? strip[label - 1] : -1);
    }
  }
});

it("every colour has a key that says whose it is: clusters in order, then the units that stand alone", () => {
  const labels = [2, 1, 3, 1, 2, 0, 1];
  expect(clusterKeys({ layer: "fc", labels }, 8)).toEqual([
    { cluster: 1, color: 0, units: [1, 3, 6] },
    { cluster: 2, color: 1, units: [0, 4] },
    { cluster: 0, color: -1, units: [2, 5] },
  ]);
  expect(clusterKeys({ layer: "fc", labels: [] }, 8)).toEqual([]);
});
