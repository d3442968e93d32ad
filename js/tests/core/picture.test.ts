import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { expect, it } from "vitest";
import { decodeContent } from "../../src/core/content.ts";
import { drawPicture } from "../../src/core/picture.ts";
import { encodePng } from "../../src/core/png.ts";
import { Scene } from "../../src/core/scene.ts";
import { FOLDER, revive } from "../payloads.ts";
import { layeredMatrix, smallContent } from "../samples.ts";

const PALETTE = {
  dark: false,
  paper: "#ffffff",
  ink: "#111111",
  muted: "#555555",
  line: "#dddddd",
  faint: "#eeeeee",
  branch: "#888888",
  sum: "#aaaaaa",
  accent: "#d9480f",
  clusters: ["#4e79a7", "#e3a857"],
  marks: ["#000001", "#000002", "#000003", "#000004", "#000005", "#000006"],
  font: 'system-ui, "Segoe UI"',
};

function chunks(png: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const found = new Map<string, Uint8Array>();
  for (let at = 8; at < png.length; at += view.getUint32(at) + 12) {
    found.set(
      String.fromCharCode(...png.subarray(at + 4, at + 8)),
      png.subarray(at + 8, at + 8 + view.getUint32(at)),
    );
  }
  return found;
}

it("writes codes as the pixels of a PNG that can be read back", async () => {
  const codes = Uint8Array.of(0, 1, 2, 253, 254, 255);
  const lut = Uint32Array.from(
    { length: 256 },
    (_, i) => (0xff000000 | (i << 16) | (7 << 8) | (255 - i)) >>> 0,
  );
  const found = chunks(await encodePng(codes, 3, 2, lut));
  expect([...found.keys()]).toEqual(["IHDR", "PLTE", "IDAT", "IEND"]);
  const lines = inflateSync(found.get("IDAT") ?? new Uint8Array());
  expect([...lines]).toEqual([0, 0, 1, 2, 0, 253, 254, 255]);
  expect([...(found.get("PLTE") ?? []).slice(3, 6)]).toEqual([254, 7, 1]);
});

it("draws every matrix, the tree, the cut and the selection without a browser", async () => {
  const scene = new Scene(() => undefined);
  scene.setCut(0.5);
  const wire = smallContent();
  wire.matrices[0].title = 'r < "1" & more';
  scene.setContent(decodeContent(wire));
  scene.setNames(["fc:3", "fc:1"]);
  const svg = await drawPicture(scene, PALETTE);
  expect(svg.match(/<image /g)?.length).toBe(2);
  expect(svg).toContain("cut 0.50");
  expect(svg).toContain("r &lt; &quot;1&quot; &amp; more");
  expect(svg).toContain('stroke="#d9480f"');
  expect(svg).toContain("not defined: 9 cells");
  expect(svg).toContain("constant");
  // Well formed: every element that is opened is closed.
  const open = [...svg.matchAll(/<(?!\/)(\w+)[^>]*?(\/?)>/g)].filter((tag) => tag[2] === "").length;
  expect(open).toBe([...svg.matchAll(/<\/\w+>/g)].length);
});

it("draws the sums of rows and columns, and selected columns with theirs in the accent", async () => {
  const scene = new Scene(() => undefined);
  const small = smallContent();
  scene.setContent(decodeContent({ ...small, matrices: [...small.matrices, layeredMatrix()] }));
  const plain = await drawPicture(scene, PALETTE);
  const bars = (svg: string, color: string) =>
    svg.match(new RegExp(`<g fill="${color}">(.*?)</g>`))?.[1].match(/<rect/g)?.length ?? 0;
  expect([bars(plain, PALETTE.sum), bars(plain, PALETTE.accent)]).toEqual([5 + 3, 0]);
  scene.setNames(["out:7", "out:2"]);
  const chosen = await drawPicture(scene, PALETTE);
  expect(bars(chosen, PALETTE.accent)).toBe(2);
  expect(chosen.match(/fill="none" stroke="#d9480f"/g)?.length).toBe(1); // two neighbours, one outline
  const [, width, height] = chosen.match(/<svg [^>]*width="([\d.]+)" height="([\d.]+)"/) ?? [];
  const ends = [...chosen.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g)];
  for (const [, x, y, w, h] of ends) {
    expect(Number(x) + Number(w)).toBeLessThanOrEqual(Number(width));
    expect(Number(y) + Number(h)).toBeLessThanOrEqual(Number(height));
  }
});

it("says the same as Python's picture of the same payload", async () => {
  const payload = JSON.parse(readFileSync(join(FOLDER, "linked_heatmaps.json"), "utf8"), revive);
  const scene = new Scene(() => undefined);
  scene.setCut(payload.cut);
  scene.setContent(decodeContent(payload.content));
  scene.setNames(payload.selection.units);
  const svg = await drawPicture(scene, PALETTE);
  const words = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text).filter(Boolean);
  expect(words.sort()).toEqual(JSON.parse(readFileSync(join(FOLDER, "words/linked_heatmaps.json"), "utf8")));
});

it("says so when there is nothing to draw", async () => {
  await expect(drawPicture(new Scene(() => undefined), PALETTE)).rejects.toThrow(/content has not been set/);
});
