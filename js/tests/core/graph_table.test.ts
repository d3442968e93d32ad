import { describe, expect, it } from "vitest";
import { decodeGraph, type Graph, type Node } from "../../src/core/graph_content.ts";
import { tripletOf } from "../../src/core/graph_readout.ts";
import { strengths, strongest } from "../../src/core/graph_strength.ts";
import {
  STRONGEST_FIRST,
  TABLE_COLUMNS,
  type TableOrder,
  tableInWords,
  tableRows,
} from "../../src/core/graph_table.ts";
import { columnOf, denseOf, networkOf, weighted, wireGraph } from "../graph_samples.ts";
import { wire } from "../samples.ts";

function tabled(graph: Graph, count = 1e6) {
  const given = strengths(graph, 0, "contribution");
  return { graph, strengths: given, drawn: strongest(graph, given, count), sample: 0 };
}

const small = weighted([2, 2, 2], [1, -4, 2, Number.NaN], [5, -10, 0, 1]);
const edgesOf = (count: number, most: number, order: TableOrder = STRONGEST_FIRST, units: Node[] = []) =>
  tableRows(tabled(small, count), order, units, most).rows.map(({ bundle, edge }) => [bundle, edge]);

describe("the table", () => {
  it("lists drawn edges, the strongest first, those without a number before all", () => {
    const all = [
      [0, 3],
      [0, 1],
      [1, 1],
      [0, 2],
      [1, 0],
      [0, 0],
      [1, 3],
      [1, 2],
    ];
    expect(edgesOf(8, 50)).toEqual(all);
    expect(edgesOf(8, 3)).toEqual(all.slice(0, 3));
    expect(edgesOf(2, 50).length).toBe(2);
    expect(edgesOf(8, 0)).toEqual([]);
  });

  it.each(TABLE_COLUMNS.map(({ by }) => by))("is ordered by %s as a sort of all would, either way", (by) => {
    const graph = networkOf({ sizes: [6, 5, 4], seed: 4 });
    const all = tabled(graph);
    const place = TABLE_COLUMNS.findIndex((column) => column.by === by);
    const number = (bundle: number, edge: number) => {
      const { sourceValue, weight, contribution, targetValue, share } = tripletOf(graph, bundle, edge, 0);
      const largest = all.strengths.largest[bundle];
      const own = graph.bundles[bundle];
      const ends = [100 * bundle + (edge % own.inputs), 100 * bundle + Math.floor(edge / own.inputs)];
      return [
        ...ends,
        sourceValue,
        weight,
        contribution,
        Math.abs(contribution) / largest,
        targetValue,
        share,
      ][place];
    };
    for (const down of [true, false]) {
      const found = tableRows(all, { by, down }, [], 1000).rows.map(
        ({ bundle, edge }) => number(bundle, edge) ?? 0,
      );
      expect(found.length).toBe(50);
      const sorted = [...found].sort((a, b) => (down ? b - a : a - b));
      found.forEach((value, k) => {
        expect(value).toBeCloseTo(sorted[k], 6);
      });
      expect(found.slice(0, 7)).toEqual(
        tableRows(all, { by, down }, [], 7).rows.map(({ bundle, edge }) => number(bundle, edge) ?? 0),
      );
    }
  });

  it("has what is no number last where another column orders it", () => {
    expect(edgesOf(8, 50, { by: "weight", down: true })[7]).toEqual([0, 3]);
    expect(edgesOf(8, 50, { by: "weight", down: false })[7]).toEqual([0, 3]);
  });

  it("begins with the edges of the selected units, and counts them", () => {
    const units = [{ column: 1, unit: 0 }];
    const { rows, first } = tableRows(tabled(small), STRONGEST_FIRST, units, 5);
    expect(first).toBe(4); // two into it, two out of it
    expect(rows.map(({ first: own }) => own)).toEqual([true, true, true, true, false]);
    expect(rows.slice(0, 4).map(({ bundle, edge }) => [bundle, edge])).toEqual([
      [0, 1],
      [1, 0],
      [0, 0],
      [1, 2],
    ]);
    expect(rows[4]).toMatchObject({ bundle: 0, edge: 3 });
  });

  it("has a cell for each of its heads", () => {
    const [first, second] = tableRows(tabled(small), STRONGEST_FIRST, [], 2).rows;
    expect(second.cells).toEqual(["input:1", "0:0", "1", "−4", "−4", "100 %", "1", "−400 %"]);
    expect(first.cells).toEqual(["input:1", "0:1", "1", "not defined", "not defined", "not finite", "1", ""]);
    expect(first.cells.length).toBe(TABLE_COLUMNS.length);
  });

  it("says which numbers are sums, and that sums have no product", () => {
    const columns = [columnOf("input", [[3]], { positions: 4 }), columnOf("0", [[6]])];
    const layer = { name: "0", source: 0, target: 1, weight: [[2]], from: [[3]], to: [[5]] };
    const more = { contribution: wire(Float32Array.of(5), 1, 1, 1), weight_is: "kernel sum" };
    const graph = decodeGraph(wireGraph(columns, [denseOf(layer, more)]));
    const [row] = tableRows(tabled(graph), STRONGEST_FIRST, [], 1).rows;
    expect(row.cells).toEqual(["input:0", "0:0", "Σ3", "kernel sum 2", "Σ5", "100 %", "5", "100 %"]);
    expect(tableInWords(graph, STRONGEST_FIRST, 0, 0, 50)).toEqual([
      "",
      "ordered by ÷ largest, largest first",
      "Σ: in layer 0 a contribution is a sum over positions, not source value × weight",
    ]);
  });

  it("calls nothing a sum where units have one position, and names a sum’s layer once", () => {
    const [from, to] = [[[3]], [[6]]];
    const given = { contribution: wire(Float32Array.of(6), 1, 1, 1) };
    const add = { name: "conv", source: 0, target: 1, weight: [[2]], from, to };
    const graph = (positions: number, kind = "Conv2d") =>
      decodeGraph(
        wireGraph(
          [columnOf("input", from, { positions }), columnOf("conv", to, { positions })],
          [denseOf(add, { ...given, kind }), denseOf(add, { ...given, kind })],
        ),
      );
    const words = (...of: [number, string?]) => tableInWords(graph(...of), STRONGEST_FIRST, 0, 0, 50)[2];
    const [row] = tableRows(tabled(graph(1)), STRONGEST_FIRST, [], 1).rows;
    expect(row.cells.join(" ")).not.toContain("Σ");
    expect([words(1), words(4, "Add"), words(4)]).toEqual([
      "",
      "",
      "Σ: in layer conv a contribution is a sum over positions, not source value × weight",
    ]);
  });

  it("says whose edges come first, and what orders it", () => {
    const said = (...given: [TableOrder, number, number, number]) =>
      tableInWords(small, ...given).slice(0, 2);
    expect(said({ by: "weight", down: false }, 4, 1, 50)).toEqual([
      "first the 4 drawn edges of the selected unit",
      "ordered by weight, smallest first",
    ]);
    expect(said({ by: "from", down: false }, 90, 3, 50)).toEqual([
      "first 50 of 90 drawn edges of the 3 selected units",
      "ordered by from, first unit first",
    ]);
    expect(said(STRONGEST_FIRST, 0, 2, 50)[0]).toBe("no edge of the 2 selected units is drawn");
  });
});
