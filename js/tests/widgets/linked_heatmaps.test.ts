// @vitest-environment jsdom
import { beforeEach, describe, expect, it, vi } from "vitest";
import { GUTTER, SUMS_BESIDE } from "../../src/core/layout.ts";
import widget from "../../src/widgets/linked_heatmaps.ts";
import { countListeners, FakeModel, find, painted, point, press, stubPage } from "../page.ts";
import { layeredMatrix, matrixOf, smallContent, wire } from "../samples.ts";
import { LAYOUT_TOP, stageOf } from "../stage.ts";

let page: ReturnType<typeof stubPage>;

beforeEach(() => {
  page = stubPage();
});

async function open(state: Record<string, unknown> = {}, signal?: AbortSignal) {
  const model = new FakeModel({ content: smallContent(), cut: 0.5, selection: {}, ...state });
  const el = document.createElement("div");
  document.body.append(el);
  const close = widget.render(signal ? { model, el, signal } : { model, el });
  await painted();
  model.saves = 0; // the clusters have been told
  return { model, el, close, root: find(el, ".nbw") };
}

const chips = (root: Element) =>
  [...root.querySelectorAll("[data-name]")].map((chip) => chip.getAttribute("data-name"));
const selected = (model: FakeModel) => (model.state.selection as { units?: string[] }).units;
const factOf = (root: Element, label: string) =>
  [...root.querySelectorAll(".nbw-fact")].find((fact) => fact.firstElementChild?.textContent === label);

describe("painting", () => {
  it("says when it has painted, which layer, and how long it took", async () => {
    const { root, model } = await open();
    expect(root.dataset.layer).toBe("fc");
    expect(Number(root.dataset.frameMs)).toBeGreaterThanOrEqual(0);
    const before = Number(root.dataset.seq);
    model.set("cut", 0.15);
    await painted();
    expect(Number(root.dataset.seq)).toBe(before + 1);
    expect(root.dataset.clusters).toBe("3");
  });

  it("makes a panel for each matrix, one tree, and a legend of the marks that occur", async () => {
    const { root } = await open();
    expect(root.querySelectorAll(".nbw-panel[data-matrix]").length).toBe(2);
    expect(root.querySelectorAll(".nbw-tree").length).toBe(1);
    expect([...root.querySelectorAll(".nbw-mark")].map((mark) => mark.textContent)).toEqual([
      "×not defined: 9 cells",
    ]);
  });

  it("says why there is nothing to show", async () => {
    const { root } = await open({
      content: smallContent({
        matrices: [],
        units: wire(new Int32Array(0), 0),
        linkage: null,
        message: "one unit",
      }),
    });
    expect(find(root, ".nbw-message").textContent).toBe("one unit");
    expect(root.querySelector(".nbw-panel[data-matrix]")).toBeNull();
  });

  it("shows a failure as text, and recovers with the next content", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { root, model } = await open({
      content: smallContent({ matrices: [matrixOf(wire(new Float32Array(2), 1, 2))] }),
    });
    expect(find(root, ".nbw-error").textContent).toMatch(/could not be drawn: matrix "r" is 1 × 2/);
    model.set("content", smallContent());
    await painted();
    expect(root.querySelector(".nbw-error")).toBeNull();
  });

  it("keeps up with the width", async () => {
    const { root } = await open();
    const wide = find(root, ".nbw-panel").style.width;
    page.resize(500);
    await painted();
    expect(find(root, ".nbw-panel").style.width).not.toBe(wide);
  });
});

