"""Sensitivity of every input-output pair of one affine layer, without sampling: one input uniform, the others 0.

Then z_B = b_B + W[B, A] x_A is uniform too, so the joint probability of an input bin and an output bin is the length of an
overlap: of the bin of x with the interval of x that leads to the output bin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

import numba
import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn.kernels._exact_bits import line_bits
from nbwidgets_nn.kernels._threads import in_order
from nbwidgets_nn.kernels.binned_activation import Steps
from nbwidgets_nn.kernels.exact_parts import ExactPairs

_PAIRS_AT_ONCE = 2**10  # a millisecond, after which an interrupt is heard


def exact_sensitivity(
    weights: NDArray,
    bias: NDArray,
    activations: Sequence[Steps],
    in_range: tuple[float, float],
    in_bins: int,
    *,
    outside: str = "clip",
) -> ExactPairs:
    """Compute I(x_A; y_B) with x_A uniform on the input range and all other inputs 0.

    Cost: a few operations for each input, output and output bin. Arguments as for `exact_parts`.
    """
    found, (low, high) = np.empty((2, *weights.T.shape)), in_range
    scale = in_bins / (high - low)

    def measure(block: tuple[Steps, NDArray]) -> None:
        steps, some = block
        of_these = (weights[some].astype(float), bias[some].astype(float))
        part = np.empty((2, weights.shape[1], len(some)))
        beyond = np.flatnonzero(steps.beyond)
        line_bits(*of_these, steps.breaks, steps.placed(outside), beyond, low, scale, in_bins, part)
        found[:, :, some] = part

    blocks = _alike(activations, max(1, _PAIRS_AT_ONCE // weights.shape[1]))
    with closing(in_order(measure, blocks, numba.get_num_threads())) as done:
        for _ in done:
            pass
    return ExactPairs(found[0], 0.0, found[1].mean(axis=0), np.zeros(0, np.int64), 0)


def _alike(activations: Sequence[Steps], most: int) -> Iterator[tuple[Steps, NDArray]]:
    """Yield each binned activation with outputs that have it, at most so many at a time."""
    outputs: dict[int, list[int]] = {}
    for output, steps in enumerate(activations):
        outputs.setdefault(id(steps), []).append(output)
    for same in outputs.values():
        for start in range(0, len(same), most):
            yield activations[same[0]], np.array(same[start : start + most])
