// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { decodeGraph, type Graph } from "../../src/core/graph_content.ts";
import { layoutGraph, nodeY } from "../../src/core/graph_layout.ts";
import type { WireGraph } from "../../src/core/graph_wire.ts";
import { FRAME } from "../../src/core/layout.ts";
import widget from "../../src/widgets/edge_graph.ts";
import { columnOf, denseOf, networkWire, wireGraph } from "../graph_samples.ts";
import { countListeners, FakeModel, find, painted, point, press, stubPage } from "../page.ts";
import { wire } from "../samples.ts";

let page: ReturnType<typeof stubPage>;
const opened: (() => void)[] = [];

beforeEach(() => {
  page = stubPage();
  Reflect.deleteProperty(globalThis, Symbol.for("nbwidgets_nn.gl"));
});

// What rests in one view for a second would otherwise wake up in another test.
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

/** 4 - 3 - 2 units: 18 edges, two samples. The middle column also bears the name of what its layer returns. */
function content(more: Partial<WireGraph> = {}): WireGraph {
  const graph = networkWire({ sizes: [4, 3, 2] });
  graph.columns[1].aliases = ["0", "relu"];
  return { ...graph, ...more };
}

async function open(state: Record<string, unknown> = {}) {
  const model = new FakeModel({
    content: content(),
    sample: 0,
    quantity: "contribution",
    shown: 6,
    per_unit: 0,
    selection: {},
    layer: "",
    clusters: {},
    color_by: "activation",
    height: 300,
    ...state,
  });
  const el = document.createElement("div");
  document.body.append(el);
  const close = widget.render({ model, el });
  opened.push(close);
  await painted();
  return { model, el, close, root: find(el, ".nbw"), plot: find(el, ".nbw-graph-plot") };
}

/** Where a unit stands on the plot. */
function placeOf(model: FakeModel, column: number, unit: number): [number, number] {
  const graph: Graph = decodeGraph(model.state.content as WireGraph);
  const layout = layoutGraph(graph, 900 - FRAME, 300);
  return [layout.x[column], nodeY(layout, graph, column, unit)];
}

function click(plot: Element, at: [number, number], more: PointerEventInit = {}): void {
  point(plot, "pointerdown", ...at, more);
  point(plot, "pointerup", ...at, more);
}

const units = (model: FakeModel) => (model.state.selection as { units?: string[] }).units;
const text = (root: Element, selector: string) => find(root, selector).textContent;
const byName = (root: Element, name: string) => {
  const found = [...root.querySelectorAll("button")].find((face) => face.textContent === name);
  if (!found) throw new Error(`no button ${name}`);
  return found;
};

