"""What the kernels return: frozen dataclasses of NumPy arrays, the common vocabulary of widgets and figures.

A unit is a column of a (samples, units) matrix and is named here by its index. Arrays are not copied when a result
is made; treat them as read-only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Correlation:
    """Pearson correlations of the units of one layer, the strongest pair, and what chance alone would give."""

    matrix: np.ndarray = field(repr=False)
    """(units, units), symmetric, diagonal exactly 1; NaN in the rows and columns of `constant` and `nonfinite`."""
    samples: int
    constant: np.ndarray
    """Indices of the units whose largest sample equals their smallest: they have no correlation."""
    nonfinite: np.ndarray
    """Indices of the units with a NaN or infinite sample: they have no correlation either."""
    strongest: float
    """The signed r of the largest |r| between two different units, unrounded; NaN if fewer than two units vary."""
    pairs: tuple[tuple[int, int], ...]
    """The (i, j), i < j, that reach |strongest| up to rounding, in order; at most the first 1,000 of `ties`."""
    ties: int
    """How many pairs reach |strongest|; usually 1."""
    null_mean: float
    """Mean of max|r| over the pairs of as many *independent* units at the same number of samples."""
    null_std: float
    """Standard deviation of the same."""
    p_value: float
    """Probability that independent units reach |strongest| or more somewhere."""

    @property
    def units(self) -> int:
        """The number of units, constant ones included."""
        return len(self.matrix)

    def __str__(self) -> str:
        left_out = f", {len(self.constant)} constant" if len(self.constant) else ""
        left_out += f", {len(self.nonfinite)} not finite" if len(self.nonfinite) else ""
        head = f"{self.units:,} units, {self.samples:,} samples{left_out}: strongest correlation {self.strongest:+.3f}"
        pair = f" of {self.pairs[0]}" if self.pairs else ""
        return f"{head}{pair}, by chance alone {self.null_mean:.3f} ± {self.null_std:.3f}"


@dataclass(frozen=True, eq=False)
class Dendrogram:
    """A hierarchical clustering of units, laid out for display: no branches cross, constant units come last."""

    linkage: np.ndarray = field(repr=False)
    """(m - 1, 4) float64 in SciPy's form over the m varying units; leaf k is the unit `order[k]`."""
    order: np.ndarray = field(repr=False)
    """All unit indices in display order: the m leaves from left to right, then the constant units."""
    constant: np.ndarray
    """Indices of the units that never vary; they stand outside the tree."""
    method: str
    use_abs_correlation: bool
    samples: int

    @property
    def units(self) -> int:
        """The number of units, constant ones included."""
        return len(self.order)

    @property
    def leaves(self) -> int:
        """The number of varying units, m."""
        return self.units - len(self.constant)

    def labels(self, threshold: float) -> np.ndarray:
        """Give the cluster of every unit when the tree is cut at `threshold`: int (units,), 0 for a constant unit.

        The partition is that of `scipy.cluster.hierarchy.fcluster(linkage, threshold, "distance")`; clusters are
        numbered 1, 2, ... from left to right. ValueError if `threshold` is outside [0, 1] ([0, 2] for signed r).
        """
        from scipy.cluster.hierarchy import fcluster  # noqa: PLC0415 - widgets show results without it

        check_threshold(threshold, self.use_abs_correlation, "threshold")
        labels = np.zeros(self.units, dtype=np.int64)
        if self.leaves == 0:
            return labels
        flat = fcluster(self.linkage, threshold, "distance") if self.leaves > 1 else np.ones(1)
        # A cluster is a subtree, so it is one run of the display order: number the runs.
        labels[self.order[: self.leaves]] = 1 + np.concatenate([[0], np.cumsum(flat[1:] != flat[:-1])])
        return labels

    def clusters(self, threshold: float) -> int:
        """Count the clusters at `threshold`, constant units not counted."""
        return int(self.labels(threshold).max(initial=0))

    def __str__(self) -> str:
        distance = "1 - |r|" if self.use_abs_correlation else "1 - r"
        left_out = f" and {len(self.constant)} constant outside it" if len(self.constant) else ""
        return f"tree of {self.leaves:,} units{left_out}, {self.method} linkage of {distance}, {self.samples:,} samples"


@dataclass(frozen=True, eq=False)
class IndependentNeurons:
    """One unit for each cluster of correlated units. Unpacks as `independent_neurons, cluster_labels`."""

    independent_neurons: list[int]
    """The representative of cluster 1, 2, ...: unit indices."""
    cluster_labels: Any = field(repr=False)
    """(units,) int, as in `Dendrogram.labels`; a tensor if the input was one."""
    constant: np.ndarray
    """Units that never vary: label 0, in no cluster, not independent."""
    smallest_correlation: np.ndarray = field(repr=False)
    """(clusters,) the smallest |r| (signed r without `use_abs_correlation`) between two units of each cluster; 1 for
    a cluster of one. Average linkage does not bound it: at threshold 0.5 it can be 0.38."""
    threshold: float
    method: str
    use_abs_correlation: bool
    pick: str
    seed: int | None
    samples: int

    def __iter__(self) -> Iterator[Any]:
        return iter((self.independent_neurons, self.cluster_labels))

    def __getitem__(self, index: Any) -> Any:
        return (self.independent_neurons, self.cluster_labels)[index]

    def __len__(self) -> int:
        return 2

    def __str__(self) -> str:
        kept, units = len(self.independent_neurons), len(self.cluster_labels)
        left_out = f", {len(self.constant)} constant" if len(self.constant) else ""
        lowest = self.smallest_correlation.min(initial=1.0)
        return (
            f"{kept:,} of {units:,} units kept{left_out} ({self.method} linkage cut at {self.threshold:g}, "
            f"{self.pick}, {self.samples:,} samples); smallest r inside a cluster {lowest:.3f}"
        )


@dataclass(frozen=True, eq=False)
class UnitMeasures:
    """What single units do and how many directions a layer really uses."""

    units: int
    samples: int
    dead: np.ndarray
    """Units that are exactly 0 at every sample."""
    constant: np.ndarray
    """Units whose largest sample equals their smallest (the dead ones included)."""
    saturated: np.ndarray
    """Varying units that sit at a bound of their activation in at least 95 % of the samples; empty without bounds."""
    participation_ratio: float
    """(tr C)^2 / ||C||_F^2 of the covariance C, in units: 1 (one direction) to `units`. NaN if nothing varies."""
    effective_rank: float
    """exp H(lambda / sum lambda), lambda the eigenvalues of the covariance, in units. NaN if nothing varies, or
    if it was not computed because the layer is large."""

    def __str__(self) -> str:
        return (
            f"{self.units:,} units, {self.samples:,} samples: {len(self.dead)} dead, {len(self.constant)} constant, "
            f"{len(self.saturated)} saturated; participation ratio {self.participation_ratio:.1f}, "
            f"effective rank {self.effective_rank:.1f}"
        )


def check_threshold(threshold: float, use_abs_correlation: bool, name: str) -> None:
    """ValueError unless `threshold` can be a distance: [0, 1] for 1 - |r|, [0, 2] for 1 - r."""
    limit, distance = (1, "1 - |r|") if use_abs_correlation else (2, "1 - r")
    if not 0 <= threshold <= limit:  # also refuses NaN
        hint = "0.5, or smaller for fewer units in a cluster"
        raise ValueError(
            f"{name}: expected a distance {distance} in [0, {limit}], got {threshold}. Try: {hint}"
        )
