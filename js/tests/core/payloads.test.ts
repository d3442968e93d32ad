// The golden payloads that a Python test writes: what Python sends must be what this side reads.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decodeContent, type WireContent } from "../../src/core/content.ts";
import { decodeGraph } from "../../src/core/graph_content.ts";
import type { WireGraph } from "../../src/core/graph_wire.ts";
import { readJob } from "../../src/core/job.ts";
import { buildLayerTree, type LayerRow } from "../../src/core/layer_tree.ts";
import { readSelection } from "../../src/core/selection.ts";
import { FOLDER, revive } from "../payloads.ts";

interface Payload {
  content?: WireContent;
  selection?: unknown;
  job?: unknown;
  layers?: LayerRow[];
}

const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));

it("there are payloads to read", () => {
  expect(files.length).toBeGreaterThan(0);
});

describe.each(files)("%s", (file) => {
  const parsed = JSON.parse(readFileSync(join(FOLDER, file), "utf8"), revive);
  const payload = (parsed.state ?? parsed) as Payload;

  it("holds the state of one of the widgets", () => {
    expect(payload.content !== undefined || payload.layers !== undefined).toBe(true);
  });

  if (payload.content && "columns" in payload.content)
    it("decodes as a graph", () => {
      const graph = decodeGraph(payload.content as unknown as WireGraph);
      for (const column of graph.columns)
        expect(column.values.length).toBe(column.units * graph.samples.length);
      for (const { diverging, sequential } of Object.values(graph.colors))
        expect([diverging.length, sequential.length]).toEqual([750, 750]);
      expect(readSelection(payload.selection).kind).toBe("units");
    });
  else if (payload.content)
    it("decodes as content of the heatmaps", () => {
      const content = decodeContent(payload.content as WireContent);
      expect(content.rows).toBe(content.units.length);
      expect(content.rowOfUnit.size).toBe(content.rows);
      for (const matrix of content.matrices) {
        expect(matrix.base.codes.length).toBe(content.rows * matrix.base.columns);
        expect(matrix.colors.light.length).toBe(750);
        expect(matrix.colors.dark.length).toBe(750);
        expect(matrix.high).toBeGreaterThanOrEqual(matrix.low);
        expect(matrix.error > 0).toBe(matrix.coded);
        if (matrix.sums) {
          expect(matrix.sums.rows.length).toBe(content.rows);
          expect(matrix.sums.columns.length).toBe(matrix.base.columns);
        }
      }
      for (const fact of content.facts)
        expect(Object.keys(fact).sort()).toEqual(["explain", "label", "reference", "value"]);
      expect(readSelection(payload.selection).kind).toBe("units");
    });

  if (payload.job)
    it("holds a job that can be read", () => {
      expect(readJob(payload.job)).toEqual(payload.job);
    });

  if (payload.layers)
    it("decodes as layers of the picker", () => {
      const layers = payload.layers as LayerRow[];
      expect(layers[0].name).toBe("input");
      expect(buildLayerTree(layers).length).toBeGreaterThan(0);
      for (const layer of layers) {
        expect(Object.keys(layer).sort()).toEqual([
          "name",
          "note",
          "parameters",
          "redundancy",
          "shape",
          "type",
        ]);
        if (layer.redundancy !== null) expect(layer.redundancy).toBeGreaterThanOrEqual(0);
      }
    });
});