describe("painting", () => {
  it("says what is shown, how much was left out, and when it has painted", async () => {
    const { root } = await open();
    expect(text(root, ".nbw-head .nbw-title")).toBe("Edges: contribution w · x, sample 0");
    expect(text(root, ".nbw-head .nbw-how")).toMatch(/^6 of 18 edges: the strongest, at least 1 a layer/);
    expect(root.dataset.drawn).toBe("6");
    expect(root.dataset.sharp).toBe("true");
    expect(Number(root.dataset.frameMs)).toBeGreaterThanOrEqual(0);
    expect([...root.querySelectorAll(".nbw-graph-head b")].map((head) => head.textContent)).toEqual([
      "input",
      "0",
      "1",
    ]);
    expect(text(root, ".nbw-graph-largest")).toMatch(/^largest ±/);
  });

  it("follows Python in every choice", async () => {
    const { root, model } = await open();
    model.set("sample", 1);
    model.set("quantity", "weight");
    model.set("shown", 3);
    await painted();
    expect(text(root, ".nbw-head .nbw-title")).toBe("Edges: weight (units: sample 1)");
    expect(root.dataset.drawn).toBe("3");
    model.set("per_unit", 2);
    await painted();
    expect(root.dataset.drawn).toBe("10"); // two into each of five units
    expect(find<HTMLInputElement>(root, ".nbw-graph-slider").disabled).toBe(true);
    expect(model.saves).toBe(0);
  });

  it("says what is not of one sample, and what was left out, where there is room for it", async () => {
    const graph = content({ how: "2 of 90 samples" });
    graph.bundles[0].weight_is = "kernel sum";
    const { root, model } = await open({ content: graph });
    expect(text(root, ".nbw-head")).not.toMatch(/samples|WebGL/);
    expect(find(root, ".nbw-head .nbw-how").title).toMatch(/^6 of 18 edges:/);
    expect(text(root, ".nbw-notes")).toBe("2 of 90 samples");
    expect(find(root, ".nbw-graph-largest").title).toMatch(/in this sample$/);
    model.set("quantity", "weight");
    await painted();
    expect(text(root, ".nbw-notes")).toBe("2 of 90 samples0: kernel sum");
    expect(find(root, ".nbw-graph-largest").title).toMatch(/of layer 0$/);
  });

  it("has a legend for the colours of clusters", async () => {
    const clusters = { layer: "0", labels: [1, 2, 1] };
    const { root, model } = await open({ color_by: "cluster", clusters });
    const notes = () => [...find(root, ".nbw-notes").children].map((note) => note.textContent);
    expect(notes()).toEqual(["clusters of 0", "1: 2 units", "alone: 1 unit", "other layers: activation"]);
    model.set("clusters", { layer: "elsewhere", labels: [1, 1] });
    await painted();
    expect(notes()).toEqual(["clusters are of layer elsewhere, which is not in this graph"]);
    model.set("clusters", {});
    await painted();
    expect(notes()[0]).toMatch(/^no clusters yet/);
    model.set("color_by", "activation");
    await painted();
    expect(notes()).toEqual([]);
  });

  it("says why there is nothing to show", async () => {
    const { root } = await open({ content: wireGraph([], [], { message: "no layer mixes units" }) });
    expect(text(root, ".nbw-message")).toBe("no layer mixes units");
    expect(find(root, ".nbw-panel").hidden).toBe(true);
    expect(root.dataset.drawn).toBe("0");
  });

  it("shows a failure as text, and recovers with the next content", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const broken = content();
    broken.bundles[0].target = 0;
    const { root, model } = await open({ content: broken });
    expect(text(root, ".nbw-error")).toMatch(/could not be drawn: .*expected an earlier and a later one/);
    model.set("content", content());
    await painted();
    expect(root.querySelector(".nbw-error")).toBeNull();
  });

  it("marks what is no number, and drops none of it", async () => {
    const weight = [[Number.NaN, 1]];
    const values = [[1, Number.POSITIVE_INFINITY]];
    const columns = [columnOf("input", values), columnOf("0", [[3]])];
    const bundle = denseOf({ name: "0", source: 0, target: 1, weight, from: values, to: [[3]] });
    const { root } = await open({ content: wireGraph(columns, [bundle]), shown: 2 });
    expect([...root.querySelectorAll(".nbw-mark")].map((mark) => mark.textContent)).toEqual([
      "+∞+∞: 1 edge, 1 unit",
      "×not defined: 1 edge",
    ]);
    expect(page.calls.filter(([name]) => name === "putImageData").length).toBeGreaterThan(0);
  });

  it("keeps up with width and height", async () => {
    const { root, model, plot } = await open();
    page.resize(500);
    model.set("height", 420);
    await painted();
    expect([plot.style.width, plot.style.height]).toEqual(["470px", "420px"]);
    expect(root.classList.contains("nbw-graph-small")).toBe(true);
  });
});

