"""A layer's question as a function of its inputs, and the random inputs it is asked with.

Draws are made in blocks, each from a generator of its own that knows the seed, the quantity and the block's number. So
draw 12,345 is the same whether 20,000 or 40,000 are asked for, and on any number of threads; the generators of NumPy
and torch that everybody shares are not touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nbwidgets_nn._arrays import expected, name_units
from nbwidgets_nn._progress import Progress, steps

_BLOCK_VALUES = 2**19  # inputs drawn at a time: 4 MB
_MOST_BINS = 2**16
_MOST_CELLS = 2**24
_ALL, _ALONE = 0, 1  # part of a generator's key


@dataclass(frozen=True, eq=False)
class Intervention:
    """A function of inputs that are set from outside, with the bins of both ends.

    Raises ValueError for in_range or output ranges that are not finite, bins below 1, tables above 16 million cells,
    arrays that do not have one entry an output, and an unknown `outside`.
    """

    run: Callable[[np.ndarray], np.ndarray]
    """(n, inputs) float64 -> (n, outputs) float64: deterministic, the output's activation included."""
    inputs: int
    outputs: int
    in_range: tuple[float, float]
    in_bins: int
    low: np.ndarray = field(repr=False)
    """(outputs,) lower end of each output's range."""
    high: np.ndarray = field(repr=False)
    """(outputs,) upper end; it belongs to the last bin. Where low == high, that one value is in the last bin."""
    bins: np.ndarray = field(repr=False)
    """(outputs,) number of equal bins of each output."""
    outside: str = "clip"
    """A value beyond its range: "clip" puts it in the nearest bin, "drop" leaves the draw out for that output."""

    def __post_init__(self) -> None:
        for name, dtype in (("low", np.float64), ("high", np.float64), ("bins", np.int64)):
            array = np.ascontiguousarray(getattr(self, name), dtype)
            if array.shape != (self.outputs,):
                raise ValueError(expected(name, f"shape ({self.outputs},), one an output", f"{array.shape}"))
            object.__setattr__(self, name, array)  # frozen: this is the one form in which they are kept
        _check_range("in_range", *map(np.float64, self.in_range))
        _check_range("out_range", self.low, self.high)
        if self.outside not in {"clip", "drop"}:
            raise ValueError(expected("outside", '"clip" or "drop"', repr(self.outside)))
        check_table(self.in_bins, int(self.bins.min()), self.width)

    @property
    def width(self) -> int:
        """The columns of a table that has room for every output: the most bins, and one for draws left out."""
        return int(self.bins.max()) + (self.outside == "drop")

    @property
    def number_type(self) -> type[np.unsignedinteger]:
        """The smallest type for bin numbers."""
        return np.uint8 if max(self.in_bins, self.width) <= 2**8 else np.uint16

    @property
    def block(self) -> int:
        """The number of draws in a block."""
        return max(16, min(4096, _BLOCK_VALUES // self.inputs))


class Blocks:
    """Blocks of inputs that are uniform on in_range: of all inputs, or of input `alone` while the others are 0.

    Every block is written into the same memory: getting fresh memory takes longer than drawing.
    """

    def __init__(self, question: Intervention, seed: int, alone: int | None = None) -> None:
        self._question, self._seed, self._alone = question, seed, alone
        self._x = np.empty((question.block, question.inputs))
        self._shares = self._x if alone is None else np.empty((question.block, 1))

    def draw(self, block: int) -> np.ndarray:
        """Draw a block: (block, inputs), or (block, 1) with `alone`, where in its range each value lies, from 0 to 1."""
        key = (_ALL, block) if self._alone is None else (_ALONE, self._alone, block)
        bits = np.random.PCG64(np.random.SeedSequence(self._seed, spawn_key=key))
        np.random.Generator(bits).random(out=self._shares)
        return self._shares

    def inputs(self) -> np.ndarray:
        """Turn the block that was drawn last into inputs, (block, inputs); what `draw` returned is overwritten."""
        low, high = self._question.in_range
        self._shares *= high - low
        self._shares += low
        if self._alone is not None:
            self._x[:] = 0.0  # again for each block: the function may have written to it
            self._x[:, self._alone] = self._shares[:, 0]
        return self._x


def run_rows(question: Intervention, x: np.ndarray, chunk: int | None) -> np.ndarray:
    """Run the function on (n, inputs), at most `chunk` rows at a time; (n, outputs) float64."""
    chunk = chunk or max(16, _BLOCK_VALUES // question.outputs)
    parts = [np.asarray(question.run(x[row : row + chunk]), np.float64) for row in range(0, len(x), chunk)]
    y = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if y.shape != (len(x), question.outputs):
        what = f"outputs of shape {(len(x), question.outputs)}"
        hint = "an activation that works value by value"
        raise ValueError(expected("run", what, f"shape {y.shape}", hint))
    return y


def refuse_missing(is_missing: np.ndarray) -> None:
    """Raise ValueError that names the outputs which were NaN."""
    if is_missing.any():
        came = f"NaN from {name_units(np.flatnonzero(is_missing))}"
        hint = "look for NaN or infinite weights, and for an activation that is not defined everywhere"
        raise ValueError(expected("output", "numbers from every unit of the layer", came, hint))


def observed_range(
    question: Intervention, samples: int, seed: int, *, chunk: int | None = None, progress: Progress = False
) -> tuple[np.ndarray, np.ndarray]:
    """Find the least and the largest output, (outputs,) each, over the very draws that `sample_parts` uses.

    The output bins of `question` play no role. Raises ValueError for outputs that are NaN or have another shape.
    """
    low, high = np.full(question.outputs, np.inf), np.full(question.outputs, -np.inf)
    count, blocks = -(-samples // question.block), Blocks(question, seed)
    for block in steps(range(count), count, progress, "output range", "block"):
        blocks.draw(block)
        y = run_rows(question, blocks.inputs()[: samples - block * question.block], chunk)
        refuse_missing(np.isnan(y).any(axis=0))
        low, high = np.minimum(low, y.min(axis=0)), np.maximum(high, y.max(axis=0))
    return low, high


def _check_range(name: str, low: Any, high: Any) -> None:
    """Refuse ranges that are not finite, or reversed; one value alone is the range of a constant output."""
    wrong = ~(np.isfinite(high - low) & (low <= high))
    if np.any(wrong):
        first = np.flatnonzero(wrong)[0]
        came = f"({np.ravel(low)[first]:g}, {np.ravel(high)[first]:g})"
        raise ValueError(expected(name, "finite (low, high), low < high", came))


def check_table(in_bins: int, fewest: int, width: int) -> None:
    """ValueError unless a table of `in_bins` by `width` bins can be held; `fewest` is the least number of output bins."""
    if min(in_bins, fewest) < 1:
        raise ValueError(expected("bins", "at least 1 bin", f"in_bins={in_bins}, out_bins={fewest}"))
    if max(in_bins, width) > _MOST_BINS or in_bins * width > _MOST_CELLS:
        what = f"at most {_MOST_BINS:,} bins and {_MOST_CELLS:,} cells in a table"
        raise ValueError(expected("bins", what, f"in_bins={in_bins:,}, out_bins={width:,}"))
