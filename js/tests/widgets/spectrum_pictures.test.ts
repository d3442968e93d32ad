// @vitest-environment jsdom
import { beforeEach, expect, it, vi } from "vitest";
import { readSelection } from "../../src/core/selection.ts";
import type { WireHead, WirePicture, WireSpectrum } from "../../src/core/spectrum_content.ts";
import { render } from "../../src/widgets/spectrum_pictures.ts";
import { countListeners, FakeModel, find, point, press, stubPage } from "../page.ts";
import { wire } from "../samples.ts";

/** Boxes side by side, each as high as the picture. */
function picture(title: string, count: number): WirePicture {
  const sides = Array.from({ length: count }, (_, k) => [k / count, 0, (k + 1) / count, 1]).flat();
  const file = (theme: string) => {
    const bytes = new TextEncoder().encode(`<svg>${theme} # "%</svg>`);
    return wire(bytes, bytes.length);
  };
  return {
    title,
    alt: `${title} in words`,
    files: { light: file("light"), dark: file("dark") },
    width: 518,
    height: 365,
    boxes: wire(Float32Array.from(sides), count, 4),
  };
}

const head: WireHead = {
  title: "Graph Fourier spectrum",
  words: ["standard", "all precision <b>is lost</b>"],
  layers: ["conv", "fc"],
  overview: picture("Energy", 2),
};

function content(layer: string, units: number): WireSpectrum {
  return {
    layer,
    panels: [picture("Activations", units), picture("Spectrum", 0)],
    units: Array.from({ length: units }, (_, k) => `activation ${k}`),
  };
}

function open(selection: string[] = []) {
  const model = new FakeModel({
    head,
    layer: "fc",
    content: content("fc", 4),
    selection: { layer: "fc", units: selection, kind: "units", source: "python-1" },
  });
  const close = render({ model, el: document.body });
  return { model, close };
}

const stage = (at = 1) => document.querySelectorAll<HTMLElement>(".nbw-stage")[at];
const marks = (at = 1, kind = "nbw-chosen") =>
  [...stage(at).querySelectorAll(`rect.${kind}`)].map((rect) => 4 * Number(rect.getAttribute("x")));
const status = () => find(document, ".nbw-status").textContent;
const unitsOf = (model: FakeModel) => readSelection(model.get("selection")).units;
const place = { left: 100, top: 50, width: 200, height: 100 } as DOMRect;

beforeEach(() => {
  stubPage();
  vi.spyOn(HTMLElement.prototype, "getBoundingClientRect").mockReturnValue(place);
});

it("shows pictures with words for those who do not see them, and the selected units", () => {
  open(["fc:1", "fc:3"]);
  const images = [...document.querySelectorAll("img")];
  expect(images.map((image) => image.alt)).toEqual([
    "Energy in words",
    "Activations in words",
    "Spectrum in words",
  ]);
  expect(decodeURIComponent(images[1].src)).toBe('data:image/svg+xml,<svg>light # "%</svg>');
  expect(marks()).toEqual([1, 3]);
  expect(status()).toBe("● selected: fc:1, fc:3");
  expect(find(document, ".nbw-words").textContent).toContain("<b>");
  expect(stage(2).hasAttribute("tabindex")).toBe(false); // nothing stands in it that could be picked
});

it("selects what is clicked, and more with a key held", () => {
  const { model } = open();
  point(stage(), "click", 160, 60);
  expect(model.state.selection).toMatchObject({ layer: "fc", units: ["fc:1"], kind: "units" });
  expect(status()).toBe("● fc:1 · activation 1");
  point(stage(), "click", 290, 60, { shiftKey: true });
  expect(unitsOf(model)).toEqual(["fc:1", "fc:3"]);
  point(stage(), "click", 160, 60, { ctrlKey: true });
  expect(marks()).toEqual([3]);
  point(stage(), "click", 160, 60);
  expect(unitsOf(model)).toEqual(["fc:1"]);
  const saves = model.saves;
  point(stage(), "click", 160, 10); // above the picture
  expect(model.saves).toBe(saves);
});

it("reads the unit under the pointer, and what is selected again when it has gone", () => {
  const { model } = open(["fc:0"]);
  point(stage(), "pointermove", 210, 60);
  expect(status()).toBe("fc:2 · activation 2");
  expect(marks(1, "nbw-at")).toEqual([2]);
  point(stage(), "pointerleave", 0, 0);
  expect(status()).toBe("● fc:0 · activation 0");
  expect(marks(1, "nbw-at")).toEqual([]);
  expect(model.saves).toBe(0);
});

it("follows what others select, in this layer or another", () => {
  const { model } = open();
  model.set("selection", { layer: "fc", units: ["fc:2", "fc:9"], source: "graph-1" });
  expect(marks()).toEqual([2]);
  model.set("selection", { layer: "fc:1", units: ["fc:1:2"], source: "graph-1" });
  expect(marks()).toEqual([]);
  expect(status()).toBe("● selected: fc:1:2");
  expect(model.saves).toBe(0);
});

it("walks by arrow keys, picks with Enter and lets go with Escape", () => {
  const { model } = open();
  press(stage(), "ArrowRight");
  press(stage(), "ArrowRight");
  expect(status()).toBe("fc:1 · activation 1");
  expect(press(stage(), "Enter").defaultPrevented).toBe(true);
  expect(unitsOf(model)).toEqual(["fc:1"]);
  press(stage(), "End");
  press(stage(), "ArrowRight");
  expect(status()).toBe("fc:3 · activation 3");
  expect(press(stage(), "Tab").defaultPrevented).toBe(false);
  press(stage(), "Escape");
  expect(unitsOf(model)).toEqual([]);
});

it("picks a layer in the overview and marks the one whose pictures are shown", () => {
  const { model } = open(["fc:1"]);
  expect(marks(0)).toEqual([2]); // the second of two
  point(stage(0), "click", 110, 60);
  expect(model.get("layer")).toBe("conv");
  model.set("content", content("conv", 2));
  expect(marks(0)).toEqual([0]);
  expect(marks()).toEqual([]);
  expect(document.querySelectorAll(".nbw-pictures img").length).toBe(2);
});

it("takes the dark picture on a dark page", async () => {
  open();
  document.documentElement.dataset.theme = "dark";
  await vi.waitFor(() =>
    expect(decodeURIComponent(find<HTMLImageElement>(document, "img").src)).toContain("dark"),
  );
  delete document.documentElement.dataset.theme;
});

it("lets go of everything, also of the pictures of layers shown before", () => {
  const listeners = countListeners();
  const before = listeners();
  const { model, close } = open();
  const open1 = listeners();
  model.set("content", content("conv", 2));
  expect(listeners()).toBe(open1);
  close();
  expect(model.listening).toBe(0);
  expect(listeners()).toBe(before);
});