describe("controls", () => {
  it("draw more and fewer edges without the kernel, and tell it the last number", async () => {
    const { root, model } = await open();
    const slider = find<HTMLInputElement>(root, ".nbw-graph-slider");
    for (const step of ["0", "100", "200"]) {
      slider.value = step;
      slider.dispatchEvent(new Event("input"));
      await painted();
    }
    expect(root.dataset.drawn).toBe("18");
    expect(slider.getAttribute("aria-valuetext")).toBe("18 of 18");
    expect(text(root, ".nbw-graph-count")).toBe("18");
    await vi.waitFor(() => expect(model.state.shown).toBe(18));
  });

  it("say how weak an edge may be to be drawn, but not where each unit has its own strongest", async () => {
    const { root, model } = await open();
    const slider = find(root, ".nbw-graph-slider");
    expect(text(root, ".nbw-graph-count")).toMatch(/^6 · ≥ \d+ % of the largest$/);
    expect(slider.getAttribute("aria-valuetext")).toMatch(/^6 of 18, ≥ \d+ % of the largest$/);
    model.set("per_unit", 1);
    await painted();
    expect(text(root, ".nbw-graph-count")).toBe("5");
  });

  it("switch between contribution and weight, and to the strongest edges into each unit", async () => {
    const { root, model } = await open();
    byName(root, "weight").click();
    await painted();
    expect(model.state.quantity).toBe("weight");
    expect(byName(root, "weight").getAttribute("aria-pressed")).toBe("true");
    const perUnit = find<HTMLSelectElement>(root, '[aria-label="edges drawn into each unit"]');
    perUnit.value = "1";
    perUnit.dispatchEvent(new Event("change"));
    await painted();
    expect([model.state.per_unit, root.dataset.drawn]).toEqual([1, "5"]);
  });

  it("step through the samples and stop at both ends", async () => {
    const { root, model } = await open();
    byName(root, "›").click();
    await painted();
    expect([model.state.sample, text(root, ".nbw-graph-sample")]).toEqual([1, "sample 1"]);
    expect(byName(root, "›").disabled).toBe(true);
    press(find(root, ".nbw-graph-plot"), "p");
    await painted();
    expect(model.state.sample).toBe(0);
    press(find(root, ".nbw-graph-plot"), "p");
    expect(model.saves).toBe(2);
  });

  it("offer cluster colours once clusters are known", async () => {
    const { root, model } = await open();
    const by = find<HTMLSelectElement>(root, '[aria-label="units are coloured by"]');
    expect(by.closest("label")?.hidden).toBe(true);
    model.set("clusters", { layer: "relu", labels: [1, 1, 0] });
    await painted();
    expect(by.closest("label")?.hidden).toBe(false);
    by.value = "cluster";
    by.dispatchEvent(new Event("change"));
    await painted();
    expect(model.state.color_by).toBe("cluster");
    expect(
      [...root.querySelectorAll(".nbw-graph-feet .nbw-graph-range")].map((range) => range.textContent),
    ).toEqual(["−1.01.0", "clusters", "−1.01.0"]);
  });

  it("pick a layer by its head, and mark the one picked elsewhere by any of its names", async () => {
    const { root, model } = await open();
    const [, head] = root.querySelectorAll<HTMLButtonElement>(".nbw-graph-head");
    head.click();
    await painted();
    expect([model.state.layer, head.getAttribute("aria-pressed")]).toEqual(["0", "true"]);
    model.set("layer", "1");
    await painted();
    expect(head.getAttribute("aria-pressed")).toBe("false");
    model.set("layer", "relu");
    await painted();
    expect(head.getAttribute("aria-pressed")).toBe("true");
  });
});

