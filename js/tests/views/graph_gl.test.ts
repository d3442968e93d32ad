// @vitest-environment jsdom
import { beforeEach, expect, it, vi } from "vitest";
import { type EdgePicture, inkFor } from "../../src/views/graph_edges.ts";
import { edgeNumbers } from "../graph_samples.ts";

let renderer = "a graphics card";
let lost = false;
let made = 0;
let called: string[] = [];

/** A context on which every call works and is written down. */
function fakeContext(): WebGL2RenderingContext {
  made++;
  const own: Record<string, unknown> = {
    isContextLost: () => lost,
    getParameter: () => renderer,
    getExtension: () => null,
    getProgramParameter: () => true,
  };
  return new Proxy({} as WebGL2RenderingContext, {
    get: (_, name: string) => {
      if (/^[A-Z_0-9]+$/.test(name)) return 1;
      const note = () => {
        called.push(name);
        return {};
      };
      return own[name] ?? note;
    },
  });
}

beforeEach(() => {
  renderer = "a graphics card";
  lost = false;
  made = 0;
  called = [];
  Reflect.deleteProperty(globalThis, Symbol.for("nbwidgets_nn.gl"));
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation((() => fakeContext()) as never);
});

async function bundle() {
  vi.resetModules();
  return await import("../../src/views/graph_gl.ts");
}

const picture = (count: number): EdgePicture => ({
  width: 300,
  height: 200,
  ratio: 2,
  camera: { scale: 1, dx: 0, dy: 0 },
  edges: edgeNumbers(new Float32Array(3 * count)),
  runs: [{ course: { x0: 0, x1: 300, gaps: 1, lane: 0 }, first: 0, count }],
  table: new Uint8Array(750),
  marks: ["#111111", "#222222", "#333333", "#444444", "#555555", "#666666"],
  ink: inkFor(count),
});

const count = (name: string) => called.filter((other) => other === name).length;

it("one context serves bundles that were loaded one by one", async () => {
  const [first, second] = [await bundle(), await bundle()];
  expect(first.knownPainter()).toBeUndefined();
  const painter = first.sharedPainter();
  expect(painter).not.toBeNull();
  expect(second.sharedPainter()).toBe(painter);
  expect(second.knownPainter()).toBe(painter);
  expect(made).toBe(1);
});

it("software that plays a graphics card is not asked twice", async () => {
  renderer = "ANGLE (Google, Vulkan (SwiftShader Device))";
  const { sharedPainter } = await bundle();
  expect([sharedPainter(), sharedPainter(), made]).toEqual([null, null, 1]);
});

it("there may be none at all", async () => {
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null);
  expect((await bundle()).sharedPainter()).toBeNull();
});

it("edges are sent once, and again only when they are other ones", async () => {
  const painter = (await bundle()).sharedPainter();
  const [owner, same] = [{}, picture(3)];
  expect(painter?.paint(owner, same)).toBe(true);
  painter?.paint(owner, { ...same, camera: { scale: 2, dx: 0, dy: 0 } });
  expect([count("bufferData"), count("drawArraysInstanced")]).toEqual([1, 2]);
  painter?.paint(owner, picture(4));
  expect(count("bufferData")).toBe(2);
  expect([painter?.canvas.width, painter?.canvas.height]).toEqual([600, 400]);
});

it("a lost context paints nothing, and all views paint again when it is back", async () => {
  const painter = (await bundle()).sharedPainter();
  const [owner, life, same] = [{}, new AbortController(), picture(3)];
  const repaint = vi.fn();
  painter?.serve(owner, repaint, life.signal);
  painter?.paint(owner, same);
  lost = true;
  const event = new Event("webglcontextlost", { cancelable: true });
  painter?.canvas.dispatchEvent(event);
  expect(event.defaultPrevented).toBe(true);
  expect(painter?.paint(owner, same)).toBe(false);
  lost = false;
  painter?.canvas.dispatchEvent(new Event("webglcontextrestored"));
  expect(repaint).toHaveBeenCalledTimes(1);
  expect(painter?.paint(owner, same)).toBe(true);
  expect(count("bufferData")).toBe(2);
  life.abort();
  expect(count("deleteBuffer")).toBe(1);
  painter?.canvas.dispatchEvent(new Event("webglcontextrestored"));
  expect(repaint).toHaveBeenCalledTimes(1);
});
