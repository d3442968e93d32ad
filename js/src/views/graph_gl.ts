// The one WebGL2 context of a page. Browsers take the oldest contexts away when a page has more than about sixteen,
// so all graphs share this one: it paints on a canvas of its own, and each view copies the picture to a 2D canvas.

import { parseHex } from "../core/raster.ts";
import {
  type EdgeNumbers,
  type EdgePicture,
  type EdgeRun,
  MARKED,
  SMOOTH,
  SMOOTH_EDGES,
} from "./graph_edges.ts";
import { FRAGMENT, VERTEX } from "./graph_shaders.ts";

/** Bundles are loaded one by one and share no module: the page itself holds what they share. */
const SHARED = Symbol.for("nbwidgets_nn.gl");
const FLOATS = 3;

/**
 * The painter of this page, or null where there is no WebGL2, or only one that is played by software: there a 2D canvas
 * draws lines ten times as fast.
 */
export function sharedPainter(): EdgePainter | null {
  const page = globalThis as { [SHARED]?: EdgePainter | null };
  if (page[SHARED] === undefined) page[SHARED] = makePainter();
  return page[SHARED];
}

/** The same without making one: undefined where nobody has asked for it yet. */
export function knownPainter(): EdgePainter | null | undefined {
  return (globalThis as { [SHARED]?: EdgePainter | null })[SHARED];
}

function makePainter(): EdgePainter | null {
  try {
    const canvas = document.createElement("canvas");
    const settings = { antialias: false, depth: false, failIfMajorPerformanceCaveat: true };
    const gl = canvas.getContext("webgl2", settings) as WebGL2RenderingContext | null;
    if (!gl) return null;
    if (!isSoftware(gl)) return new EdgePainter(canvas, gl);
    gl.getExtension("WEBGL_lose_context")?.loseContext();
  } catch (error) {
    console.warn("no WebGL2, edges are drawn on a 2D canvas:", error);
  }
  return null;
}

/** Browsers that were told to use software do not count that as the caveat it is. */
function isSoftware(gl: WebGL2RenderingContext): boolean {
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  const renderer = gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(String(renderer));
}

interface Program {
  program: WebGLProgram;
  colors: WebGLTexture;
  at(name: string): WebGLUniformLocation | null;
}

interface Held {
  /** Null before the first. */
  edges: EdgeNumbers | null;
  buffer: WebGLBuffer;
}

export class EdgePainter {
  private program: Program | null = null;
  private readonly held = new Map<object, Held>();
  private readonly restored = new Set<() => void>();

  constructor(
    readonly canvas: HTMLCanvasElement,
    readonly gl: WebGL2RenderingContext,
  ) {
    this.program = prepare(gl);
    canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault(); // or it would never come back
      this.program = null;
      this.held.clear();
    });
    canvas.addEventListener("webglcontextrestored", () => {
      this.program = prepare(gl);
      for (const repaint of this.restored) repaint();
    });
  }

  /** Calls `repaint` whenever a lost context has come back, and frees what `owner` holds when its life ends. */
  serve(owner: object, repaint: () => void, signal: AbortSignal): void {
    this.restored.add(repaint);
    signal.addEventListener(
      "abort",
      () => {
        this.restored.delete(repaint);
        const held = this.held.get(owner);
        if (held) this.gl.deleteBuffer(held.buffer);
        this.held.delete(owner);
      },
      { once: true },
    );
  }

  /** Paints in the upper left corner of `canvas`. False: the context is lost, and nothing was painted. */
  paint(owner: object, picture: EdgePicture): boolean {
    const { gl, program } = this;
    if (!program || gl.isContextLost()) return false;
    const [width, height] = [picture.width, picture.height].map((side) => Math.round(side * picture.ratio));
    this.grow(width, height);
    gl.viewport(0, this.canvas.height - height, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(program.program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    setColors(gl, program, picture);
    setView(gl, program, picture);
    this.bind(owner, picture.edges);
    for (const run of picture.runs) drawRun(gl, program, run, picture.ink.segments);
    return !gl.isContextLost();
  }

  /** Making a canvas smaller and larger again costs more than keeping it as large as the largest graph. */
  private grow(width: number, height: number): void {
    if (this.canvas.width < width) this.canvas.width = width;
    if (this.canvas.height < height) this.canvas.height = height;
  }

  private bind(owner: object, edges: EdgeNumbers): void {
    const { gl } = this;
    let held = this.held.get(owner);
    if (!held) {
      held = { edges: null, buffer: gl.createBuffer() };
      this.held.set(owner, held);
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, held.buffer);
    if (held.edges === edges) return;
    const numbers = new Float32Array(FLOATS * edges.count);
    edges.write(numbers, 0, edges.count);
    gl.bufferData(gl.ARRAY_BUFFER, numbers, gl.STATIC_DRAW);
    held.edges = edges;
  }
}

function prepare(gl: WebGL2RenderingContext): Program {
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(kind) as WebGLShader;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`the edges' shaders do not link: ${gl.getProgramInfoLog(program)}`);
  }
  const colors = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, colors);
  for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
    gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
  gl.enableVertexAttribArray(0);
  gl.vertexAttribDivisor(0, 1);
  const known = new Map<string, WebGLUniformLocation | null>();
  const at = (name: string) => {
    if (!known.has(name)) known.set(name, gl.getUniformLocation(program, name));
    return known.get(name) ?? null;
  };
  return { program, colors, at };
}

/** The colour table, and behind it the colours of −∞, NaN and +∞. */
function setColors(gl: WebGL2RenderingContext, { colors, at }: Program, picture: EdgePicture): void {
  const { table, marks } = picture;
  const count = table.length / 3 + MARKED.length;
  const pixels = new Uint8Array(4 * count).fill(255);
  for (let i = 0; i < count - MARKED.length; i++) pixels.set(table.subarray(3 * i, 3 * i + 3), 4 * i);
  MARKED.forEach((mark, i) => {
    pixels.set(parseHex(marks[mark]), 4 * (count - MARKED.length + i));
  });
  gl.bindTexture(gl.TEXTURE_2D, colors);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, count, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  gl.uniform1i(at("colors"), 0);
  gl.uniform1f(at("levels"), count - MARKED.length);
}

function setView(gl: WebGL2RenderingContext, { at }: Program, picture: EdgePicture): void {
  const { width, height, ratio, camera, ink } = picture;
  const { widths, opacities, gamma } = ink;
  gl.uniform2f(at("size"), width, height);
  gl.uniform1f(at("ratio"), ratio);
  gl.uniform2f(at("camera"), camera.scale, camera.dy);
  gl.uniform2f(at("widths"), widths[0], widths[1]);
  gl.uniform2f(at("opacities"), opacities[0], opacities[1]);
  gl.uniform1f(at("gamma"), gamma);
}

function drawRun(gl: WebGL2RenderingContext, { at }: Program, run: EdgeRun, segments: number): void {
  if (run.count === 0) return;
  const { x0, x1, gaps, lane } = run.course;
  gl.uniform4f(at("course"), x0, x1, gaps, lane);
  const coarse = segments < SMOOTH ? Math.max(0, run.count - SMOOTH_EDGES) : 0;
  const draw = (first: number, count: number, pieces: number) => {
    if (count === 0) return;
    gl.uniform1f(at("segments"), pieces);
    gl.vertexAttribPointer(0, FLOATS, gl.FLOAT, false, 0, first * FLOATS * 4);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 2 * pieces + 2, count);
  };
  draw(run.first, coarse, segments * gaps);
  draw(run.first + coarse, run.count - coarse, SMOOTH * gaps);
}