describe("selection", () => {
  it("comes by name from any layer with these units, and its own echo changes nothing", async () => {
    const { root, model, plot } = await open();
    model.set("selection", { layer: "relu", units: ["relu:1", "other:3"], kind: "units", source: "python" });
    await painted();
    expect(text(root, ".nbw-readout")).toBe(
      "1 unit selected4 best paths in, 2 best paths out, by product of contributions · 1 selected unit not in this graph",
    );
    expect(find(root, ".nbw-graph-edges").classList.contains("nbw-dimmed")).toBe(true);
    click(plot, placeOf(model, 1, 2));
    await painted();
    expect(model.state.selection).toMatchObject({ layer: "relu", units: ["relu:2"], kind: "units" });
    const seq = root.dataset.seq;
    model.set("selection", { ...(model.state.selection as object) });
    await painted();
    expect(root.dataset.seq).toBe(seq);
  });

  it("has its paths listed, and the one that is pointed at stands out", async () => {
    const { root, model } = await open();
    expect(find(root, ".nbw-graph-paths").hidden).toBe(true);
    model.set("selection", { layer: "1", units: ["1:0"], kind: "units", source: "python" });
    await painted();
    const sides = [...root.querySelectorAll(".nbw-graph-path-side")];
    expect(sides.map((side) => text(side, "b"))).toEqual(["4 best paths into 1:0"]); // nothing leads out of the last
    expect(text(root, ".nbw-readout")).toMatch(/4 best paths in, by product/);
    const line = find(sides[0], "li");
    expect(line.textContent).toMatch(/^input:\d → 0:\d/);
    const strokes = () => page.calls.filter(([name]) => name === "stroke").length;
    const before = strokes();
    line.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
    await painted();
    expect(strokes() - before).toBeGreaterThan(0);
    expect(find(root, ".nbw-graph-edges").classList.contains("nbw-hushed")).toBe(true);
    find(root, ".nbw-graph-paths").dispatchEvent(new PointerEvent("pointerleave"));
    await painted();
    expect(find(root, ".nbw-graph-edges").classList.contains("nbw-hushed")).toBe(false);
    model.set("selection", {});
    await painted();
    expect(find(root, ".nbw-graph-paths").hidden).toBe(true);
  });

  it("made here is shown again when it comes back later", async () => {
    const { root, model, plot } = await open();
    click(plot, placeOf(model, 1, 2));
    await painted();
    const own = { ...(model.state.selection as object) };
    model.set("selection", { layer: "input", units: ["input:0", "input:1"], source: "python" });
    await painted();
    model.set("selection", own); // Python keeps what it has read, its maker included
    await painted();
    expect(text(root, ".nbw-readout")).toMatch(/^1 unit selected/);
  });

  it("is made by clicks: one, more with Ctrl, none beside the units", async () => {
    const { model, plot } = await open();
    click(plot, placeOf(model, 0, 3));
    expect(units(model)).toEqual(["input:3"]);
    click(plot, placeOf(model, 0, 1), { ctrlKey: true });
    expect(units(model)).toEqual(["input:1", "input:3"]);
    click(plot, placeOf(model, 2, 0), { ctrlKey: true });
    expect(units(model)).toEqual(["1:0"]); // a selection is of one layer
    click(plot, [2, 298]);
    expect(units(model)).toEqual([]);
  });

  it("is brushed in the column with the most units under the brush", async () => {
    const { model, plot } = await open();
    const [x, y] = placeOf(model, 1, 0);
    point(plot, "pointerdown", x - 20, y - 20);
    point(plot, "pointermove", x + 20, placeOf(model, 1, 1)[1] + 10);
    point(plot, "pointerup", x + 20, placeOf(model, 1, 1)[1] + 10);
    expect(units(model)).toEqual(["0:0", "0:1"]);
  });

  it("of a brush over several columns says which one it is of, until it changes", async () => {
    const { root, model, plot } = await open();
    const corner = placeOf(model, 1, 1);
    point(plot, "pointerdown", placeOf(model, 0, 0)[0] - 20, 300);
    point(plot, "pointermove", corner[0] + 20, corner[1] - 5);
    point(plot, "pointerup", corner[0] + 20, corner[1] - 5);
    await painted();
    const layer = String(units(model)?.[0]).split(":")[0];
    const said = `${units(model)?.length} units of ${layer} selected: a selection is of one layer`;
    expect(units(model)?.length).toBeGreaterThan(1);
    expect(text(root, "[aria-live]")).toBe(said);
    point(plot, "pointerleave", 0, 0);
    model.set("selection", { ...(model.state.selection as object) }); // its own echo
    await painted();
    expect(text(root, ".nbw-readout span")).toBe(said);
    click(plot, placeOf(model, 2, 0));
    await painted();
    expect(text(root, "[aria-live]")).toBe("1 unit selected");
  });

  it("survives the double click that shows everything", async () => {
    const { model, plot } = await open({ selection: { units: ["input:2"], source: "python" } });
    for (let k = 0; k < 2; k++) click(plot, placeOf(model, 1, 0));
    plot.dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
    expect(units(model)).toEqual(["input:2"]);
  });
});

