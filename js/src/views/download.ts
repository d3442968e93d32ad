// The PNG and SVG buttons. Both come from the same SVG text, so both show the same picture.

import type { Palette } from "../core/palette.ts";
import { drawPicture } from "../core/picture.ts";
import type { Scene } from "../core/scene.ts";
import { button, context2d, make, showError } from "./dom.ts";

export interface Shown {
  scene: Scene;
  palette: Palette;
}

export function addDownloads(bar: HTMLElement, shown: () => Shown | null, signal: AbortSignal): void {
  const run = (make: (svg: string) => Promise<Blob>, ending: string) => async () => {
    try {
      const state = shown();
      if (!state?.scene.content) return;
      const svg = await drawPicture(state.scene, state.palette);
      save(await make(svg), `${state.scene.content.layer.replace(/[^\w.-]+/g, "_")}.${ending}`);
    } catch (error) {
      const root = bar.closest<HTMLElement>(".nbw");
      if (root) showError(root, error);
    }
  };
  const png = button("PNG", "download the whole picture as PNG", run(toPng, "png"), signal);
  const svg = button("SVG", "download the whole picture as SVG", run(toSvg, "svg"), signal);
  for (const face of [png, svg]) bar.append(face);
}

async function toSvg(svg: string): Promise<Blob> {
  return new Blob([svg], { type: "image/svg+xml" });
}

/** Twice the size in pixels: sharp in print. */
async function toPng(svg: string): Promise<Blob> {
  const image = new Image();
  const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    image.src = url;
    await image.decode();
    const canvas = make("canvas");
    canvas.width = image.naturalWidth * 2;
    canvas.height = image.naturalHeight * 2;
    context2d(canvas).drawImage(image, 0, 0, canvas.width, canvas.height);
    return await pngOf(canvas);
  } finally {
    URL.revokeObjectURL(url);
  }
}

export function pngOf(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((done, fail) =>
    canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("the browser could not make a PNG")))),
  );
}

export function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = make("a", { href: url, download: name });
  link.click();
  // The download starts after this turn of the loop; revoking at once would cancel it.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
