// Jupyter glue of LinkedHeatmaps: content, cut, selection and job in; cut, selection, questions and wishes out.

import type { WireContent } from "../core/content.ts";
import { readSelection, type Selection } from "../core/selection.ts";
import { newSource, showError } from "../views/dom.ts";
import { HeatmapsView } from "../views/heatmaps.ts";
import { listen, openView, type RenderProps, saveTo } from "./model.ts";

export function render(props: RenderProps): () => void {
  const { model } = props;
  const { root, signal, close } = openView(props, "linked-heatmaps");
  const source = newSource("linked_heatmaps");
  const save = saveTo(model);
  try {
    const view = new HeatmapsView(
      root,
      {
        clustersChanged: (clusters, cut) => {
          if (cut !== null) model.set("cut", cut);
          save("clusters", clusters);
        },
        selectionChanged: (layer, units) =>
          save("selection", { layer, units, kind: "units", source } satisfies Selection),
        askExact: (request) => model.send(request),
        askJob: (action) => model.send({ type: "job", action }),
      },
      signal,
    );
    const content = () => {
      const wire = model.get("content") as WireContent | null;
      if (wire?.matrices) view.setContent(wire);
    };
    const selection = () => view.setSelection(readSelection(model.get("selection")).units);
    const job = () => view.setJob(model.get("job"));
    const cut = () => view.setCut(Number(model.get("cut")));
    listen(model, "change:content", content, signal);
    listen(model, "change:cut", cut, signal);
    listen(model, "change:selection", selection, signal);
    listen(model, "change:job", job, signal);
    listen(model, "msg:custom", (message) => view.receive(message), signal);
    cut();
    job();
    content();
    selection();
  } catch (error) {
    console.error(error);
    showError(root, error);
  }
  return close;
}

export default { render };