describe("read-out", () => {
  it("tells the triplet of an edge and the value of a unit", async () => {
    const { root, model, plot } = await open({ shown: 18 });
    point(plot, "pointermove", ...placeOf(model, 2, 1));
    await painted();
    expect(text(root, ".nbw-readout")).toMatch(/^1:1.*3 edges in, 0 out$/);
    const [x0, y0] = placeOf(model, 1, 0);
    const [x1, y1] = placeOf(model, 2, 0);
    point(plot, "pointermove", (x0 + x1) / 2, (y0 + y1) / 2);
    await painted();
    expect(text(root, ".nbw-readout")).toMatch(/^0:\d → 1:\dx .* × w .* = .* of 1:\d’s /);
    point(plot, "pointerleave", 0, 0);
    await painted();
    expect(text(root, ".nbw-readout")).toMatch(/point at an edge/);
  });

  it("stands beside the pointer, too, and what is not meant steps back", async () => {
    const { root, model, plot } = await open({ shown: 18 });
    const [tip, edges] = [find(root, ".nbw-graph-tip"), () => find(root, ".nbw-graph-edges").classList];
    expect(tip.hidden).toBe(true);
    const [x, y] = placeOf(model, 2, 1);
    point(plot, "pointermove", x, y);
    await painted();
    expect(tip.textContent).toMatch(/^1:1.*3 edges in, 0 out$/);
    expect(tip.style.transform).toBe(`translate(${x + 14}px, ${y + 14}px)`);
    expect([edges().contains("nbw-hushed"), edges().contains("nbw-softened")]).toEqual([true, false]);
    // The unit and those at the far ends of its three edges stay as they are: copied from where all are faint.
    const nodes = find(root, ".nbw-graph-nodes");
    expect(nodes.classList.contains("nbw-hushed")).toBe(true);
    const copies = page.calls.filter(([name, from]) => name === "drawImage" && from === nodes);
    const middles = copies.map((call) => [
      Number(call[6]) + Number(call[8]) / 2,
      Number(call[7]) + Number(call[9]) / 2,
    ]);
    for (const place of [placeOf(model, 2, 1), ...[0, 1, 2].map((unit) => placeOf(model, 1, unit))])
      expect(middles.some(([left, top]) => Math.hypot(left - place[0], top - place[1]) < 0.01)).toBe(true);
    const [x0, y0] = placeOf(model, 1, 0);
    point(plot, "pointermove", (x0 + x) / 2, (y0 + placeOf(model, 2, 0)[1]) / 2);
    await painted();
    expect([edges().contains("nbw-hushed"), edges().contains("nbw-softened")]).toEqual([false, true]);
    expect(nodes.classList.contains("nbw-hushed")).toBe(false);
    point(plot, "pointerleave", 0, 0);
    await painted();
    expect(tip.hidden).toBe(true);
    expect(edges().contains("nbw-softened")).toBe(false);
  });

  it("is a table, too, of what is drawn now", async () => {
    const { root, model } = await open();
    const details = find<HTMLDetailsElement>(root, "details");
    details.open = true;
    details.dispatchEvent(new Event("toggle"));
    expect(root.querySelectorAll("tbody tr").length).toBe(6);
    model.set("shown", 4);
    await painted();
    expect(root.querySelectorAll("tbody tr").length).toBe(4);
    expect(text(root, "summary")).toBe("Table: the 4 edges drawn");
  });

  it("as a table is ordered by a click on a head, and begins with what is selected", async () => {
    const { root, model } = await open({ shown: 18, quantity: "weight" });
    const details = find<HTMLDetailsElement>(root, "details");
    details.open = true;
    details.dispatchEvent(new Event("toggle"));
    const sorted = () => find(root, 'th:not([aria-sort="none"])');
    const cells = (k: number) =>
      [...root.querySelectorAll("tbody tr")].map((row) => row.children[k].textContent);
    expect([sorted().textContent, sorted().ariaSort]).toEqual(["÷ largest", "descending"]);
    find(root, 'th button[data-by="from"]').click();
    expect([cells(0)[0], sorted().ariaSort]).toEqual(["input:0", "ascending"]);
    find(root, 'th button[data-by="from"]').click();
    expect(cells(0)[0]).toBe("0:2");
    model.set("selection", { layer: "1", units: ["1:1"], kind: "units", source: "python" });
    await painted();
    expect(cells(1).slice(0, 3)).toEqual(["1:1", "1:1", "1:1"]);
    expect(root.querySelectorAll("tbody .nbw-first").length).toBe(3);
    expect(text(root, ".nbw-graph-caption")).toBe(
      "sample 0 · first the 3 drawn edges of the selected unit · ordered by from, last unit first",
    );
  });
});

