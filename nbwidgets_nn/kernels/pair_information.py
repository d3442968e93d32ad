"""How far an error of probabilities can move the mutual information that is computed from them."""

from __future__ import annotations

import math


def bits_at_most(error: float, cells: int, kept: float = 1.0) -> float:
    """Bound the bits by which `pair_bits` is off when every probability is off by at most `error`.

    `cells` is the number of probabilities that are summed for an input bin, `kept` a lower bound on the share that was not
    dropped, by which all are divided. Twice the bound on an entropy at a distance T in total variation: T log2(cells - 1) + h(T) (Audenaert 2007,
    J. Phys. A 40:8127), once for the output and once for the output given the input.

    >>> bits_at_most(0.0, 64), bits_at_most(1e-12, 64) < 1e-8
    (0.0, True)
    """
    distance = min(cells * error / max(kept, 1e-300) / (1 if kept < 1 else 2), 1.0)
    if distance == 0:
        return 0.0
    if distance >= 1 - 1 / cells:
        return math.log2(cells)
    mixed = -distance * math.log2(distance) - (1 - distance) * math.log1p(-distance) / math.log(2)
    return min(2 * (distance * math.log2(max(cells - 1, 1)) + mixed), math.log2(cells))
