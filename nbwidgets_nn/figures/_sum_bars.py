"""Sums of rows and columns as bars beside a matrix, in still pictures; twin: ``js/src/core/picture_sums.ts``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import PolyCollection
from numpy.typing import NDArray

from nbwidgets_nn._themes import Theme
from nbwidgets_nn._words import format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More bars than this would share pixels of a picture: each then stands for several, and shows the largest.
_MOST_BARS = 700
# Share of the head's height that bars may take; words stand above them.
_HIGH = 0.62


@dataclass(frozen=True, eq=False)
class Marked:
    """Rows and columns of a panel that are selected, by their display positions."""

    rows: NDArray
    columns: NDArray


def draw_sums(
    above: Axes, beside: Axes, sums: dict[str, NDArray[np.float64]], marked: Marked, colors: Theme
) -> None:
    """Draw the sums of columns into the axes above a matrix, and those of rows into the axes right of it."""
    low, high = _extent(sums["columns"])
    above.set(xlim=(0, len(sums["columns"])), ylim=(low, low + (high - low or 1) / _HIGH))
    for values, color in _layers(sums["columns"], marked.columns, colors):
        above.add_collection(PolyCollection(_bars(values), color=color, linewidths=0))
    _write(above, "column sums", (0, _HIGH), "left", 2, colors)
    _write(above, _extent_words(low, high), (1, _HIGH), "right", 2, colors)

    low, high = _extent(sums["rows"])
    beside.set(xlim=(low, high if low < high else low + 1), ylim=(len(sums["rows"]), 0))
    beside.set_axis_off()
    for values, color in _layers(sums["rows"], marked.rows, colors):
        beside.add_collection(PolyCollection(_bars(values)[:, :, ::-1], color=color, linewidths=0))
    _write(beside, "row sums", (0, 1), "left", 10, colors)
    _write(beside, _extent_words(low, high), (0, 1), "left", 2, colors)


def _extent(sums: NDArray) -> tuple[float, float]:
    """Return the values that bars span; zero is always among them, as bars start there."""
    finite = sums[np.isfinite(sums)]
    return float(finite.min(initial=0.0)), float(finite.max(initial=0.0))


def _extent_words(low: float, high: float) -> str:
    if low < 0 < high:
        return f"{format_number(low)} to {format_number(high)}"
    return f"min {format_number(low)}" if low < 0 else f"max {format_number(high)}"


def _layers(sums: NDArray, marked: NDArray, colors: Theme) -> list[tuple[NDArray, str]]:
    """Return all bars, then the selected ones over them: a selected one shows even where pixels are shared."""
    chosen = np.full_like(sums, np.nan)
    chosen[marked] = sums[marked]
    return [(sums, colors.sum), (chosen, colors.accent)]


def _bars(sums: NDArray) -> NDArray:
    """Return the corners (bars, 4, 2) of upright bars from zero; NaN has none."""
    step = -(-len(sums) // _MOST_BARS)
    starts = np.arange(0, len(sums), step)
    values = np.array([_largest(sums[start : start + step]) for start in starts])
    ends = np.minimum(starts + step, len(sums)) - (0.1 if len(starts) <= _MOST_BARS / 8 else 0)
    corners = np.zeros((len(starts), 4, 2))
    corners[:, :, 0] = np.stack([starts, starts, ends, ends], axis=1)
    # Far beyond the axes an infinite bar is as long as can be seen.
    corners[:, 1:3, 1] = np.nan_to_num(values, nan=np.nan, posinf=1e300, neginf=-1e300)[:, None]
    return corners[~np.isnan(values)]


def _largest(values: NDArray) -> float:
    seen = values[~np.isnan(values)]
    return float(seen[np.abs(seen).argmax()]) if seen.size else float("nan")


def _write(
    axes: Axes, words: str, at: tuple[float, float], align: str, points_above: float, colors: Theme
) -> None:
    note = axes.annotate(
        words,
        at,
        (0, points_above),
        xycoords="axes fraction",
        textcoords="offset points",
        size=6,
        color=colors.muted,
        ha=align,
        va="bottom",
        annotation_clip=False,
    )
    # Words that reach into the room of a neighbour must not push its rows out of level.
    note.set_in_layout(False)