describe("keyboard", () => {
  it("walks along the strongest edges, says so, selects and clears, and keeps its keys", async () => {
    const { root, model, plot } = await open();
    expect(press(plot, "ArrowUp").defaultPrevented).toBe(true);
    await painted();
    expect(text(root, "[aria-live]")).toMatch(/^input:\d/);
    press(plot, "ArrowRight");
    await painted();
    expect(text(root, "[aria-live]")).toMatch(/^input:\d → 0:\d, x .*\. 0:\d/);
    press(plot, "Enter");
    expect(units(model)?.[0]).toMatch(/^0:\d$/);
    press(plot, "Escape");
    expect(units(model)).toEqual([]);
    expect(press(plot, "x").defaultPrevented).toBe(false);
    expect(press(plot, "+", { ctrlKey: true }).defaultPrevented).toBe(false);
    expect(plot.dataset.lmSuppressShortcuts).toBeUndefined();
    plot.focus();
    expect(plot.dataset.lmSuppressShortcuts).toBe("true");
  });

  it("begins at the selected unit, else where the strongest edge in view starts", async () => {
    const { root, model, plot } = await open({ quantity: "weight", selection: { units: ["0:2"] } });
    press(plot, "ArrowUp");
    await painted();
    expect(text(root, "[aria-live]")).toMatch(/^0:2/);
    plot.dispatchEvent(new FocusEvent("blur"));
    model.set("selection", {});
    press(plot, "ArrowUp");
    const { bundles } = decodeGraph(model.state.content as WireGraph);
    const sizes = Array.from(bundles[0].weight, Math.abs);
    const strongest = sizes.indexOf(Math.max(...sizes));
    await painted();
    expect(text(root, "[aria-live]")).toMatch(new RegExp(`^input:${strongest % 4}`));
  });

  it("begins in the picked layer, at its strongest drawn edge", async () => {
    const { root, plot } = await open({ shown: 18, quantity: "weight" });
    find(root, '.nbw-graph-head[data-layer="1"]').click();
    press(plot, "ArrowUp");
    await painted();
    expect(text(root, "[aria-live]")).toMatch(/^1:\d/);
  });

  it("begins at the top of a picked layer without drawn edges", async () => {
    const { root, plot } = await open({ shown: 0, layer: "relu" });
    press(plot, "ArrowUp");
    await painted();
    expect(text(root, "[aria-live]")).toMatch(/^0:0/);
  });

  it("crosses a gap between layers, and says that there is no edge", async () => {
    const graph = content();
    graph.bundles = graph.bundles.slice(0, 1);
    const { root, plot, model } = await open({ content: graph, selection: { units: ["0:1"] } });
    press(plot, "ArrowUp");
    press(plot, "ArrowRight");
    await painted();
    expect(text(root, "[aria-live]")).toMatch(/^no edge out of 0:1\. 1:1, /);
    press(plot, "Enter");
    expect(units(model)).toEqual(["1:1"]);
  });

  it("zooms and shows everything again", async () => {
    const { plot, root } = await open();
    press(plot, "+");
    await painted();
    const seq = Number(root.dataset.seq);
    press(plot, "0");
    await painted();
    expect(Number(root.dataset.seq)).toBe(seq + 1);
  });
});

