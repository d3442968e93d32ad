// Glue of a spectrum on a saved page: pictures in; the picked layer and the selection in and out.

import { readSelection, type Selection } from "../core/selection.ts";
import type { WireHead, WireSpectrum } from "../core/spectrum_content.ts";
import { newSource, showError } from "../views/dom.ts";
import { SpectrumPictures } from "../views/spectrum_pictures.ts";
import { listen, openView, type RenderProps, saveTo } from "./model.ts";

export function render(props: RenderProps): () => void {
  const { model } = props;
  const { root, signal, close } = openView(props, "spectrum-pictures");
  const source = newSource("spectrum");
  const save = saveTo(model);
  try {
    const view = new SpectrumPictures(
      root,
      {
        layerPicked: (layer) => save("layer", layer),
        selectionChanged: (layer, units) =>
          save("selection", { layer, units, kind: "units", source } satisfies Selection),
      },
      signal,
    );
    const content = () => {
      const wire = model.get("content") as WireSpectrum | null;
      if (wire?.panels) view.setContent(wire);
    };
    const selection = () => view.setSelection(readSelection(model.get("selection")).units);
    listen(model, "change:content", content, signal);
    listen(model, "change:selection", selection, signal);
    view.setHead(model.get("head") as WireHead);
    content();
    selection();
  } catch (error) {
    console.error(error);
    showError(root, error);
  }
  return close;
}

export default { render };
