"""What the causal plane shows: the path of each layer through its checkpoints, and what had to be left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from nbwidgets_nn._words import plural
from nbwidgets_nn.information_results import Bits, LayerInformation
from nbwidgets_nn.widgets._label_places import Place, place_labels

QUANTITIES = {"degeneracy": "degeneracy", "ei_parts": "EI_parts", "ei": "EI", "phi": "Phi"}
"""What may stand on the vertical axis, and what it is called there."""

_READING = {
    "degeneracy": (
        "Sensitivity: what single inputs tell single outputs, all others at 0. Degeneracy: how much of it is lost when "
        "all inputs vary. What survives, EI_parts, is a layer's height below the diagonal."
    ),
    "ei_parts": (
        "Sensitivity: what single inputs tell single outputs, all others at 0. EI_parts: the same while all inputs vary."
    ),
    "ei": (
        "Sensitivity: what single inputs tell single outputs, all others at 0. EI: what all inputs together tell all "
        "outputs together."
    ),
    "phi": (
        "Sensitivity: what single inputs tell single outputs, all others at 0. Phi = EI − EI_parts: what all inputs "
        "together tell beyond what they tell one by one."
    ),
}

_BELOW_ZERO = "Below 0, EI_parts exceeds the sensitivity: one input alone moves the outputs too little for these bins to see."
_DIAGONAL = "degeneracy = sensitivity: EI_parts 0"
_DIAGONAL_SHARES = (0.88, 0.74, 0.6, 0.46, 0.32)
_MARGIN = 0.05
_STEPS = 40  # points on each piece of a path that a name should rather not cover
_LISTED = 4


@dataclass(frozen=True)
class LayerPath:
    """One layer: its rows of the reports that have numbers for it, in the order of the checkpoints."""

    layer: str
    of: str
    checkpoints: tuple[str, ...]
    rows: tuple[LayerInformation, ...]

    @property
    def points(self) -> np.ndarray:
        """(checkpoints, 2) bits: sensitivity and the quantity on the vertical axis."""
        return np.array([(row.sensitivity.value, self.vertical(row).value) for row in self.rows])

    @property
    def errors(self) -> np.ndarray:
        """(checkpoints, 2) bits: the standard errors of `points`."""
        return np.array([(row.sensitivity.error, self.vertical(row).error) for row in self.rows])

    @property
    def names(self) -> list[str]:
        """What each point is called: "fc1", or "fc1 · epoch 64"."""
        return [
            f"{self.layer} · {checkpoint}" if checkpoint else self.layer for checkpoint in self.checkpoints
        ]

    def vertical(self, row: LayerInformation) -> Bits:
        """Return the quantity on the vertical axis."""
        return getattr(row, self.of)

    def reading(self) -> str:
        """Say the last point's numbers: what a reader wants to know about a selected layer."""
        row = self.rows[-1]
        numbers = [
            f"sensitivity {row.sensitivity}",
            f"degeneracy {row.degeneracy}",
            f"EI_parts {row.ei_parts}",
        ]
        if self.of in {"ei", "phi"}:
            numbers += [f"EI {row.ei}", f"Phi {row.phi}"]
        return f"{' · '.join(numbers)} bits"


class Diagonal(NamedTuple):
    """The line of all layers that keep nothing when all inputs vary."""

    line: np.ndarray
    """(2, 2): its lower and its upper end."""
    at: np.ndarray
    """(2,): the point beside which its name stands."""
    text: str