it("what stands between two scales leaves them their room, and says less where there is little", async () => {
  vi.spyOn(HTMLElement.prototype, "offsetWidth", "get").mockImplementation(function (this: HTMLElement) {
    return this.classList.contains("nbw-graph-range") ? 120 : 9 * (this.textContent?.length ?? 0);
  });
  const { root } = await open({ content: networkWire({ sizes: [4, 3, 3, 2, 2], skips: [[1, 3]] }) });
  const middle = (node: HTMLElement) => Number(/calc\((-?[\d.]+)px/.exec(node.style.transform)?.[1]);
  const scales = [...root.querySelectorAll<HTMLElement>(".nbw-graph-feet .nbw-graph-range")].map(middle);
  const words = [...root.querySelectorAll<HTMLElement>(".nbw-graph-largest")];
  expect(scales.length).toBe(5);
  expect(words.length).toBe(4);
  for (const [gap, node] of words.entries()) {
    const half = Number.parseFloat(node.style.maxWidth) / 2;
    expect(half).toBeGreaterThan(10);
    expect(middle(node) - half).toBeGreaterThan(scales[gap] + 60);
    expect(middle(node) + half).toBeLessThan(scales[gap + 1] - 60);
    expect(node.classList.contains("nbw-narrow")).toBe(node.offsetWidth > 2 * half);
  }
});

it("several layers into one column are named beside their largest edges, and the addends of one sum in the title", async () => {
  const graph = networkWire({ sizes: [2, 2, 2], skips: [[0, 2]] });
  const last = async () =>
    [...(await open({ content: graph })).root.querySelectorAll(".nbw-graph-largest")][1];
  expect((await last()).textContent).toMatch(/^largest 1 ±[\d.]+ · skip0-2 ±[\d.]+$/);
  graph.bundles = graph.bundles.map((own) => (own.target === 2 ? { ...own, name: "1.add" } : own));
  const node = (await last()) as HTMLElement;
  expect(node.textContent).toMatch(/^largest ±[\d.]+ · ±[\d.]+$/);
  expect(node.title).toMatch(
    / of layer 1\.add from 0 in this sample; .* of layer 1\.add from input in this sample$/,
  );
});

it("a picture is of canvases with twice the pixels of the page, which have those of the screen again afterwards", async () => {
  const { root } = await open();
  const canvases = [...root.querySelectorAll<HTMLCanvasElement>(".nbw-graph-plot canvas")];
  const widths = () => canvases.map(({ width }) => width);
  let inPicture: number[] = [];
  vi.stubGlobal("URL", { createObjectURL: () => "blob:", revokeObjectURL: () => undefined });
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => undefined);
  const saved = new Promise<void>((done) => {
    vi.spyOn(HTMLCanvasElement.prototype, "toBlob").mockImplementation((give) => {
      inPicture = widths();
      give(new Blob());
      done();
    });
  });
  const plain = widths();
  expect(plain).toEqual([900 - FRAME, 900 - FRAME, 900 - FRAME]);
  byName(root, "PNG").click();
  await saved;
  expect(inPicture).toEqual(plain.map((width) => 2 * width));
  await vi.waitFor(() => expect(widths()).toEqual(plain));
  expect(root.querySelector(".nbw-error")).toBeNull();
});

describe("feature maps", () => {
  const maps = () => {
    const codes = Uint8Array.from({ length: 2 * 2 * 4 }, (_, i) => i * 10);
    const own = { codes: wire(codes, 2, 2, 2, 2), low: 0, high: 24.9, error: 0.05 };
    const columns = [
      columnOf(
        "input",
        [
          [1, 2],
          [3, 4],
        ],
        { maps: own },
      ),
      columnOf("0", [[5], [6]]),
    ];
    const layer = {
      name: "0",
      source: 0,
      target: 1,
      weight: [[1, 2]],
      from: [
        [1, 2],
        [3, 4],
      ],
      to: [[5], [6]],
    };
    return wireGraph(columns, [denseOf(layer)]);
  };

  it("open by a click on their tile, tell their values, follow the sample and close with Escape", async () => {
    const { root, model, plot } = await open({ content: maps() });
    click(plot, placeOf(model, 0, 1));
    await painted();
    const card = find(root, '[role="dialog"]');
    expect(card.hidden).toBe(false);
    expect(units(model)).toEqual(["input:1"]);
    expect(text(card, "b")).toBe("input:1");
    const map = find(card, "canvas");
    map.getBoundingClientRect = () => ({ left: 0, top: 0, width: 200, height: 200 }) as DOMRect;
    point(map, "pointermove", 150, 50);
    expect(text(card, ".nbw-graph-map-value")).toBe("row 0, column 1: ≈ 5.00 ± 0.05");
    model.set("sample", 1);
    await painted();
    expect(text(card, ".nbw-how")).toBe("sample 1");
    press(find(card, "button"), "Escape");
    expect(card.hidden).toBe(true);
    expect(document.activeElement).toBe(plot);
  });
});

it("closing leaves no listener, no timer and no element", async () => {
  const listening = countListeners();
  const before = listening();
  const { model, el, close } = await open();
  expect(listening()).toBeGreaterThan(before);
  close();
  expect([listening(), model.listening, el.children.length]).toEqual([before, 0, 0]);
});
