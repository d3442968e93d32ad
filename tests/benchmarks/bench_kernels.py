"""Correlation and clustering against their peers, in one process, as ratios with the bounds they must keep.

    python tests/benchmarks/bench_kernels.py

Times are the best of several alternating rounds, so that a neighbour's load falls on all alike. Memory is the growth
of the peak resident set while the kernel runs.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from measuring import best_times, peak_growth, report
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from nbwidgets_nn.kernels.clustering import create_correlation_clusters
from nbwidgets_nn.kernels.correlation import corrcoef


def bench_correlation(samples: int = 10_000, units: int = 3_072, rounds: int = 5) -> bool:
    """Run `corrcoef` against torch, and float64 NumPy for the values."""
    print(f"corrcoef, {samples:,} samples x {units:,} units, float32")
    X = torch.randn(samples, units, generator=torch.Generator().manual_seed(0))
    extra = peak_growth(lambda: corrcoef(X, rowvar=False)) / (X.nbytes + 4 * units**2)
    functions = {
        "ours": lambda: corrcoef(X, rowvar=False),
        "X.T @ X": lambda: X.T @ X,
        "torch.corrcoef": lambda: torch.corrcoef(X.T),
    }
    seconds = best_times(functions, rounds)
    print("  " + ", ".join(f"{name} {taken:.3f} s" for name, taken in seconds.items()))
    # The symmetric product alone, were it to run at the speed of X.T @ X: no exact method is much faster.
    floor = seconds["torch.corrcoef"] / (seconds["X.T @ X"] / 2)
    print(f"  (half of X.T @ X and nothing else would be {floor:.2f} times as fast as torch.corrcoef)")
    exact = np.corrcoef(X.numpy().astype(np.float64), rowvar=False)
    error = float(np.abs(corrcoef(X, rowvar=False).numpy() - exact).max())
    bare, peer = seconds["ours"] / seconds["X.T @ X"], seconds["torch.corrcoef"] / seconds["ours"]
    kept = [
        report("time over that of X.T @ X", bare, "<= 0.6", bare <= 0.6),
        report("times as fast as torch.corrcoef", peer, ">= 2.5", peer >= 2.5),
        report("largest difference from float64 np.corrcoef", error, "<= 1e-5", error <= 1e-5),
        report("extra memory over input + result", extra, "< 1.5", extra < 1.5),
    ]
    return all(kept)


def clusters_of_the_seed(X: np.ndarray, threshold: float) -> np.ndarray:
    """Cluster as the seed system does, in float64."""
    corr = np.nan_to_num(np.corrcoef(X.T))
    corr = (corr + corr.T) / 2
    np.fill_diagonal(corr, 1)
    tree = linkage(squareform(1 - np.abs(corr)), method="average")
    return fcluster(tree, threshold, criterion="distance")


def bench_clustering(samples: int = 5_000, units: int = 4_096, rounds: int = 3) -> bool:
    """Run `create_correlation_clusters` against the seed's way."""
    print(f"create_correlation_clusters, {samples:,} samples x {units:,} units, float32")
    X = redundant_units(samples, units)
    functions = {
        "ours": lambda: create_correlation_clusters(X),
        "seed": lambda: clusters_of_the_seed(X, 0.5),
    }
    seconds = best_times(functions, rounds)
    print("  " + ", ".join(f"{name} {taken:.3f} s" for name, taken in seconds.items()))
    faster = seconds["seed"] / seconds["ours"]
    same = same_partition(create_correlation_clusters(X), clusters_of_the_seed(X, 0.5))
    return all(
        [
            report("times as fast as the seed's way", faster, ">= 2.5", faster >= 2.5),
            report("same partition", same, "= 1", same),
        ]
    )


def redundant_units(samples: int, units: int) -> np.ndarray:
    """Make units that follow a few hundred directions, each to a degree of its own, as those of a trained layer do."""
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((samples, units // 10), dtype=np.float32)
    noise = rng.standard_normal((samples, units), dtype=np.float32)
    return (
        directions[:, rng.integers(0, units // 10, units)]
        + rng.uniform(0.1, 2, units).astype(np.float32) * noise
    )


def same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    """Are two labellings the same but for the names of the labels?"""
    pairs = np.unique(np.stack([a, b]), axis=1).shape[1]
    return pairs == len(np.unique(a)) == len(np.unique(b))


def main() -> int:
    """Run both; 1 if a bound is missed."""
    kept = [bench_correlation(), bench_clustering()]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
