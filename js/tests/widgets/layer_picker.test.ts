// @vitest-environment jsdom
import { beforeEach, describe, expect, it } from "vitest";
import type { LayerRow } from "../../src/core/layer_tree.ts";
import widget from "../../src/widgets/layer_picker.ts";
import { countListeners, FakeModel, find, press, stubPage } from "../page.ts";

const row = (name: string, more: Partial<LayerRow> = {}): LayerRow => ({
  name,
  type: "Conv2d",
  shape: [16, 8, 8],
  parameters: 2080,
  redundancy: 0.784,
  note: "",
  ...more,
});

const LAYERS = [
  row("input", { parameters: 0, redundancy: null, shape: [64] }),
  row("features.0"),
  row("features.1", { type: "ReLU", redundancy: null, shape: null, note: "returned no tensor" }),
  row("head", { type: "Linear" }),
];

beforeEach(() => {
  stubPage();
});

function open(signal?: AbortSignal) {
  const model = new FakeModel({
    layers: LAYERS,
    layer: "features.0",
    title: "digits",
    subtitle: "1,797 samples",
    redundancy_title: "what it is",
  });
  const el = document.createElement("div");
  document.body.append(el);
  const close = widget.render(signal ? { model, el, signal } : { model, el });
  const tree = find(el, '[role="tree"]');
  const key = (name: string) => press(find(tree, '[tabindex="0"]'), name);
  const current = () => find(tree, '[tabindex="0"]').dataset.id;
  return { model, el, close, tree, key, current, root: find(el, ".nbw") };
}

describe("a row", () => {
  it("shows name, type, shape, parameters and redundancy", () => {
    const { tree } = open();
    const item = find(tree, '[data-id="features.0"]');
    expect([...item.children].map((cell) => cell.textContent)).toEqual([
      "0",
      "2,080 parameters, ",
      "",
      "Conv2d · 16 × 8 × 8",
      "78 % redundancy",
    ]);
    expect(find(item, ".nbw-redundancy i").style.width).toBe("78%");
  });

  it("leaves out what was not measured", () => {
    const item = find(open().tree, '[data-id="features.1"]');
    expect(item.textContent).not.toContain("%");
    expect(item.textContent).toContain("returned no tensor");
  });
});

describe("the tree", () => {
  it("has groups, levels and one picked item", () => {
    const { tree } = open();
    const items = [...tree.querySelectorAll('[role="treeitem"]')];
    expect(items.map((item) => [item.getAttribute("data-id"), item.getAttribute("aria-level")])).toEqual([
      ["input", "1"],
      ["features", "1"],
      ["features.0", "2"],
      ["features.1", "2"],
      ["head", "1"],
    ]);
    expect(tree.querySelectorAll('[aria-selected="true"]').length).toBe(1);
    expect(tree.querySelectorAll('[tabindex="0"]').length).toBe(1);
  });

  it("is walked with arrows, Home and End, and picks with Enter", () => {
    const { model, key, current } = open();
    key("ArrowDown");
    expect(current()).toBe("features.1");
    key("End");
    expect(current()).toBe("head");
    key("ArrowDown");
    expect(current()).toBe("head");
    key("Home");
    expect(current()).toBe("input");
    key("End");
    expect(model.state.layer).toBe("features.0");
    key("Enter");
    expect(model.state.layer).toBe("head");
    expect(model.saves).toBe(1);
  });

  it("closes and opens groups", () => {
    const { tree, key, current } = open();
    key("ArrowLeft");
    expect(current()).toBe("features");
    key("ArrowLeft");
    expect(tree.querySelector('[data-id="features.0"]')).toBeNull();
    expect(find(tree, '[data-id="features"]').getAttribute("aria-expanded")).toBe("false");
    key("ArrowRight");
    key("ArrowRight");
    expect(current()).toBe("features.0");
  });

  it("is searched by typing", () => {
    const { key, current } = open();
    key("h");
    expect(current()).toBe("head");
  });

  it("keeps the keys it uses from the notebook, and only those", () => {
    const { key } = open();
    expect(key("ArrowDown").defaultPrevented).toBe(true);
    expect(key("F5").defaultPrevented).toBe(false);
  });

  it("picks with the mouse, once", () => {
    const { model, tree } = open();
    find(tree, '[data-id="head"] .nbw-name').click();
    find(tree, '[data-id="head"] .nbw-name').click();
    expect([model.state.layer, model.saves]).toEqual(["head", 1]);
  });

  it("follows Python, and opens the group of the picked layer", () => {
    const { model, tree, key, root } = open();
    key("ArrowLeft");
    key("ArrowLeft");
    model.set("layer", "features.1");
    expect(find(tree, '[aria-selected="true"]').dataset.id).toBe("features.1");
    expect(root.dataset.layer).toBe("features.1");
    expect(model.saves).toBe(0);
  });
});

it("explains the measure at its column", () => {
  expect(find(open().root, ".nbw-col-redundancy").title).toBe("what it is");
});

it.each(["signal", "clean-up"])("ends by %s without a listener left", (how) => {
  const left = countListeners();
  const life = new AbortController();
  const { model, el, close } = open(how === "signal" ? life.signal : undefined);
  expect(left()).toBeGreaterThan(0);
  expect(model.listening).toBe(5);
  if (how === "signal") life.abort();
  else close();
  expect([left(), model.listening, el.childElementCount]).toEqual([0, 0, 0]);
});
