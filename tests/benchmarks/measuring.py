"""Times, memory and the printed line: what all benchmarks share."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable


def best_times(functions: dict[str, Callable], rounds: int) -> dict[str, float]:
    """Time each function once a round, after one unmeasured round; the best of each in seconds."""
    times = {name: [] for name in functions}
    for _ in range(rounds + 1):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            times[name].append(time.perf_counter() - start)
    return {name: min(taken[1:]) for name, taken in times.items()}


def report(what: str, value: float, bound: str, kept: bool) -> bool:
    """Print one line and pass on whether the bound is kept."""
    print(f"  {what:<58}{value:>9.3g}   {bound:<9}{'ok' if kept else 'MISSED'}")
    return kept


def peak_growth(function: Callable) -> int:
    """Bytes by which the peak resident set grows. Run it before anything else has raised the peak."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    function()
    unit = 1 if sys.platform == "darwin" else 1024
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit
