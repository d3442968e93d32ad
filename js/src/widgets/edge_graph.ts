// Jupyter glue of EdgeGraph: content and choices in; choices, selection and the picked layer out.

import type { LayerClusters } from "../core/clusters.ts";
import type { Quantity } from "../core/graph_strength.ts";
import type { WireGraph } from "../core/graph_wire.ts";
import { readSelection, type Selection } from "../core/selection.ts";
import { newSource, showError } from "../views/dom.ts";
import { GraphView } from "../views/graph_view.ts";
import { listen, openView, type RenderProps, saveTo } from "./model.ts";

export function render(props: RenderProps): () => void {
  const { model } = props;
  const { root, signal, close } = openView(props, "edge-graph");
  const source = newSource("edge_graph");
  const save = saveTo(model);
  try {
    const view = new GraphView(
      root,
      {
        save,
        selectionChanged: (layer, units) =>
          save("selection", { layer, units, kind: "units", source } satisfies Selection),
      },
      signal,
    );
    const content = () => {
      const wire = model.get("content") as WireGraph | null;
      if (wire?.columns) view.setContent(wire);
    };
    const edges = () =>
      view.setEdges({
        sample: Number(model.get("sample") ?? 0),
        quantity: (model.get("quantity") as Quantity) ?? "contribution",
        shown: Number(model.get("shown") ?? 400),
        perUnit: Number(model.get("per_unit") ?? 0),
      });
    const colors = () =>
      view.setColors(model.get("color_by") ?? "activation", readClusters(model.get("clusters")));
    const selection = () => view.setSelection(readSelection(model.get("selection")).units);
    const layer = () => view.setLayer(String(model.get("layer") ?? ""));
    const height = () => view.setHeight(Number(model.get("height")));
    for (const name of ["sample", "quantity", "shown", "per_unit"])
      listen(model, `change:${name}`, edges, signal);
    for (const name of ["color_by", "clusters"]) listen(model, `change:${name}`, colors, signal);
    listen(model, "change:content", content, signal);
    listen(model, "change:selection", selection, signal);
    listen(model, "change:layer", layer, signal);
    listen(model, "change:height", height, signal);
    height();
    edges();
    colors();
    layer();
    selection();
    content();
  } catch (error) {
    console.error(error);
    showError(root, error);
  }
  return close;
}

/** {} is what the trait holds before any heatmap has told its clusters. */
function readClusters(raw: unknown): LayerClusters | null {
  const given = (raw ?? {}) as Partial<LayerClusters>;
  return given.layer !== undefined && Array.isArray(given.labels) ? (given as LayerClusters) : null;
}

export default { render };
