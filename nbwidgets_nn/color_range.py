"""Which values the colours span, and the byte that stands for each value. Decided here once, for every picture.

A code is one byte: 0..249 lie linearly over the range, the six above are marks of their own, so that nothing that is
not a number in the range can look like one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVELS = 250
BELOW, ABOVE, MINUS_INFINITY, PLUS_INFINITY, NOT_A_NUMBER, MASKED = range(LEVELS, 256)
_CELLS_AT_ONCE = 2**18

SCALES = ("layerscale", "layernorm", "globalscale", "globalnorm")
"""The colour scales of an activation pattern: one a layer or one for all layers; the two norms centred at 0."""


@dataclass(frozen=True)
class ColorRange:
    """The values between which colours run; ``diverging`` colours are symmetric about zero."""

    low: float
    high: float
    diverging: bool

    @property
    def error(self) -> float:
        """Return the largest distance between a value in the range and the value that its code stands for."""
        # Half a level, and what rounding in float32 may add to it.
        return (self.high / (LEVELS - 1) - self.low / (LEVELS - 1)) * (0.5 + 1e-4)


def choose_range(
    values: NDArray, *, low: float | None = None, high: float | None = None, diverging: bool | None = None
) -> ColorRange:
    """Choose the range for a matrix: what the caller fixes, else what its finite values span.

    Values of both signs are diverging and get a range symmetric about zero. A matrix of one value, or with no finite
    value at all, gets a range of some width, so that colours stay defined.

    >>> choose_range(np.array([[-1.0, 3.0]]))
    ColorRange(low=-3.0, high=3.0, diverging=True)
    """
    smallest, largest = _finite_extremes(values) or (0.0, 0.0)
    if diverging is None:
        diverging = smallest < 0 < largest if low is None or high is None else low == -high
    if diverging:
        reach = max(abs(smallest), abs(largest)) or 1.0
        chosen = ColorRange(-reach if low is None else low, reach if high is None else high, diverging=True)
    else:
        low = smallest if low is None else low
        high = largest if high is None else high
        chosen = ColorRange(low, high if high != low else low + max(1.0, abs(low)), diverging=False)
    if not chosen.low < chosen.high:
        raise ValueError(f"low must be below high, but low={chosen.low!r} and high={chosen.high!r} came")
    return chosen


def pattern_ranges(layers: Sequence[NDArray], scale: str = "layerscale") -> list[ColorRange]:
    """Choose the range of each layer of an activation pattern.

    Args:
        layers: the values of each layer, in any shape; what is not finite does not count.
        scale: 'layerscale', one range a layer, from its smallest to its largest value; 'layernorm', the same centred at
            0, as wide as its largest magnitude; 'globalscale' and 'globalnorm', the same over all layers at once.

    Raises:
        ValueError: an unknown scale.

    >>> layers = [np.array([1.0, 3.0]), np.array([[-4.0, 2.0]])]
    >>> [(span.low, span.high) for span in pattern_ranges(layers, "layernorm")]
    [(-3.0, 3.0), (-4.0, 4.0)]
    >>> [(span.low, span.high) for span in pattern_ranges(layers, "globalscale")]
    [(-4.0, 3.0), (-4.0, 3.0)]
    """
    if scale not in SCALES:
        raise ValueError(f"scale: expected one of {', '.join(map(repr, SCALES))}, got {scale!r}")
    diverging = scale.endswith("norm")
    if scale.startswith("layer"):
        return [choose_range(values, diverging=diverging) for values in layers]
    seen = [extremes for values in layers if (extremes := _finite_extremes(values)) is not None]
    return [choose_range(np.array(seen), diverging=diverging)] * len(layers)


def encode(values: NDArray, span: ColorRange) -> NDArray[np.uint8]:
    """Turn values into codes, `floor((v - low) / (high - low) * 249 + 0.5)`, and everything else into its mark."""
    codes = np.empty(values.shape, np.uint8)
    rows = max(1, _CELLS_AT_ONCE // max(1, values.shape[-1]))
    for start in range(0, len(values), rows):  # in pieces that stay in the cache
        codes[start : start + rows] = _encode_block(np.ma.getdata(values[start : start + rows]), span)
    if np.ma.is_masked(values):
        codes[np.ma.getmaskarray(values)] = MASKED
    return codes


def _encode_block(block: NDArray, span: ColorRange) -> NDArray[np.uint8]:
    # Halves, as the difference of two very large values has no floating-point number.
    scaled = block * block.dtype.type(0.5) if block.dtype.kind == "f" else block * 0.5
    scaled -= span.low / 2
    scaled /= (span.high / 2 - span.low / 2) / (LEVELS - 1)
    scaled += 0.5
    if np.all((block >= span.low) & (block <= span.high)):  # false for NaN as well
        return scaled.astype(np.uint8)
    codes = np.clip(np.nan_to_num(scaled), 0, LEVELS - 1).astype(np.uint8)
    for mark, where in (
        (BELOW, block < span.low),
        (ABOVE, block > span.high),
        (MINUS_INFINITY, block == -np.inf),
        (PLUS_INFINITY, block == np.inf),
        (NOT_A_NUMBER, np.isnan(block)),
    ):
        codes[where] = mark
    return codes


def _finite_extremes(values: NDArray) -> tuple[float, float] | None:
    seen = np.ma.compressed(values) if np.ma.is_masked(values) else np.ma.getdata(values)
    if seen.size and not np.isfinite([seen.min(), seen.max()]).all():
        seen = seen[np.isfinite(seen)]
    return (float(seen.min()), float(seen.max())) if seen.size else None