describe("selection", () => {
  it("comes from Python by name", async () => {
    const { root, model } = await open();
    model.set("selection", {
      layer: "fc",
      units: ["fc:3", "fc:0", "conv:1"],
      kind: "units",
      source: "python",
    });
    await painted();
    expect(chips(root)).toEqual(["fc:3", "fc:0", "conv:1"]);
    expect(find(root, ".nbw-selection").textContent).toContain("not in this layer");
    expect(model.saves).toBe(0);
  });

  it("goes to Python with a maker, and its own echo changes nothing", async () => {
    const { root, model } = await open();
    press(find(root, ".nbw-plot"), "Enter");
    await painted();
    const written = model.state.selection as { source: string };
    expect(written).toMatchObject({ layer: "fc", units: ["fc:3"], kind: "units" });
    expect(written.source).toMatch(/^linked_heatmaps-/);
    const seq = root.dataset.seq;
    model.set("selection", { ...written });
    await painted();
    expect(root.dataset.seq).toBe(seq);
  });

  it("made here is shown again when it comes back later", async () => {
    const { root, model } = await open();
    press(find(root, ".nbw-plot"), "Enter");
    const own = { ...(model.state.selection as object) };
    model.set("selection", { layer: "fc", units: ["fc:0", "fc:1"], source: "python" });
    await painted();
    model.set("selection", own); // Python keeps what it has read, its maker included
    await painted();
    expect(chips(root)).toEqual(["fc:3"]);
  });

  it("reaches a second view of the same widget", async () => {
    const { root, model } = await open();
    const second = document.createElement("div");
    document.body.append(second);
    widget.render({ model, el: second });
    await painted();
    press(find(root, ".nbw-plot"), "Enter");
    await painted();
    expect(chips(second)).toEqual(["fc:3"]);
  });

  it("drops one chip, clears all, and counts what does not fit", async () => {
    const { root, model } = await open();
    model.set("selection", { layer: "fc", units: ["fc:3", "fc:1"], source: "python" });
    await painted();
    find<HTMLButtonElement>(root, '[data-name="fc:3"]').click();
    await painted();
    expect(selected(model)).toEqual(["fc:1"]);
    find<HTMLButtonElement>(root, ".nbw-tools button:last-child").click();
    await painted();
    expect(selected(model)).toEqual([]);
    const many = Array.from({ length: 32 }, (_, i) => i);
    const units = wire(Int32Array.from(many), 32);
    const matrices = [matrixOf(wire(new Float32Array(32 * 32), 32, 32))];
    model.set("content", smallContent({ units, matrices, linkage: null }));
    model.set("selection", { units: many.map((unit) => `fc:${unit}`), source: "python" });
    await painted();
    expect(chips(root).length).toBe(12);
    expect(find(root, ".nbw-more").textContent).toBe("+ 20 more");
  });

  it("keeps one medoid of every cluster touched", async () => {
    const { root, model } = await open();
    model.set("selection", { units: ["fc:3", "fc:0", "fc:4", "fc:2"], source: "python" });
    await painted();
    find<HTMLButtonElement>(root, ".nbw-tools button").click();
    expect(selected(model)).toEqual(["fc:1", "fc:0"]);
  });

  it("cannot keep a medoid of coded values and says why", async () => {
    const coded = matrixOf(wire(new Uint8Array(25), 5, 5), { coded: true, error: 0.004 });
    const { root } = await open({
      content: smallContent({ matrices: [coded] }),
      selection: { units: ["fc:3"] },
    });
    const keep = find<HTMLButtonElement>(root, ".nbw-tools button");
    expect([keep.disabled, keep.title]).toEqual([
      true,
      "needs exact values: this matrix came rounded to 250 steps",
    ]);
  });

  it("finds units by number and says when there is none", async () => {
    const { root, model } = await open();
    const box = find<HTMLInputElement>(root, ".nbw-search");
    box.value = "0, 3-4";
    press(box, "Enter");
    expect(selected(model)).toEqual(["fc:3", "fc:0", "fc:4"]);
    box.value = "77";
    press(box, "Enter");
    expect(find(root, ".nbw-search-message").textContent).toMatch(/no unit 77: fc has units 0 to 4/);
    expect(selected(model)?.length).toBe(3);
    model.set("content", smallContent({ layer: "other" }));
    await painted();
    expect(find(root, ".nbw-search-message").textContent).toBe("");
  });
});

describe("facts of a selection", () => {
  it("say how many of its units are constant and so not in the number", async () => {
    const { root } = await open({
      selection: { layer: "fc", units: ["fc:3", "fc:1", "fc:2"], source: "python" },
    });
    expect(factOf(root, "smallest |r| inside")?.textContent).toContain("3 selected, 1 constant");
  });
});

