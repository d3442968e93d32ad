"""What each unit responds to: its standardised activation, averaged over groups of samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from nbwidgets_nn._arrays import as_matrix, as_numpy, expected


@dataclass(frozen=True, eq=False)
class ActivationProfile:
    """Standardised mean activations; see `activation_profile`.

    Attributes:
        values: (units, groups), masked where a unit is constant; in standard deviations of the unit.
        groups: the groups, sorted.
        counts: samples in each group.
        samples: all samples.
    """

    values: np.ma.MaskedArray
    groups: tuple[Any, ...]
    counts: NDArray[np.int64]
    samples: int


def activation_profile(X: ArrayLike, groups: Sequence[Any]) -> ActivationProfile:
    """Average each unit's z-score over the samples of each group.

    For unit u and group g: ``mean of (x_u - mean(x_u)) / std(x_u)`` over the samples of g, with the standard deviation
    over all samples (divisor N). Two redundant units have the same profile, up to sign.

    Args:
        X: (samples, units), real; tensors are read on the CPU.
        groups: one label a sample, e.g. the classes.

    Raises:
        TypeError: not real numbers.
        ValueError: another number of labels than samples, or no samples.

    A constant unit has no z-score: its cells are masked. NaN in a unit makes that unit's values NaN.

    >>> activation_profile([[0.0], [0.0], [2.0], [2.0]], ["a", "a", "b", "b"]).values.tolist()
    [[-1.0, 1.0]]
    """
    X = as_numpy(as_matrix(X)).astype(np.float64)
    labels, which = np.unique(np.asarray(groups), return_inverse=True)
    if len(which) != len(X):
        came = f"{len(which)} labels for {len(X)} samples"
        raise ValueError(
            expected("groups", "one label a sample", came, "repeat each label for every position")
        )
    counts = np.bincount(which, minlength=len(labels))
    member = sparse.csr_array((np.ones(len(X)), which, np.arange(len(X) + 1)), shape=(len(X), len(labels)))
    sums = member.T @ X
    constant = X.max(axis=0) == X.min(axis=0)
    scale = np.where(constant, 1.0, X.std(axis=0))
    scores = ((sums / counts[:, None] - X.mean(axis=0)) / scale).T
    values = np.ma.array(scores, mask=np.broadcast_to(constant[:, None], scores.shape))
    return ActivationProfile(values, tuple(labels.tolist()), counts, len(X))
