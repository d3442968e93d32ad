"""Activations and their Fourier coefficients, layer by layer, and what each coefficient touches."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import traitlets
from ipywidgets import Layout, VBox
from numpy.typing import NDArray

from nbwidgets_nn._arrays import expected
from nbwidgets_nn._words import plural
from nbwidgets_nn.color_range import SCALES
from nbwidgets_nn.widgets._spectrum_parts import Hands, SpectrumParts
from nbwidgets_nn.widgets._spectrum_state import SpectrumState
from nbwidgets_nn.widgets._still import Drawable, StillPicture
from nbwidgets_nn.widgets.selection import Selection, SelectionTrait
from nbwidgets_nn.widgets.spectrum_content import Spectrum, SpectrumContent
from nbwidgets_nn.widgets.spectrum_page import write_spectrum

Touch = Callable[[str, int, int], NDArray]


class SpectrumView(StillPicture, Drawable, VBox):
    """Activations above, their coefficients below; a click on a coefficient shows every unit that it touches.

    Args:
        content: the arrays.
        touch: ``touch(type, k, sample)`` gives the pattern (units of all layers) that coefficient k stands for; without it
            nothing is shown of it. What it raises stands in the status line.
        layer, type, scale, sample: what is shown first.
        title: shown above all.

    Traits:
        layer, type, scale, sample: what is shown; to be read, set and observed.
        picked: the coefficient picked: which of all units in the order of the layers, or which of all frequencies; None.
            A unit that is picked is selected, and its layer shown; a frequency is no unit, so picking one selects none.
        selection: the `Selection`, as heatmaps and edge graph know it: of a convolution the channels. May be set to unit
            names, indices or None. Each selected unit is marked in its layer; one that is a single number is picked.

    Raises:
        ValueError, KeyError: what is shown first is not there.

    >>> from nbwidgets_nn.widgets.spectrum_content import Spectrum, SpectrumContent, SpectrumLayer
    >>> layers = (SpectrumLayer("input", "input", (2,)), SpectrumLayer("fc", "Linear", (1,)))
    >>> spectrum = Spectrum("standard", np.array([[1.0, 2.0, -1.0]]))
    >>> view = SpectrumView(SpectrumContent(layers, np.array([[1.0, 2.0, 2.0]]), (spectrum,)))
    >>> view
    SpectrumView(2 layers, 3 units, type='standard', layer='fc')
    >>> view.picked = 2
    >>> view.selection.units
    ('fc:0',)
    """

    layer = traitlets.Unicode()
    type = traitlets.Unicode()
    scale = traitlets.Enum(SCALES, "layernorm")
    sample = traitlets.Int()
    picked = traitlets.Int(None, allow_none=True)
    selection = SelectionTrait()
    _parts: SpectrumParts | None = None
    _led = False

    def __init__(
        self,
        content: SpectrumContent,
        *,
        touch: Touch | None = None,
        layer: str | None = None,
        type: str | None = None,  # noqa: A002 - the seed's name
        scale: str = "layernorm",
        sample: int = 0,
        title: str = "",
    ) -> None:
        if not isinstance(content, SpectrumContent):
            raise TypeError(expected("content", "a SpectrumContent", content.__class__.__name__))
        if scale not in SCALES:
            raise ValueError(expected("scale", f"one of {', '.join(map(repr, SCALES))}", repr(scale)))
        self.content, self.title = content, title or "Graph Fourier spectrum"
        self._touch, self._pattern, self._problem = touch, None, ""
        first = layer or content.layers[min(1, len(content.layers) - 1)].name
        super().__init__(
            layout=Layout(width="100%"),
            layer=first,
            type=type or content.spectra[0].type,
            scale=scale,
            sample=sample,
            selection=Selection(first),
        )
        hands = Hands(self._pick_layer, self._pick_unit, self._pick_space, self._pick, self._select_touched)
        self._parts = SpectrumParts(content, self, hands)
        self.children = self._parts.children
        self.add_class("nbw-spectrum")
        self.observe(self._show, ["layer", "scale"])
        self.observe(self._follow_sample, "sample")
        self.observe(self._follow_type, "type")
        self.observe(self._follow_pick, "picked")
        self.observe(self._follow_selection, "selection")
        self._show()

    # ---- choices

    @traitlets.validate("layer")
    def _known_layer(self, proposal: Any) -> str:
        return self.content.layer(proposal.value).name

    @traitlets.validate("type")
    def _known_type(self, proposal: Any) -> str:
        return self.content.spectrum(proposal.value).type

    @traitlets.validate("sample")
    def _known_sample(self, proposal: Any) -> int:
        if not 0 <= proposal.value < len(self.content.samples):
            what = f"a number below {len(self.content.samples)}"
            raise ValueError(expected("sample", what, f"{proposal.value}"))
        return proposal.value

    @traitlets.validate("picked")
    def _known_unit(self, proposal: Any) -> int | None:
        count = self.spectrum.coefficients.shape[1]
        if proposal.value is not None and not 0 <= proposal.value < count:
            raise ValueError(expected("picked", f"a number below {count:,}, or None", f"{proposal.value}"))
        return proposal.value

    def read_selection(self, value: Any) -> Selection:
        """Read names, indices, or None as a selection within the layer shown, or of another layer by names.

        A layer that the graph does not have is taken as it is: another view may show it.

        Raises:
            ValueError: a unit that its layer does not have.
        """
        selection = Selection.of(value, self.layer)
        # What another view sends may be older than the content: only what is written in Python is checked.
        if selection.source == "python":
            self.content.check_selection(selection)
        return selection

    @property
    def spectrum(self) -> Spectrum:
        """The spectrum shown."""
        return self.content.spectrum(self.type)

    @property
    def pattern(self) -> NDArray | None:
        """What the picked coefficient stands for, a number for every unit; None if nothing is picked."""
        return self._pattern

    @property
    def by_frequency(self) -> bool:
        """Whether coefficients belong to frequencies, and not to units."""
        return self.spectrum.frequencies is not None

    def _pick_layer(self, position: int) -> None:
        self.layer = self.content.layers[position].name

    def _pick_unit(self, index: int) -> None:
        node = self.content.node(self.layer, index)
        if self.by_frequency:  # a unit has no coefficient of its own there
            self.selection = self.content.selection(node)
        else:
            self.picked = node

    def _pick_space(self, space: int) -> None:
        self.picked = int(np.flatnonzero(self.content.groups(self.spectrum) == space)[0])

    def _pick(self, k: int | None) -> None:
        self.picked = k

    def _select_touched(self) -> None:
        """Select every unit of the layer shown that the picked coefficient touches; it stays picked."""
        layer = self.content.layer(self.layer)
        found = np.flatnonzero(self.content.of_layer(self._pattern, self.layer))
        units = dict.fromkeys(layer.unit_of(int(index)) for index in found)
        with self._leading():
            self.selection = Selection(layer.name, tuple(f"{layer.name}:{unit}" for unit in units))
        self._show()

    # ---- what follows from a choice

    @contextmanager
    def _leading(self) -> Iterator[None]:
        """Change several traits as one step: none of them leads to another change, nor to a picture of its own."""
        before, self._led = self._led, True
        try:
            yield
        finally:
            self._led = before

    def _follow_sample(self, _change: Any) -> None:
        if self.by_frequency:
            self._find_pattern()
        self._show()

    def _follow_type(self, change: Any) -> None:
        """Keep the unit that is picked; a frequency is none, so there the units that are selected decide."""
        with self._leading():
            if self.by_frequency or self.content.spectrum(change.old).frequencies is not None:
                self.picked = None
            self._pick_selected()
            self._find_pattern()
        self._show()

    def _follow_pick(self, _change: Any) -> None:
        """Show the layer of a unit that was picked, and select it; where a frequency was, or nothing, select no unit."""
        self._find_pattern()
        if self._led:
            return
        with self._leading():
            own = Selection(self.layer)
            if self.picked is not None and not self.by_frequency:
                own = self.content.selection(self.picked)
                self.layer = own.layer
            if own.units != self.selection.units:
                self.selection = own
        self._show()

    def _follow_selection(self, _change: Any) -> None:
        if self._led:
            return
        with self._leading():
            self._pick_selected()
        self._show()

    def _pick_selected(self) -> None:
        """Pick the unit that is selected if it is a single number; keep a pick that is among the selected units."""
        if self.by_frequency:
            return
        nodes = self.content.nodes(self.selection)
        if self.picked not in nodes:
            self.picked = nodes[0] if len(nodes) == 1 else None

    def _find_pattern(self) -> None:
        self._pattern, self._problem = None, ""
        if self.picked is None or self._touch is None:
            return
        try:
            self._pattern = np.asarray(self._touch(self.type, self.picked, self.sample))
        except Exception as error:  # noqa: BLE001 - a pick must not break the view; the reader sees why
            self._problem = f"{error.__class__.__name__}: {error}"

    # ---- showing

    def state(self) -> SpectrumState:
        """Return what is chosen now."""
        chosen = ("layer", "type", "scale", "sample", "picked", "selection", "title")
        return SpectrumState(
            self.content, pattern=self._pattern, **{name: getattr(self, name) for name in chosen}
        )

    def _show(self, _change: Any = None) -> None:
        if not self._led:
            self._parts.show(self.state(), self._problem)

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called: a view that is closed shows nothing any more."""
        return self.comm is None

    def close(self) -> None:
        """Close everything that the view is made of."""
        if self._parts is not None:  # a view that was refused closes too, when it is collected
            self._parts.close()
        super().close()

    def __repr__(self) -> str:
        size = f"{plural(len(self.content.layers), 'layer')}, {plural(self.content.size, 'unit')}"
        return f"SpectrumView({size}, type={self.type!r}, layer={self.layer!r})"

    def save_html(self, path: str | Path, *, title: str = "") -> Path:
        """Write one HTML file that needs no kernel and no network, with still pictures of every layer.

        On it a layer can be picked, and its units can be pointed at, read and selected. Transform, colours, sample and the
        pattern of the picked coefficient are those shown now: another one has to be computed.

        Args:
            path: where to; an existing file is replaced.
            title: of the page; by default that of the view.

        Raises:
            OSError: the path cannot be written; nothing is left behind.
        """
        return write_spectrum(path, self.state(), title)

    def static_html(self) -> str:
        """Return the still picture that is seen where no widget can run."""
        about = f"{self.title}: {self.type}, {self.layer}"
        source = f"data:image/png;base64,{b64encode(self.to_png(dpi=100)).decode()}"
        return f'<img width="860" alt="{escape(about)}" src="{source}">'

    def _draw(self, format: str, **options: Any) -> bytes:  # noqa: A002
        from nbwidgets_nn.figures.spectrum import draw_spectrum  # noqa: PLC0415 - matplotlib only here

        return draw_spectrum(self.state(), format=format, **options)
