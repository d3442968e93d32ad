"""The information of all pairs of columns: tiles of pairs on several threads, sums in a fixed order.

The tiles depend on the sizes alone and their sums are added in one order, so the result is the same to the last bit on
any number of threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import numba
import numpy as np

from nbwidgets_nn.kernels._counting import Columns, measure_tile
from nbwidgets_nn.kernels._estimator_tables import Estimator
from nbwidgets_nn.kernels._threads import in_order

Range = tuple[int, int]  # first, stop

_TILE_STEPS = 2**23  # counts in a tile: a few milliseconds, after which an interrupt is heard


def measure_pairs(
    columns: Columns,
    estimator: Estimator,
    draws: Range,
    results: np.ndarray,
    sums: np.ndarray,
    influence: np.ndarray,
) -> Iterator[None]:
    """Measure every pair over a range of draws; yields after each of `cut_tiles`.

    `results` is filled as by `measure_tile`; to `sums` and `influence` is added what it returns for each tile.
    Closing the iterator early ends all threads first.
    """
    probes = len(influence)

    def measure(tile: tuple[Range, Range]) -> tuple[np.ndarray, np.ndarray]:
        return measure_tile(columns, estimator, *tile, draws, probes, results)

    tiles = cut_tiles(
        len(results), results.shape[2], columns.inputs.shape[1], columns.in_bins * columns.width
    )
    with closing(in_order(measure, tiles, numba.get_num_threads())) as parts:
        for tile_sums, tile_influence in parts:
            sums += tile_sums
            influence += tile_influence
            yield


def cut_tiles(inputs: int, outputs: int, draws: int, cells: int) -> list[tuple[Range, Range]]:
    """Cut all pairs into rectangles of similar cost. A pair takes one step a draw and a cell."""
    pairs = max(1, _TILE_STEPS // (draws + cells))
    down = min(outputs, max(1, round(pairs**0.5)))
    across = max(1, pairs // down)
    return [
        ((a, min(a + across, inputs)), (b, min(b + down, outputs)))
        for a in range(0, inputs, across)
        for b in range(0, outputs, down)
    ]
