import { expect, it } from "vitest";
import {
  buildLayerTree,
  type LayerRow,
  type TreeNode,
  typeAhead,
  visibleNodes,
} from "../../src/core/layer_tree.ts";

function layer(name: string): LayerRow {
  return { name, type: "Linear", shape: [4], parameters: 1, redundancy: null, note: "" };
}

function outline(nodes: TreeNode[]): string[] {
  return visibleNodes(nodes, new Set()).map((node) => `${node.level} ${node.label}${node.layer ? "" : "/"}`);
}

it.each([
  [
    ["input", "0", "1"],
    ["1 input", "1 0", "1 1"],
  ],
  [
    ["input", "a.0", "a.1", "b"],
    ["1 input", "1 a/", "2 0", "2 1", "1 b"],
  ],
  [
    ["input", "net.0", "net.1"],
    ["1 input", "1 0", "1 1"],
  ],
  [
    ["input", "input:y", "input:batch.mask", "net.0", "net.1"],
    ["1 input", "1 input:y", "1 input:batch/", "2 mask", "1 0", "1 1"],
  ],
  [
    ["input", "a.x.y.0", "a.x.y.1", "b"],
    ["1 input", "1 a.x.y/", "2 0", "2 1", "1 b"],
  ],
  [
    ["a.0", "b.0", "a.1"],
    ["1 a/", "2 0", "2 1", "1 b/", "2 0"],
  ],
])("arranges %j", (names, expected) => {
  expect(outline(buildLayerTree(names.map(layer)))).toEqual(expected);
});

it("hides what is inside a closed group", () => {
  const nodes = buildLayerTree(["a.0", "a.1", "b"].map(layer));
  expect(visibleNodes(nodes, new Set(["a"])).map((node) => node.id)).toEqual(["a", "b"]);
});

it("types ahead by label or full name, and goes round", () => {
  const nodes = visibleNodes(buildLayerTree(["conv1", "conv2", "fc"].map(layer)), new Set());
  expect(typeAhead(nodes, 0, "c")).toBe(1);
  expect(typeAhead(nodes, 1, "c")).toBe(0);
  expect(typeAhead(nodes, 0, "CONV2")).toBe(1);
  expect(typeAhead(nodes, 0, "z")).toBe(-1);
});
