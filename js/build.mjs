// Bundles every widget into ../nbwidgets_nn/static/, where the wheel and the widgets pick them up.
import { mkdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.env.NBW_STATIC ?? join(here, "..", "nbwidgets_nn", "static");
const LIMIT = 200_000; // bytes: Jupyter sends a bundle once for each widget instance
const shared = { bundle: true, minify: true, target: "es2022", legalComments: "none", logLevel: "warning" };

await mkdir(out, { recursive: true });
await build({
  ...shared,
  entryPoints: ["layer_picker", "linked_heatmaps", "edge_graph"].map((name) =>
    join(here, "src/widgets", `${name}.ts`),
  ),
  outdir: out,
  format: "esm",
});
// The saved page inlines its script, and an inline script cannot be told where to fetch a module from.
await build({
  ...shared,
  entryPoints: [join(here, "src/widgets/saved_page.ts")],
  outdir: out,
  format: "iife",
});
await build({ ...shared, entryPoints: [join(here, "src/style.css")], outfile: join(out, "nbwidgets.css") });

for (const name of [
  "layer_picker.js",
  "linked_heatmaps.js",
  "edge_graph.js",
  "saved_page.js",
  "nbwidgets.css",
]) {
  const { size } = await stat(join(out, name));
  console.log(`${name.padEnd(20)} ${(size / 1000).toFixed(1).padStart(7)} kB`);
  if (size > LIMIT) throw new Error(`${name} has ${size} bytes; at most ${LIMIT} are allowed`);
}
