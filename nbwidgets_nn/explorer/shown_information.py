"""The effective information that an explorer shows: found once for each layer, beside the notebook where it takes long."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn._progress import Progress
from nbwidgets_nn.background import Background
from nbwidgets_nn.explorer.layer_edges import LayerEdges, edges_of, information_fact
from nbwidgets_nn.explorer.layer_view import LayerView
from nbwidgets_nn.information_results import EffectiveInformation
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.topology import topology_of_recording
from nbwidgets_nn.widgets.heatmap_content import Fact, HeatmapContent

# Seconds for one pair at 64 x 64 bins on two cores, about: to say how long a wait will be.
_SECONDS_A_STEP = 3e-5
_QUICK_SECONDS = 5.0

Found = tuple[EffectiveInformation, EffectiveInformation]


class ShownInformation:
    """Finds and keeps EI_parts and sensitivity of the layers of one recording."""

    def __init__(
        self, recording: Activations, bins: int, input_range: tuple[float, float] | None = None
    ) -> None:
        self._recording, self._bins, self._input_range = recording, bins, input_range
        self._topology = topology_of_recording(recording)
        self._edges: dict[str, LayerEdges | str] = {}
        self._found: dict[str, Found] = {}
        """By the layer with the weights: several layers before it share them."""
        self._background = Background()

    def edges(self, name: str) -> LayerEdges | str:
        """Return the edges of a layer, or why there are none."""
        if name not in self._edges:
            self._edges[name] = edges_of(self._recording, self._topology, name, self._bins, self._input_range)
        return self._edges[name]

    def missing(self, name: str) -> bool:
        """Tell whether there is something that has not been found yet."""
        edges = self.edges(name)
        return not isinstance(edges, str) and edges.question.name not in self._found

    def is_quick(self, name: str) -> bool:
        """Tell whether it is missing and found within seconds."""
        return self.missing(name) and self.edges(name).steps * _SECONDS_A_STEP <= _QUICK_SECONDS

    def find(self, name: str, progress: Progress = False) -> Found:
        """Return EI_parts and sensitivity, computed now if need be; ValueError with the reason if there are no edges."""
        edges = self.edges(name)
        if isinstance(edges, str):
            raise ValueError(f"layer {name!r} has no effective information here: {edges}")  # noqa: TRY004
        weights = edges.question.name
        if weights not in self._found:
            self._found[weights] = edges.measure(progress)
        return self._found[weights]

    def start(
        self,
        name: str,
        done: Callable[[str], None],
        failed: Callable[[str, Exception], None],
        report: Callable[[str, int, int], None],
    ) -> None:
        """Find it in the background."""
        edges = self.edges(name)

        def keep(found: Found) -> None:
            self._found[edges.question.name] = found
            done(name)

        self._background.start(
            edges.measure, keep, lambda error: failed(name, error), lambda *steps: report(name, *steps)
        )

    @property
    def running(self) -> bool:
        """Whether something is being computed in the background."""
        return self._background.running

    def stop(self) -> None:
        """Stop what runs in the background."""
        self._background.stop()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for what runs in the background; tells whether it has ended."""
        return self._background.wait(seconds)

    def job(self, name: str, state: str, text: str = "", steps: tuple[int, int] = (0, 0)) -> dict[str, Any]:
        """Describe the computation for the view."""
        edges = self.edges(name)
        seconds = max(1, round(edges.steps * _SECONDS_A_STEP))
        return {
            "title": f"Effective information, {edges.title}",
            "state": state,
            "text": text or f"{edges.pairs:,} pairs at {self._bins} bins, about {seconds:,} s",
            "done": steps[0],
            "total": steps[1],
        }

    def added_to(
        self, view: LayerView, name: str, order_of: Callable[[str], NDArray | None]
    ) -> HeatmapContent:
        """Return a layer's content with its effective information as a further panel and a fact."""
        content, edges = view.content, self.edges(name)
        if not content.panels:
            return content
        if isinstance(edges, str) or self.missing(name):
            return dataclasses.replace(content, facts=(*content.facts, self._absence(name)))
        parts, sensitivity = self.find(name)
        rows = np.arange(edges.units) if view.units is None else view.units
        order = order_of(edges.target if edges.forward else edges.source)
        other = edges.question.outputs if edges.forward else edges.unit_of_input.max() + 1
        complete = order is not None and len(order) == other
        panel = edges.panel(parts, rows, order if complete else None)
        fact = information_fact(edges, parts, sensitivity)
        return dataclasses.replace(content, panels=(*content.panels, panel), facts=(*content.facts, fact))

    def _absence(self, name: str) -> Fact:
        edges = self.edges(name)
        why = edges if isinstance(edges, str) else "not computed yet"
        explain = "Effective information is that of a Linear or convolution which takes the layer's units as they are."
        return Fact("EI parts", "–", why, f"{explain} Here: {why}.")
