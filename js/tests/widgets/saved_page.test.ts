// @vitest-environment jsdom
import { gzipSync } from "node:zlib";
import { beforeEach, expect, it, vi } from "vitest";
import type { WireArray } from "../../src/core/arrays.ts";
import { networkWire } from "../graph_samples.ts";
import { find, painted, press, stubPage } from "../page.ts";
import { smallContent } from "../samples.ts";

/** Packs every array of a state as `save_html` does. */
function pack(_key: string, value: unknown): unknown {
  const data = (value as WireArray | null)?.data;
  if (!(data instanceof DataView)) return value;
  const { dtype, shape } = value as WireArray;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { gzip: gzipSync(bytes).toString("base64"), dtype, shape };
}

const layer = (name: string) => ({
  name,
  type: "Linear",
  shape: [5],
  parameters: 9,
  redundancy: 0.5,
  note: "",
});

function write(more: object = {}) {
  const state = {
    format: 1,
    title: "digits classifier",
    widgets: [
      {
        name: "picker",
        kind: "layer_picker",
        state: { layers: [layer("fc"), layer("out")], layer: "fc", title: "", subtitle: "" },
      },
      {
        name: "heatmaps",
        kind: "linked_heatmaps",
        // As Python writes it: the layer shown first is stored once, with the other answers.
        state: {
          cut: 0.5,
          selection: {},
          job: { title: "EI", state: "running", text: "", done: 1, total: 2 },
        },
      },
    ],
    answers: {
      "picker.layer": {
        fc: { heatmaps: { content: smallContent() } },
        out: { heatmaps: { content: smallContent({ layer: "out" }), cut: 0.15 } },
      },
    },
    ...more,
  };
  const script = document.createElement("script");
  script.type = "application/json";
  script.id = "nbw-state";
  script.textContent = JSON.stringify(state, pack);
  document.body.append(script);
}

async function openPage() {
  vi.resetModules();
  await import("../../src/widgets/saved_page.ts");
  await vi.waitFor(() => find(document, ".nbw-linked-heatmaps[data-seq], .nbw-error"));
}

beforeEach(() => {
  stubPage();
});

it("draws both widgets under the title", async () => {
  write();
  await openPage();
  expect(find(document, "h1").textContent).toBe("digits classifier");
  expect(find(document, ".nbw-linked-heatmaps").dataset.layer).toBe("fc");
  expect(document.querySelectorAll('[role="treeitem"]').length).toBe(2);
  expect(document.querySelector(".nbw-job")).toBeNull(); // nobody is there to do it
});

it("answers a pick as the kernel would, from what was saved", async () => {
  write();
  await openPage();
  press(find(document, '[role="treeitem"][tabindex="0"]'), "End");
  press(find(document, '[role="treeitem"][tabindex="0"]'), "Enter");
  await vi.waitFor(() => expect(find(document, ".nbw-linked-heatmaps").dataset.layer).toBe("out"));
  await painted();
  expect(find(document, ".nbw-linked-heatmaps").dataset.clusters).toBe("3");
});

it("keeps linked traits equal in both directions, and the graph among them", async () => {
  const graph = networkWire({ sizes: [5, 5, 2] });
  graph.columns[1].aliases = ["fc"];
  const picker = { layers: [layer("fc"), layer("out")], layer: "fc", title: "", subtitle: "" };
  const heatmaps = { content: smallContent(), cut: 0.5, selection: {}, clusters: {} };
  const state = { content: graph, sample: 0, shown: 9, selection: {}, layer: "", clusters: {}, height: 300 };
  write({
    widgets: [
      { name: "picker", kind: "layer_picker", state: picker },
      { name: "heatmaps", kind: "linked_heatmaps", state: heatmaps },
      { name: "graph", kind: "edge_graph", state },
    ],
    answers: {},
    links: [
      ["heatmaps.selection", "graph.selection"],
      ["picker.layer", "graph.layer"],
      ["heatmaps.clusters", "graph.clusters"],
    ],
  });
  await openPage();
  await painted();
  const head = find(document, '.nbw-graph-head[data-layer="0"]');
  expect(head.getAttribute("aria-pressed")).toBe("true"); // the picker's value, from the start
  press(find(document, '[data-matrix="r"] .nbw-plot'), "Enter");
  await painted();
  expect(find(document, ".nbw-edge-graph .nbw-readout").textContent).toMatch(/^1 unit selected/);
  press(find(document, ".nbw-graph-plot"), "Escape");
  await painted();
  expect(document.querySelector(".nbw-chip")).toBeNull();
  find<HTMLButtonElement>(document, '.nbw-graph-head[data-layer="1"]').click();
  await painted();
  expect(head.getAttribute("aria-pressed")).toBe("false");
});

it.each([
  [
    () => write({ links: [["graph.layer", "picker.layer"]] }),
    /links graph\.layer, but its widgets are picker, heatmaps/,
  ],
  [() => write({ format: 2 }), /format 2; this reader knows format 1/],
  [() => undefined, /holds no <script id="nbw-state">/],
])("says on the page what is wrong with it", async (prepare, message) => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  prepare();
  await openPage();
  expect(find(document, ".nbw-error").textContent).toMatch(message);
});
