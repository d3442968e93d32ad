"""Saving and loading a recording of 256 MB, against numpy.save and numpy.load of as much in one array; into a disk's cache.

The checksum, which finds damaged files, is half of the time. That there is no second copy is tested in tests/storage.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
from measuring import best_times, report
from torch import nn

import nbwidgets_nn as nw
from nbwidgets_nn.storage.output_loader import OutputLoader

SIZE = 2**28


def main() -> None:
    """Print the lines."""
    model = nn.Sequential(nn.Linear(1024, 1024), nn.Identity(), nn.Linear(1024, 1024))
    recording = nw.Activations(model, torch.rand(SIZE // 4 // 1024 // 3, 1024))
    array = np.random.default_rng(0).random(SIZE // 4, dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "ours", Path(folder) / "theirs.npy"
        times = best_times(
            {
                "save": lambda: OutputLoader.save(recording, ours),
                "numpy.save": lambda: np.save(theirs, array),
                "load": lambda: OutputLoader.load(ours),
                "numpy.load": lambda: np.load(theirs),
            },
            5,
        )
        for name in ("save", "load"):
            ratio = times[name] / times[f"numpy.{name}"]
            report(f"{name}: times that of numpy.{name}", ratio, "< 5", ratio < 5)
            report(f"{name}: GB/s", SIZE / times[name] / 1e9, "", kept=True)


if __name__ == "__main__":
    main()
