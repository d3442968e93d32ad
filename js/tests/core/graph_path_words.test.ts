import { describe, expect, it } from "vitest";
import type { Graph } from "../../src/core/graph_content.ts";
import { lightPaths } from "../../src/core/graph_lit.ts";
import { listPaths, MOST_LINES } from "../../src/core/graph_path_words.ts";
import { strengths } from "../../src/core/graph_strength.ts";
import { networkOf, weighted } from "../graph_samples.ts";

function list(graph: Graph, column: number, units: number[], direction: "in" | "out") {
  const contributions = strengths(graph, 0, "contribution");
  const nodes = units.map((unit) => ({ column, unit }));
  return listPaths(graph, contributions, lightPaths(graph, contributions, nodes), direction);
}

const small = weighted([1, 2, 1], [-3, 2], [0.5, -4]);

describe("the list of best paths", () => {
  it("says where each leads, its product with its sign, and its share of those listed", () => {
    const found = list(small, 2, [0], "in");
    expect(found).toMatchObject({ head: "2 best paths into 1:0", ofAll: "100 % of all", notes: [] });
    expect(found?.lines.map(({ course, product, share }) => [course, product, share])).toEqual([
      ["input:0 → 0:1 → 1:0", "−8", "84 %"],
      ["input:0 → 0:0 → 1:0", "−1.50", "16 %"],
    ]);
  });

  it("is of one side only where the data begin or end", () => {
    expect(list(small, 2, [0], "out")).toBeNull();
    expect(list(small, 0, [0], "in")).toBeNull();
    expect(list(small, 0, [0], "out")?.head).toBe("2 best paths out of input:0");
    expect(list(small, 1, [1], "in")?.head).toBe("best path into 0:1");
  });

  it("names every unit of a path, also the one it is listed for", () => {
    const courses = list(small, 0, [0], "out")?.lines.map(({ course }) => course);
    expect(courses).toEqual(["input:0 → 0:1 → 1:0", "input:0 → 0:0 → 1:0"]);
    expect(list(small, 1, [1], "in")?.lines[0].course).toBe("input:0 → 0:1");
  });

  it("of many paths has the best, and says how much of all they are", () => {
    const found = list(weighted([10, 1], [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]), 1, [0], "in");
    expect(found?.lines.length).toBe(MOST_LINES);
    expect(found?.ofAll).toBe("73 % of all"); // 40 of 55
    expect(found?.lines.map(({ share }) => share)).toEqual(["25 %", "23 %", "20 %", "18 %", "15 %"]);
  });

  it("of several units has the best of them all", () => {
    const graph = weighted([1, 3], [1, -5, 2]);
    const found = list(graph, 1, [0, 1, 2], "in");
    expect(found?.head).toBe("3 best paths into 3 units");
    expect(found?.lines.map(({ course }) => course)).toEqual([
      "input:0 → 0:1",
      "input:0 → 0:2",
      "input:0 → 0:0",
    ]);
  });

  it("says where paths end because no edges go on", () => {
    const chain = weighted([1, 1, 1, 1], [2], [3], [4]);
    const gap = { ...chain, bundles: chain.bundles.slice(1) };
    expect(list(gap, 3, [0], "in")?.notes).toEqual(["paths begin at 0: no edges lead into layer 0"]);
    expect(list(gap, 1, [0], "in")).toMatchObject({ head: "no path into 0:0", lines: [], ofAll: "" });
    expect(list(gap, 1, [0], "in")?.notes).toEqual(["no edges lead into layer 0"]);
    const open = { ...chain, bundles: chain.bundles.slice(0, 2) };
    expect(list(open, 0, [0], "out")?.notes).toEqual(["paths end at 1: no edges lead out of layer 1"]);
  });

  it("says when every way is cut", () => {
    const found = list(weighted([1, 1, 1], [0], [2]), 2, [0], "in");
    expect(found).toMatchObject({ head: "no path into 1:0", lines: [] });
    expect(found?.notes[0]).toMatch(/^every way is cut: .* 0 or no finite number$/);
  });

  it("owns up to edges that are not here", () => {
    const graph = networkOf({ sizes: [2, 2, 2] });
    graph.bundles[1].total = 100;
    expect(list(graph, 2, [0], "in")?.notes).toEqual(["of layer 1 only the edges held here are looked at"]);
  });
});
