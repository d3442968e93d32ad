// Jupyter glue of LayerPicker: traits in, the picked layer out.

import type { LayerRow } from "../core/layer_tree.ts";
import { showError } from "../views/dom.ts";
import { PickerView } from "../views/picker.ts";
import { listen, openView, type RenderProps, saveTo } from "./model.ts";

export function render(props: RenderProps): () => void {
  const { model } = props;
  const { root, signal, close } = openView(props, "layer-picker");
  const guard = (work: () => void) => () => {
    try {
      work();
    } catch (error) {
      console.error(error);
      showError(root, error);
    }
  };
  guard(() => {
    const save = saveTo(model);
    const view = new PickerView(root, { picked: (layer) => save("layer", layer) }, signal);
    const head = guard(() =>
      view.setHead(model.get("title"), model.get("subtitle"), model.get("redundancy_title")),
    );
    const layers = guard(() => {
      view.setLayers((model.get("layers") ?? []) as LayerRow[]);
      view.setLayer(model.get("layer") ?? "");
    });
    for (const name of ["title", "subtitle", "redundancy_title"])
      listen(model, `change:${name}`, head, signal);
    listen(model, "change:layers", layers, signal);
    listen(
      model,
      "change:layer",
      guard(() => view.setLayer(model.get("layer") ?? "")),
      signal,
    );
    head();
    layers();
  })();
  return close;
}

export default { render };
