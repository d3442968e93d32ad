"""A still picture of the causal plane: the same points, names, references and selection as the widget shows."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from nbwidgets_nn._themes import Theme, theme_called
from nbwidgets_nn.figures._file_bytes import file_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nbwidgets_nn.widgets.causal_content import CausalContent

_POINTS_PER_PIXEL = 0.75  # places of names are in pixels of a screen


def draw_causal_plane(
    content: CausalContent,
    selected: str = "",
    *,
    title: str = "Causal plane",
    format: str = "png",  # noqa: A002 - matplotlib's name for it
    dpi: int = 150,
    theme: str = "light",
) -> bytes:
    """Draw the plane and return the file's bytes.

    Raises:
        ValueError: a theme that is neither "light" nor "dark".
    """
    colors = theme_called(theme)
    figure = Figure(figsize=(6.6, 5.0), facecolor=colors.paper, layout="constrained")
    axes = figure.add_subplot(facecolor="none")
    _draw_frame(axes, content, title, colors)
    _draw_references(axes, content, colors)
    for path in content.paths:
        _draw_path(axes, path.points, colors, chosen=path.layer == selected)
    _draw_names(axes, content, selected, colors)
    _draw_selected(axes, content, selected, colors)
    figure.supxlabel("\n".join(_wrapped(content.caption())), x=0.01, ha="left", size=7.5, color=colors.muted)
    return file_bytes(figure, format, dpi)


def _draw_frame(axes: Axes, content: CausalContent, title: str, colors: Theme) -> None:
    axes.set_title(title, loc="left", size=10, weight="bold", color=colors.ink, pad=20)
    axes.annotate(
        content.how,
        (1, 1),
        xytext=(0, 22),
        textcoords="offset points",
        xycoords="axes fraction",
        ha="right",
        size=7.5,
        color=colors.muted,
    )
    xlim, ylim = content.limits()
    axes.set(xlim=xlim, ylim=ylim)
    axes.set_xlabel("sensitivity (bits)", size=8.5, color=colors.muted)
    axes.set_ylabel(f"{content.vertical_title} (bits)", size=8.5, color=colors.muted)
    axes.tick_params(length=0, labelsize=7.5, colors=colors.muted)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:,g}")
    axes.grid(color=colors.faint, lw=0.6)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)


def _draw_references(axes: Axes, content: CausalContent, colors: Theme) -> None:
    axes.axhline(0, color=colors.branch, lw=0.5)
    axes.axvline(0, color=colors.branch, lw=0.5)
    diagonal = content.diagonal()
    if diagonal is not None:
        axes.plot(*diagonal.line.T, color=colors.muted, lw=0.8, ls=(0, (5, 4)))
        axes.annotate(
            diagonal.text,
            diagonal.at,
            xytext=(-12, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            size=7.5,
            color=colors.muted,
        )
    axes.add_collection(LineCollection(content.error_bars(), colors=colors.muted, linewidths=0.9, zorder=3))


def _draw_path(axes: Axes, points: np.ndarray, colors: Theme, *, chosen: bool) -> None:
    line = colors.accent if chosen else colors.branch
    end = colors.accent if chosen else colors.ink
    above = 5 if chosen else 4
    if len(points) > 1:
        axes.plot(*points.T, color=line, lw=1.7 if chosen else 1.0, marker="o", ms=2.6, zorder=above)
        axes.plot(*points[0], "o", ms=5, mfc=colors.paper, mec=line, mew=1.1, zorder=above)
    axes.plot(*points[-1], "o", ms=8, mfc=end, mec=colors.paper, mew=1.1, zorder=above + 0.5)


def _draw_names(axes: Axes, content: CausalContent, selected: str, colors: Theme) -> None:
    places = content.label_places()
    for path in content.paths:
        place = places[path.layer]
        if place is None:
            continue
        axes.annotate(
            path.layer,
            path.points[-1],
            xytext=(place.right * _POINTS_PER_PIXEL, -place.down * _POINTS_PER_PIXEL),
            textcoords="offset points",
            ha={"start": "left", "middle": "center", "end": "right"}[place.align],
            va="center",
            size=8.5,
            color=colors.accent if path.layer == selected else colors.ink,
            path_effects=[withStroke(linewidth=2.5, foreground=colors.paper)],
            zorder=7,
        )


def _draw_selected(axes: Axes, content: CausalContent, selected: str, colors: Theme) -> None:
    path = content.path(selected)
    if path is None:
        return
    drop = content.drop(selected)
    if drop is not None:
        axes.plot(*drop.T, color=colors.accent, lw=1, zorder=4)
    axes.annotate(
        content.picked(selected),
        (0, 1),
        xytext=(0, 8),
        xycoords="axes fraction",
        textcoords="offset points",
        size=7.5,
        color=colors.ink,
    )


def _wrapped(lines: list[str]) -> list[str]:
    return [part for line in lines for part in wrap(line, 125)]
