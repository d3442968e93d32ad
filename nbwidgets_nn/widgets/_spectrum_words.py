"""What is said around the spectrum."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from nbwidgets_nn._words import plural
from nbwidgets_nn.widgets._spectrum_style import STYLE
from nbwidgets_nn.widgets.spectrum_content import Spectrum, SpectrumContent

_NAMED = 6


def about(content: SpectrumContent) -> str:
    """Say how large the graph is."""
    size = f"{plural(content.size, 'unit')} in {plural(len(content.layers), 'layer')}"
    return " · ".join(filter(None, (size, content.how)))


def heading(content: SpectrumContent, spectrum: Spectrum, title: str) -> str:
    """Return the head: title, what a coefficient is, and what a reader must know."""
    notes = "".join(f'<div class="nbw-text nbw-warning">{escape(note)}</div>' for note in spectrum.notes)
    return (
        f'{STYLE}<div class="nbw-text"><span class="nbw-title">{escape(title)}</span>{escape(about(content))}</div>'
        f'<div class="nbw-text">{escape(spectrum.how)}</div>{notes}'
    )


def key(colors: Iterable[tuple[str, str]], scale: str) -> str:
    """Return what the bars of the layers show, (name, colour) each, and on which scale."""
    keys = "".join(
        f'<i class="nbw-key" style="background:{color}"></i>{name}&ensp;' for name, color in colors
    )
    said = ", ".join(filter(None, ("each layer's share of the sum of squares", scale)))
    return (
        f'<div class="nbw-text"><span class="nbw-subtitle">Energy</span>{said}: {keys}'
        "· click a layer to look at it</div>"
    )


def status(reading: str, problem: str = "", *, chosen: bool) -> str:
    """Return the line that is announced when it changes."""
    mark = "<i>●</i> " if chosen else ""
    wrong = f' <span class="nbw-warning">{escape(problem)}</span>' if problem else ""
    return (
        f'<div class="nbw-text nbw-status" role="status"><span class="nbw-picked">{mark}{escape(reading)}{wrong}'
        "</span></div>"
    )


def unpicked(*, by_frequency: bool) -> str:
    """Say what can be done where nothing is picked."""
    if by_frequency:
        return "Click a frequency to see the part of the activations that lies at it."
    return "Click a coefficient to see which units it touches."


def selected(units: tuple[str, ...]) -> str:
    """Name the units that are selected."""
    more = f" and {len(units) - _NAMED:,} more" if len(units) > _NAMED else ""
    return f"selected: {', '.join(units[:_NAMED])}{more}"
