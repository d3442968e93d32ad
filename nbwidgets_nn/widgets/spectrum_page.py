"""A spectrum on a saved page: still pictures in which units and layers can be picked. Twin: ``js/src/core/spectrum_content.ts``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nbwidgets_nn._words import plural
from nbwidgets_nn.widgets._array_trait import pack
from nbwidgets_nn.widgets._spectrum_state import SpectrumState
from nbwidgets_nn.widgets.saved_page import compress, write_page
from nbwidgets_nn.widgets.selection import Selection
from nbwidgets_nn.widgets.spectrum_content import number

KIND = "spectrum_pictures"


def page_head(state: SpectrumState) -> dict[str, Any]:
    """Return what stands above the pictures of a layer: words, and the energy of all layers."""
    from nbwidgets_nn.figures.spectrum_page import overview_picture  # noqa: PLC0415 - matplotlib only here

    plain = _unselected(state)
    return pack(
        {
            "title": state.title,
            "words": plain.words,
            "layers": [layer.name for layer in state.content.layers],
            "overview": overview_picture(plain),
        }
    )


def page_contents(state: SpectrumState) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return name and pictures of each layer, made one by one, with transform, scale, sample and pattern as they are."""
    from nbwidgets_nn.figures.spectrum_page import panel_pictures  # noqa: PLC0415 - matplotlib only here

    for layer in state.content.layers:
        here = replace(_unselected(state), layer=layer.name)
        found = {"layer": layer.name, "panels": panel_pictures(here), "units": unit_words(here)}
        yield layer.name, compress(pack(found))


def write_spectrum(path: str | Path, state: SpectrumState, title: str = "") -> Path:
    """Write a page of its own: a click on a layer's bars shows its pictures, a click on a unit selects it."""
    answers = {name: {"spectrum": {"content": content}} for name, content in page_contents(state)}
    widget = {
        "name": "spectrum",
        "kind": KIND,
        "state": {
            "head": page_head(state),
            "layer": state.layer,
            "selection": state.selection.to_state(),
        },
    }
    return write_page(path, title=title or state.title, widgets=[widget], answers={"spectrum.layer": answers})


def unit_words(state: SpectrumState) -> list[str]:
    """Say what there is to know of each unit of the layer: its numbers, or from where to where those of a channel go."""
    layer = state.shown
    flats = {"activation": state.here(state.values)}
    if not state.by_frequency:
        flats["coefficient"] = state.here(state.coefficients)
    if state.pattern is not None and state.by_frequency:
        flats["part at this frequency"] = state.here(state.pattern)
    if not layer.has_channels:
        return [
            " · ".join(f"{name} {number(flat[unit])}" for name, flat in flats.items())
            for unit in range(layer.units)
        ]
    numbers = plural(layer.size // layer.units, "number")
    members = [layer.of_units((unit,)) for unit in range(layer.units)]
    return [
        " · ".join([numbers, *(_between(name, flat[some]) for name, flat in flats.items())])
        for some in members
    ]


def _between(name: str, values: np.ndarray) -> str:
    plural_name = f"{name}s" if name in ("activation", "coefficient") else name
    return f"{plural_name} {number(values.min())} to {number(values.max())}"


def _unselected(state: SpectrumState) -> SpectrumState:
    """Return it without marks: those of a page follow its readers."""
    return replace(state, selection=Selection())
