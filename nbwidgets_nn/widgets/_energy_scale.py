"""How high the bars of shares stand: on an even scale, or by powers of ten where small ones could not be seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# A bar of less than this part of the highest is a line that nobody sees.
_SEEN = 1 / 200
_TICKS = 4
# What lies deeper is mostly what rounding has left.
_LOWEST = -12
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class EnergyScale:
    """Heights of bars and their ticks, both as parts of the room there is.

    >>> scale = EnergyScale.of([np.array([0.9, 0.1, 0.0])])
    >>> scale.words, [label for _, label in scale.ticks]
    ('', ['0 %', '25 %', '50 %', '75 %'])
    >>> scale = EnergyScale.of([np.array([1.0, 2e-5, 0.0])])
    >>> scale.words, scale.heights(np.array([1.0, 1e-3, 1e-5, 0.0])).round(2).tolist()
    ('log scale', [0.95, 0.38, 0.0, 0.0])
    """

    largest: float
    """The largest share."""

    floor: int | None = None
    """The power of ten where bars start; None on an even scale."""

    words: str = ""
    """What a reader must know of the scale."""

    @classmethod
    def of(cls, shares: Sequence[NDArray]) -> EnergyScale:
        """Choose the scale: by powers of ten if some bar that is not 0 could not be seen beside the highest."""
        known = np.nan_to_num(np.concatenate([np.asarray(part, np.float64) for part in shares]))
        largest = float(known.max(initial=0.0))
        least = float(known[known > 0].min(initial=1.0))
        if not least < _SEEN * largest:
            return cls(max(largest, 0.05))
        floor = math.ceil(math.log10(least)) - 1
        if floor >= _LOWEST:
            return cls(largest, floor, "log scale")
        return cls(largest, _LOWEST, f"log scale, no bar below {_power(_LOWEST)}")

    @property
    def _top(self) -> float:
        """What full height stands for: a little more than the largest."""
        if self.floor is None:
            return 1.05 * self.largest
        return math.log10(self.largest) + 0.05 * (math.log10(self.largest) - self.floor)

    def heights(self, shares: NDArray) -> NDArray[np.float64]:
        """Return how high bars are; 0 for a share of 0, and for one that is not defined."""
        known = np.nan_to_num(np.asarray(shares, np.float64))
        if self.floor is None:
            return known / self._top
        with np.errstate(divide="ignore"):
            decades = np.log10(known) - self.floor
        return np.maximum(decades, 0.0) / (self._top - self.floor)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Return a few heights and what they are called."""
        if self.floor is not None:
            first = math.floor(math.log10(self.largest) + 1e-9)
            step = max(1, math.ceil((first - self.floor) / _TICKS))
            powers = range(first, self.floor - 1, -step)
            return [((power - self.floor) / (self._top - self.floor), _power(power)) for power in powers][
                ::-1
            ]
        step = next(
            one for one in (0.01, 0.02, 0.05, 0.1, 0.25) if one * _TICKS >= self._top - 1e-9 or one == 0.25
        )
        count = math.floor(self._top / step + 1e-9)
        return [(k * step / self._top, f"{100 * k * step:.3g} %") for k in range(count + 1)]


def _power(power: int) -> str:
    return "1" if power == 0 else f"10{str(power).translate(_RAISED)}"