describe("mouse", () => {
  it("selects a row on a click, adds with Ctrl, and brushes rows and columns of the same units", async () => {
    const { root, model } = await open();
    const { plot, cell } = stageOf(root);
    const [x, y] = [cell * 0.5, cell * 1.5];
    point(plot, "pointerdown", x, y);
    point(plot, "pointerup", x, y);
    expect(selected(model)).toEqual(["fc:1"]);
    point(plot, "pointerdown", x, cell * 3.5);
    point(plot, "pointerup", x, cell * 3.5, { ctrlKey: true });
    expect(selected(model)).toEqual(["fc:1", "fc:4"]);
    point(plot, "pointerdown", cell * 2.5, cell * 0.5);
    point(plot, "pointermove", cell * 3.5, cell * 1.5);
    point(plot, "pointerup", cell * 3.5, cell * 1.5);
    expect(selected(model)).toEqual(["fc:3", "fc:1", "fc:0", "fc:4"]);
  });

  it("shows everything on a double click and leaves the selection as it was before", async () => {
    const { root, model } = await open({ selection: { layer: "fc", units: ["fc:0"], source: "python" } });
    const { plot, cell } = stageOf(root);
    for (let k = 0; k < 2; k++) {
      point(plot, "pointerdown", cell * 0.5, cell * 1.5);
      point(plot, "pointerup", cell * 0.5, cell * 1.5);
    }
    expect(selected(model)).toEqual(["fc:1"]);
    plot.dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
    expect(selected(model)).toEqual(["fc:0"]);
  });

  it("brushes only rows where columns are something else", async () => {
    const { root, model } = await open();
    const { plot, cell } = stageOf(root, 1);
    point(plot, "pointerdown", 1, cell * 0.5);
    point(plot, "pointermove", 200, cell * 1.5);
    point(plot, "pointerup", 200, cell * 1.5);
    expect(selected(model)).toEqual(["fc:3", "fc:1"]);
  });

  it("reads a cell out, and names the row in the other panel", async () => {
    const { root } = await open();
    const { plot, cell } = stageOf(root);
    point(plot, "pointermove", cell * 2.5, cell * 0.5);
    await painted();
    const lines = [...root.querySelectorAll(".nbw-readout")].map((line) => line.textContent);
    expect(lines).toEqual(["fc:3 · fc:0r = 0.200n = 1,797", "fc:3"]);
  });

  it("leaves the plain wheel to the page and zooms with Ctrl", async () => {
    const { root } = await open();
    const { plot } = stageOf(root);
    const plain = new WheelEvent("wheel", { deltaY: -100, bubbles: true, cancelable: true });
    plot.dispatchEvent(plain);
    expect(plain.defaultPrevented).toBe(false);
    expect(find(root, ".nbw-wheel-hint").hidden).toBe(false);
    const zoom = new WheelEvent("wheel", { deltaY: -100, ctrlKey: true, bubbles: true, cancelable: true });
    plot.dispatchEvent(zoom);
    expect(zoom.defaultPrevented).toBe(true);
  });

  it("selects the branch and the cluster under a click on the tree", async () => {
    const { root, model } = await open();
    const canvas = find<HTMLCanvasElement>(root, ".nbw-tree-canvas");
    const { cell } = stageOf(root);
    const width = Number.parseFloat(find(root, ".nbw-tree").style.width);
    const at = (x: number, row: number) =>
      canvas.dispatchEvent(
        new MouseEvent("click", { clientX: x, clientY: cell * (row + 0.5), bubbles: true }),
      );
    at(11, 0);
    expect(selected(model)).toEqual(["fc:3", "fc:1", "fc:0", "fc:4"]);
    at(width - 10, 2);
    expect(selected(model)).toEqual(["fc:0", "fc:4"]);
  });
});

