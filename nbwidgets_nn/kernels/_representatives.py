"""One unit for each cluster, and how weakly the cluster hangs together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nbwidgets_nn.kernels._standardised import Standardised

_STRIP = 1024  # members whose correlations with the whole cluster are made at a time
_TIE = 1e-6  # difference of mean correlation that is rounding


@dataclass(frozen=True)
class Picker:
    """Picks a representative of every cluster. Correlations are made cluster by cluster, strip by strip."""

    columns: Standardised
    use_abs: bool
    pick: str
    random: np.random.Generator

    def pick_all(self, labels: np.ndarray) -> tuple[list[int], np.ndarray]:
        """Give the representative and the smallest correlation of clusters 1, 2, ..., as `labels` numbers them."""
        by_label = np.argsort(labels, kind="stable")
        ends = np.searchsorted(labels[by_label], np.arange(1, labels.max(initial=0) + 2))
        clusters = [by_label[start:stop] for start, stop in pairwise(ends)]
        picked = [self._pick(members) for members in clusters]
        return [unit for unit, _ in picked], np.array([smallest for _, smallest in picked], dtype=np.float64)

    def _pick(self, members: np.ndarray) -> tuple[int, float]:
        if len(members) == 1:
            return int(members[0]), 1.0
        closeness, smallest = self._closeness(members)
        if self.pick == "random":
            return int(self.random.choice(members)), smallest
        # The smallest summed distance is the largest summed correlation. Members ascend, so the first is the lowest.
        return int(members[np.argmax(closeness >= closeness.max() - _TIE * len(members))]), smallest

    def _closeness(self, members: np.ndarray) -> tuple[np.ndarray, float]:
        """Give every member's summed correlation with the cluster, and the smallest single one."""
        sums, smallest = np.empty(len(members)), np.inf
        for start in range(0, len(members), _STRIP):
            part = members[start : start + _STRIP]
            r = self.columns.correlation(part, members)
            r = np.abs(r, out=r) if self.use_abs else r
            sums[start : start + _STRIP] = r.sum(axis=1, dtype=np.float64)
            smallest = min(smallest, float(r.min()))
        return sums, smallest
