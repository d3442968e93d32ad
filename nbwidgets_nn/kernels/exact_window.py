"""EI and sensitivity of the inputs of one pooling window, whose output is their maximum, without sampling."""

from __future__ import annotations

import numpy as np

from nbwidgets_nn.kernels._exact_bits import pair_bits
from nbwidgets_nn.kernels.binned_activation import Steps
from nbwidgets_nn.kernels.exact_parts import ExactPairs, same_cells


def exact_window(
    inputs: int, activation: Steps, in_range: tuple[float, float], in_bins: int, *, outside: str, alone: bool
) -> ExactPairs:
    """Compute the pairs of `inputs` independent uniform numbers and the bin of activation(their maximum).

    P(max <= t | x_A in bin i) = F_i(t) F(t)^(inputs - 1); with `alone` the other inputs are 0, and F is a step there. All
    inputs are alike, so all pairs are.
    """
    low, high = in_range
    points = np.concatenate([[-np.inf], activation.breaks, [np.inf]])
    edges = np.linspace(low, high, in_bins + 1)
    own = np.clip((points - edges[:-1, None]) / np.diff(edges)[:, None], 0, 1)
    # z in [break, ...) has left the interval below: with `alone`, a maximum of exactly 0 lies at or above a break of 0.
    one = (points > 0).astype(float) if alone else np.clip((points - low) / (high - low), 0, 1)
    given = np.diff(own * one ** (inputs - 1), axis=1).T.copy()
    beyond = given[activation.beyond].sum() / in_bins
    bits = pair_bits(given, same_cells(activation.placed(outside)))
    return ExactPairs(np.full((inputs, 1), bits), 0.0, np.array([beyond]), np.zeros(0, np.int64), 0)