describe("cut", () => {
  it("is a slider that keys move and that tells its value", async () => {
    const { root, model } = await open();
    const slider = find(root, '[role="slider"]');
    expect(slider.getAttribute("aria-valuenow")).toBe("0.500");
    expect(press(slider, "ArrowLeft").defaultPrevented).toBe(true);
    expect(model.state.cut).toBeCloseTo(0.508);
    press(slider, "End");
    await painted();
    expect(slider.getAttribute("aria-valuetext")).toBe("0.800, 1 cluster");
    press(slider, "Home");
    await painted();
    expect(find(factOf(root, "clusters at the cut") ?? root, "b").textContent).toBe("4");
  });

  it("does not flood the model while it is dragged, and ends on the last value", async () => {
    vi.useFakeTimers();
    const model = new FakeModel({ content: smallContent(), cut: 0.5, selection: {} });
    widget.render({ model, el: document.body });
    const slider = find(document, '[role="slider"]');
    vi.advanceTimersByTime(50);
    point(slider, "pointerdown", 20, 0);
    for (let x = 20; x < 120; x++) {
      point(slider, "pointermove", x, 0);
      vi.advanceTimersByTime(5);
    }
    const during = model.saves;
    point(slider, "pointerup", 120, 0);
    const last = model.state.cut;
    vi.advanceTimersByTime(1000);
    vi.useRealTimers();
    expect(during).toBeLessThanOrEqual(7);
    expect(model.saves).toBeLessThanOrEqual(during + 1);
    expect(model.state.cut).toBe(last);
  });

  it("follows Python", async () => {
    const { root, model } = await open();
    model.set("cut", 0.9);
    await painted();
    expect(root.dataset.clusters).toBe("1");
    expect(model.state.cut).toBe(0.9);
  });

  it("tells its clusters by unit number, for views of the same layer in another order", async () => {
    const { root, model } = await open();
    expect(model.state.clusters).toEqual({ layer: "fc", labels: [2, 1, 0, 1, 2] });
    press(find(root, '[role="slider"]'), "End");
    await vi.waitFor(() => expect(model.state.clusters).toEqual({ layer: "fc", labels: [1, 1, 0, 1, 1] }));
    expect(model.saves).toBe(1); // with the cut
    model.set("content", smallContent({ layer: "out" }));
    await vi.waitFor(() => expect(model.state.clusters).toMatchObject({ layer: "out" }));
  });
});

describe("facts", () => {
  it("adds the weakest pair inside a selection of several units", async () => {
    const { root, model } = await open();
    expect(find(factOf(root, "smallest |r| inside") ?? root, "b").textContent).toBe("–");
    model.set("selection", { units: ["fc:3", "fc:1", "fc:4"], source: "python" });
    await painted();
    expect(find(factOf(root, "smallest |r| inside") ?? root, "b").textContent).toBe("0.0500");
    expect(factOf(root, "strongest correlation")?.getAttribute("title")).toBe("why");
  });
});

describe("keyboard", () => {
  it("walks, selects and clears, and keeps its keys from the notebook", async () => {
    const { root, model, el } = await open();
    const outside = vi.fn();
    el.addEventListener("keydown", outside);
    const plot = find(root, ".nbw-plot");
    press(plot, "ArrowDown");
    press(plot, "ArrowDown");
    press(plot, "ArrowRight");
    await painted();
    expect(find(root, "[aria-live]").textContent).toBe("fc:1 · fc:1, r = 1");
    press(plot, " ");
    expect(selected(model)).toEqual(["fc:1"]);
    press(plot, "Escape");
    expect(selected(model)).toEqual([]);
    expect(outside).not.toHaveBeenCalled();
    press(plot, "b");
    expect(outside).toHaveBeenCalledOnce();
  });

  it("asks JupyterLab to keep quiet inside", async () => {
    // Lab looks for the mark on the very element that has the focus.
    const { plot } = stageOf((await open()).root);
    plot.focus();
    expect(plot.dataset.lmSuppressShortcuts).toBe("true");
  });
});