@dataclass(frozen=True)
class CausalContent:
    """The paths of all layers, in the order of the reports' rows; made by `read_reports`."""

    of: str
    checkpoints: tuple[str, ...]
    paths: tuple[LayerPath, ...]
    bins: tuple[int, int]
    left_out: tuple[str, ...]
    """What is not on the plane and why, one sentence each."""

    @property
    def vertical_title(self) -> str:
        """What the vertical axis shows."""
        return QUANTITIES[self.of]

    @property
    def how(self) -> str:
        """What the numbers are made of, for the head of the panel."""
        checkpoints = f"{plural(len(self.checkpoints), 'checkpoint')} · " * (len(self.checkpoints) > 1)
        return f"{checkpoints}{self.bins[0]} input bins, {self.bins[1]} output bins · bits"

    def caption(self) -> list[str]:
        """Return the lines below the plane: how to read it, what its marks are, what is not on it."""
        first, last = self.checkpoints[0], self.checkpoints[-1]
        marks = [f"○ {first} → ● {last}"] if len(self.checkpoints) > 1 else []
        largest = np.ptp(self.error_bars(), axis=1).max(initial=0.0) / 2
        bars = [f"bars: ± 1 standard error, at most {largest:.2g} bits"] if largest else []
        unnamed = [layer for layer, place in self.label_places().items() if place is None]
        nameless = [f"no room for {len(unnamed):,} names: {_first(unnamed, ', ')}"] if unnamed else []
        missing = [f"not on the plane: {_first(self.left_out, '; ')}"] if self.left_out else []
        below = [_BELOW_ZERO] if self.of == "degeneracy" and any(map(_below_zero, self.paths)) else []
        return [_READING[self.of], *below, *filter(None, [" · ".join(marks + bars + nameless)]), *missing]

    def path(self, layer: str) -> LayerPath | None:
        """Return the path of a layer, or None if it is not on the plane."""
        return next((path for path in self.paths if path.layer == layer), None)

    def picked(self, layer: str) -> str:
        """Say a selected layer's last numbers, or that it is not on the plane; "" if none is selected."""
        path = self.path(layer)
        if path is None:
            return f"{layer} is not on the plane" if layer else ""
        when = f" at {path.checkpoints[-1]}" * bool(path.checkpoints[-1])
        return f"{layer}{when}: {path.reading()}"

    def drop(self, layer: str) -> np.ndarray | None:
        """Return (2, 2): the way from a layer's last point up to the diagonal, which is its EI_parts."""
        path = self.path(layer)
        if path is None or self.of != "degeneracy":
            return None
        x, y = path.points[-1]
        return np.array([(x, y), (x, x)])

    def limits(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the ends of both axes: both hold 0, and those of the degeneracy plane share their upper end."""
        points = np.concatenate([np.zeros((1, 2)), *(path.points for path in self.paths), *self.error_bars()])
        low, high = points.min(axis=0), points.max(axis=0)
        if self.of == "degeneracy":
            high[:] = high.max()  # the diagonal then runs from corner to corner, above every layer
        high[high == low] += 1.0
        span = high - low
        (left, bottom), (right, top) = low - _MARGIN * span, high + _MARGIN * span
        return (float(left), float(right)), (float(bottom), float(top))

    def diagonal(self) -> Diagonal | None:
        """Return the line on which degeneracy is all of the sensitivity, named where the layers leave room."""
        if self.of != "degeneracy":
            return None
        (left, right), (bottom, top) = self.limits()
        low, high = max(left, bottom), min(right, top)
        ends = np.array([path.points[-1, 0] for path in self.paths] or [0.0])
        room = [
            share for share in _DIAGONAL_SHARES if np.abs(ends - share * high).min() > 0.08 * (high - low)
        ]
        at = high * (room or _DIAGONAL_SHARES)[0]
        return Diagonal(np.array([(low, low), (high, high)]), np.array([at, at]), _DIAGONAL)

    def error_bars(self) -> np.ndarray:
        """Return (bars, 2, 2): both ends of every bar of one standard error to either side, none where it is 0."""
        bars = [
            (point - reach, point + reach)
            for path in self.paths
            for point, error in zip(path.points, path.errors, strict=True)
            for reach in np.diag(error)
            if reach.any() and np.isfinite(reach).all()
        ]
        return np.array(bars).reshape(-1, 2, 2)

    def label_places(self) -> dict[str, Place | None]:
        """Return for each layer the side of its last point on which its name has room; None where there is none."""
        if not self.paths:
            return {}
        ends = np.array([path.points[-1] for path in self.paths])
        along = [_points_along(path.points) for path in self.paths]
        if self.of == "degeneracy":
            along.append(np.repeat(np.linspace(*self.limits()[0], 200)[:, None], 2, axis=1))
        lower, upper = np.array(self.limits()).T
        names = [path.layer for path in self.paths]
        places = place_labels(
            (ends - lower) / (upper - lower), names, (np.concatenate(along) - lower) / (upper - lower)
        )
        return dict(zip(names, places, strict=True))


def _below_zero(path: LayerPath) -> bool:
    """Say whether a point of the path lies below 0 by more than chance."""
    return bool((path.points[:, 1] < -3 * path.errors[:, 1] - 1e-9).any())


def _points_along(points: np.ndarray) -> np.ndarray:
    """Return points on a path's straight pieces, close enough together for a label to bump into one."""
    steps = np.linspace(0, 1, _STEPS, endpoint=False)[:, None]
    pieces = [start + steps * (end - start) for start, end in pairwise(points)]
    return np.concatenate([*pieces, points[-1:]])


def _first(texts: Sequence[str], separator: str) -> str:
    """Join the first few texts and say how many more there are."""
    more = [f"{len(texts) - _LISTED:,} more"] if len(texts) > _LISTED else []
    return separator.join([*texts[:_LISTED], *more])
