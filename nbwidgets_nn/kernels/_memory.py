"""How much memory is free, asked before something large is made."""

from __future__ import annotations

import math
import os
from pathlib import Path

import torch

from nbwidgets_nn._arrays import expected


def check_fits(need: float, name: str, what: str, try_: str) -> None:
    """Raise ValueError if `need` bytes are more than are free.

    >>> check_fits(1e30, "graph", "adjacency of 10 nodes", "graph.layers")
    Traceback (most recent call last):
    ...
    ValueError: graph: expected something that fits into memory, got adjacency of 10 nodes, 1e+21 GB. Try: graph.layers
    """
    if need > free_memory(torch.device("cpu")):
        came = f"{what}, {need / 1e9:,.3g} GB"
        raise ValueError(expected(name, "something that fits into memory", came, try_))


def free_memory(device: torch.device) -> float:
    """Bytes that are free, or all that there are where the system does not say more; infinite where it says nothing."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type != "cpu":
        return math.inf
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        pass
    names = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" not in names:
        return math.inf
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