describe("exact values of coded cells", () => {
  const coded = () =>
    smallContent({
      matrices: [matrixOf(wire(new Uint8Array(25).fill(68), 5, 5), { coded: true, error: 0.00402 })],
    });

  async function hover() {
    const opened = await open({ content: coded() });
    const { plot, cell } = stageOf(opened.root);
    const move = async (column: number) => {
      point(plot, "pointermove", cell * (column + 0.5), cell * 0.5);
      await painted();
    };
    const rest = () => new Promise((done) => setTimeout(done, 120));
    const line = () => find(opened.root, ".nbw-readout b").textContent;
    return { ...opened, move, rest, line };
  }

  it("are asked for once, for the last cell only", async () => {
    const { model, move, rest, line } = await hover();
    for (const column of [0, 1, 2]) await move(column);
    expect(line()).toBe("r ≈ −0.454 ± 0.004");
    await rest();
    expect(model.sent).toEqual([expect.objectContaining({ type: "exact", matrix: "r", row: 0, column: 2 })]);
    const { request } = model.sent[0] as { request: number };
    model.emit("msg:custom", { type: "exact", request, value: -0.45678 });
    await painted();
    expect(line()).toBe("r = −0.457");
  });

  it("ignore a late answer to another cell", async () => {
    const { model, move, rest, line } = await hover();
    await move(0);
    await rest();
    const { request } = model.sent[0] as { request: number };
    await move(1);
    model.emit("msg:custom", { type: "exact", request, value: 1 });
    await painted();
    expect(line()).toBe("r ≈ −0.454 ± 0.004");
  });
});

describe("columns that are units of another layer", () => {
  const layered = () => {
    const small = smallContent();
    return smallContent({ matrices: [...small.matrices, layeredMatrix()] });
  };

  async function openLayered(state: Record<string, unknown> = {}) {
    const opened = await open({ content: layered(), ...state });
    const { plot, cell } = stageOf(opened.root, 2);
    const wide = (Number.parseFloat(plot.style.width) - GUTTER - SUMS_BESIDE) / 3;
    const click = (x: number, y: number, more: PointerEventInit = {}) => {
      point(plot, "pointerdown", x, y, more);
      point(plot, "pointerup", x, y, more);
    };
    const line = () => opened.root.querySelectorAll(".nbw-readout")[2].textContent;
    return { ...opened, plot, cell, wide, click, line };
  }

  it("are selected by a click on their label or their sum, toggled with Ctrl or Shift", async () => {
    const { model, wide, cell, click } = await openLayered();
    click(wide * 1.5, 5 * cell + 10);
    expect(model.state.selection).toMatchObject({ layer: "out", units: ["out:7"] });
    click(wide * 2.5, -10, { ctrlKey: true });
    expect(selected(model)).toEqual(["out:7", "out:2"]);
    click(wide * 1.5, -10, { ctrlKey: true });
    expect(selected(model)).toEqual(["out:2"]);
    click(wide * 0.5, -10);
    expect(selected(model)).toEqual(["out:0"]);
  });

  it("give way to rows: a click on a cell, a row's label or its sum selects the row", async () => {
    const { model, wide, cell, click } = await openLayered({ selection: { units: ["out:7"] } });
    click(wide * 0.5, cell * 1.5);
    expect(model.state.selection).toMatchObject({ layer: "fc", units: ["fc:1"] });
    click(3 * wide + GUTTER + 10, cell * 2.5);
    expect(selected(model)).toEqual(["fc:0"]);
  });

  it("are brushed when the brush begins on their sums", async () => {
    const { model, plot, wide, cell } = await openLayered();
    point(plot, "pointerdown", wide * 0.5, -10);
    point(plot, "pointermove", wide * 1.5, cell * 3);
    point(plot, "pointerup", wide * 1.5, cell * 3);
    expect(selected(model)).toEqual(["out:0", "out:7"]);
  });

  it("are known by name: no chip says that they are not in this layer", async () => {
    const { root, model } = await openLayered();
    model.set("selection", { layer: "out", units: ["out:7", "out:99"], source: "python" });
    await painted();
    expect(chips(root)).toEqual(["out:7", "out:99"]);
    expect([...root.querySelectorAll(".nbw-unknown")].map((chip) => chip.getAttribute("data-name"))).toEqual([
      "out:99",
    ]);
    expect(factOf(root, "smallest |r| inside")?.textContent).toContain("none of fc selected");
    find<HTMLButtonElement>(root, '[data-name="out:99"]').click();
    expect(selected(model)).toEqual(["out:7"]);
  });

  it("are selected by c and by Alt + Enter at the cursor, the row's unit by Enter", async () => {
    const { model, plot } = await openLayered();
    press(plot, "ArrowDown");
    press(plot, "ArrowDown");
    press(plot, "ArrowRight");
    expect(press(plot, "c").defaultPrevented).toBe(true);
    expect(model.state.selection).toMatchObject({ layer: "out", units: ["out:7"] });
    press(plot, "ArrowRight");
    expect(press(plot, "Enter", { altKey: true }).defaultPrevented).toBe(true);
    expect(selected(model)).toEqual(["out:7", "out:2"]);
    press(plot, "Enter");
    expect(selected(model)).toEqual(["fc:1"]);
    expect(plot.getAttribute("aria-label")).toMatch(/with their sums.*c or Alt\+Enter the column's unit/);
  });

  it("take no c where columns are no units", async () => {
    const { root, model } = await openLayered();
    const { plot } = stageOf(root, 1);
    expect(press(plot, "c").defaultPrevented).toBe(false);
    expect(model.saves).toBe(0);
  });

  it("read out a pair, and the sums of what is pointed at", async () => {
    const { root, plot, wide, cell, line } = await openLayered();
    point(plot, "pointermove", wide * 1.5, cell * 0.5);
    await painted();
    expect(line()).toBe("fc:3 → out:70.0100 bits");
    point(plot, "pointermove", 3 * wide + GUTTER + 10, cell * 0.5);
    await painted();
    expect(line()).toBe("fc:3Σ row 0.0300 bits");
    point(plot, "pointermove", wide * 1.5, -10);
    await painted();
    expect(line()).toBe("out:7Σ column 0.350 bits");
    expect(root.querySelectorAll(".nbw-readout")[1].textContent).toBe("5 units × 3 samples");
    press(plot, "ArrowDown");
    expect(find(root, "[aria-live]").textContent).toMatch(/^fc:\d → out:\d, .* bits, Σ row .*, Σ column /);
  });

  it("are found by name", async () => {
    const { root, model } = await openLayered();
    const box = find<HTMLInputElement>(root, ".nbw-search");
    box.value = "out:7, 0";
    press(box, "Enter");
    expect(model.state.selection).toMatchObject({ layer: "out", units: ["out:0", "out:7"] });
    box.value = "out:5";
    press(box, "Enter");
    expect(find(root, ".nbw-search-message").textContent).toMatch(/no unit out:5: out has units 0 to 7/);
  });

  it("draw bars of sums only where there are sums", async () => {
    const { root } = await openLayered();
    const counts = [...root.querySelectorAll("[data-matrix]")].map(
      (panel) => panel.querySelectorAll(".nbw-sums").length,
    );
    expect(counts).toEqual([0, 0, 1]);
  });
});

describe("a job", () => {
  const job = (more: object = {}) => ({
    title: "EI, <b>fc</b> → out",
    state: "offered",
    text: "15 pairs",
    done: 0,
    total: 12,
    ...more,
  });
  const faceOf = (root: Element) => find<HTMLButtonElement>(root, ".nbw-job button");

  it("is a card in the row of panels, with its words as text", async () => {
    const { root } = await open({ job: job() });
    expect(find(root, ".nbw-panels").lastElementChild).toBe(find(root, ".nbw-job"));
    expect(find(root, ".nbw-job .nbw-title").textContent).toBe("EI, <b>fc</b> → out");
    expect(find(root, ".nbw-job-text").textContent).toBe("15 pairs");
    expect(find(root, ".nbw-job-progress").hidden).toBe(true);
  });

  it("asks to start and to cancel, and a double click asks once", async () => {
    const { root, model } = await open({ job: job() });
    const face = faceOf(root);
    expect(face.textContent).toBe("compute");
    face.dispatchEvent(new MouseEvent("click", { detail: 1 }));
    model.set("job", job({ state: "running" }));
    expect(faceOf(root)).toBe(face); // the same button: it keeps the focus
    expect(face.textContent).toBe("cancel");
    face.dispatchEvent(new MouseEvent("click", { detail: 2 }));
    expect(model.sent).toEqual([{ type: "job", action: "start" }]);
    face.dispatchEvent(new MouseEvent("click", { detail: 1 }));
    expect(model.sent[1]).toEqual({ type: "job", action: "cancel" });
  });

  it("tells its progress, and repaints nothing but its card", async () => {
    const { root, model } = await open({ job: job({ state: "running" }) });
    const before = root.dataset.seq;
    const calls = page.calls.length;
    model.set("job", job({ state: "running", done: 3, text: "about 9 s left" }));
    await painted();
    const bar = find(root, '[role="progressbar"]');
    expect([bar.getAttribute("aria-valuenow"), bar.getAttribute("aria-valuemax")]).toEqual(["3", "12"]);
    expect(find(bar, "i").style.width).toBe("25%");
    expect(find(root, ".nbw-job-progress").textContent).toBe("3 of 12");
    expect(find(root, "[aria-live]").textContent).toBe("EI, <b>fc</b> → out: running");
    model.set("job", job({ state: "failed", text: "NaN weights" }));
    await painted();
    expect([root.dataset.seq, page.calls.length]).toEqual([before, calls]);
  });

  it("of unknown length has a bar without a value", async () => {
    const { root } = await open({ job: job({ state: "running", done: 3, total: 0 }) });
    expect(find(root, '[role="progressbar"]').hasAttribute("aria-valuenow")).toBe(false);
  });

  it("keeps the room of the panel that it computes, and leaves with it", async () => {
    const { root, model } = await open({ job: job() });
    const widths = () =>
      [...root.querySelectorAll<HTMLElement>(".nbw-panel")].map((panel) => panel.style.width);
    const [first, second] = widths();
    model.set("content", smallContent({ matrices: [...smallContent().matrices, layeredMatrix()] }));
    model.set("job", null);
    await painted();
    expect(root.querySelector(".nbw-job")).toBeNull();
    expect(widths().slice(0, 2)).toEqual([first, second]);
  });

  it("hands the focus of its button on to the panel that it made", async () => {
    const { root, model } = await open({ job: job({ state: "running" }) });
    faceOf(root).focus();
    model.set("content", smallContent({ matrices: [...smallContent().matrices, layeredMatrix()] }));
    expect(document.activeElement).toBe(faceOf(root));
    model.set("job", null);
    expect(document.activeElement).toBe(stageOf(root, 2).plot);
    model.set("content", smallContent({ matrices: [...smallContent().matrices, layeredMatrix()] }));
    expect(document.activeElement).toBe(stageOf(root, 2).plot); // the new one
  });

  it("stays when the content changes, and shows beside a message", async () => {
    const { root, model } = await open({ job: job() });
    const nothing = { matrices: [], units: wire(new Int32Array(0), 0), linkage: null };
    model.set("content", smallContent({ ...nothing, message: "one unit" }));
    await painted();
    expect(find(root, ".nbw-message").nextElementSibling).toBe(find(root, ".nbw-job"));
  });
});

describe("the end of a view", () => {
  it.each(["signal", "clean-up"])("by %s leaves no listener, no observer and no element", async (how) => {
    const left = countListeners();
    const life = new AbortController();
    const { model, el, close, root } = await open({}, how === "signal" ? life.signal : undefined);
    model.set("content", smallContent());
    await painted();
    expect(left()).toBeGreaterThan(10);
    expect(model.listening).toBe(5);
    if (how === "signal") life.abort();
    else close();
    expect(left()).toBe(0);
    expect(model.listening).toBe(0);
    expect(el.childElementCount).toBe(0);
    const seq = root.dataset.seq;
    page.resize(300);
    model.set("cut", 0.1);
    await painted();
    expect(root.dataset.seq).toBe(seq);
  });
});

describe("theme", () => {
  it("follows the page and recolours", async () => {
    document.body.dataset.jpThemeLight = "true";
    const { root } = await open();
    expect(root.classList.contains("nbw-dark")).toBe(false);
    const before = find(root, ".nbw-bar").style.background;
    document.body.dataset.jpThemeLight = "false";
    await painted();
    expect(root.classList.contains("nbw-dark")).toBe(true);
    expect(find(root, ".nbw-bar").style.background).not.toBe(before);
    delete document.body.dataset.jpThemeLight;
  });
});

it("uses the layout of the core", async () => {
  const { root } = await open();
  expect(find(root, ".nbw-stage").style.marginTop).toBe(LAYOUT_TOP);
});
