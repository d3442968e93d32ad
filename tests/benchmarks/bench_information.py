"""Effective information against the deep-ei package, in one process, as ratios with the bounds they must keep.

    python tests/benchmarks/bench_information.py

deep-ei's own `topology_of` fails on current networkx, so its graph is built by hand.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import deep_ei
import networkx as nx
import numpy as np
import torch
from measuring import best_times, peak_growth, report
from torch import nn

import nbwidgets_nn as nw

MEGABYTE = 2**20


class Layer:
    """One sigmoid layer, and how to ask each package about it."""

    def __init__(self, inputs: int, outputs: int, weights: np.ndarray | None = None) -> None:
        torch.manual_seed(0)
        self.module = nn.Linear(inputs, outputs, bias=weights is None)
        if weights is not None:
            self.module.weight.data = torch.tensor(weights, dtype=torch.float32)
        sigmoid = nn.Sigmoid()
        network = nn.Sequential(sigmoid, self.module, sigmoid)
        self.topology = nw.topology_of(network, torch.zeros(1, inputs))
        self.their_topology = nx.DiGraph()
        ends = {
            "input": {"activation": sigmoid, "shape": (1, inputs)},
            "output": {"activation": sigmoid, "shape": (1, outputs)},
        }
        self.their_topology.add_node(self.module, **ends)

    def ours(self, function: Callable, **settings: object) -> object:
        """Ask nbwidgets_nn."""
        return function(self.module, self.topology, in_range=(0, 1), **settings)

    def theirs(self, function: Callable, **settings: object) -> object:
        """Ask deep-ei."""
        return function(self.module, self.their_topology, in_range=(0, 1), **settings)


def seconds(function: Callable) -> tuple[float, object]:
    """Time one run of something that takes long."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def bench_matrices() -> list[bool]:
    """Run both matrices of a 64 -> 32 layer."""
    print("matrices of a 64 -> 32 sigmoid layer, 64 bins")
    layer, pairs, draws = Layer(64, 32), 64 * 32, 100_000
    ours = best_times(
        {
            "exact": lambda: layer.ours(nw.ei_parts_matrix),
            "sampled": lambda: layer.ours(nw.ei_parts_matrix, samples=draws),
            "sensitivity": lambda: layer.ours(nw.sensitivity_matrix),
        },
        rounds=5,
    )
    # A batch of 1,000: at its default of 20 the package is slower still.
    parts, _ = seconds(lambda: layer.theirs(deep_ei.ei_parts_matrix, samples=draws, batch_size=1000))
    alone, _ = seconds(lambda: layer.theirs(deep_ei.sensitivity_matrix, samples=20_000, batch_size=1000))
    print("  ours " + ", ".join(f"{name} {1000 * taken:.1f} ms" for name, taken in ours.items()))
    print(f"  deep-ei: EI {parts:.2f} s ({draws:,} draws), sensitivity {alone:.2f} s (20,000 draws)")
    exact, sampled, sensitivity = parts / ours["exact"], parts / ours["sampled"], alone / ours["sensitivity"]
    each = ours["sampled"] / pairs / draws * 1e9
    return [
        report("ei_parts_matrix exact, times as fast as deep-ei", exact, ">= 50", exact >= 50),
        report("the same by 100,000 draws, times as fast", sampled, ">= 20", sampled >= 20),
        report("ns per pair and draw", each, "<= 1", each <= 1),
        report("sensitivity_matrix, times as fast", sensitivity, ">= 200", sensitivity >= 200),
    ]


def golden(inputs: int, outputs: int, scale: float) -> np.ndarray:
    """Weights scale * cos(1 + k * inputs + i): row k, column i."""
    return scale * np.cos(1 + np.arange(outputs)[:, None] * inputs + np.arange(inputs))


def bench_vector() -> list[bool]:
    """Run the vector EI of a 6 -> 6 layer to 0.02 bits."""
    print("vector EI of the golden 6 -> 6 sigmoid layer, 64 bins")
    layer = Layer(6, 6, golden(6, 6, 1.0))
    layer.ours(nw.ei, samples=10_000)  # compiles
    took, found = seconds(lambda: layer.ours(nw.ei, threshold=0.0019, return_result=True))
    _, long = seconds(lambda: layer.ours(nw.ei, samples=2**22, seed=1, return_result=True))
    their_time, theirs = seconds(lambda: layer.theirs(deep_ei.ei))
    off = abs(found.value - long.value)
    print(
        f"  ours {found.value:.3f} ± {found.standard_error:.3f} bits in {took:.2f} s; 4 million draws: {long.value:.3f} ± {long.standard_error:.3f}"
    )
    print(f"  deep-ei {theirs:.3f} bits in {their_time:.2f} s: {theirs / long.value - 1:+.0%}")
    return [
        report("standard error, bits", found.standard_error, "<= 0.02", found.standard_error <= 0.02),
        report("difference from the long run, bits", off, "<= 0.08", off <= 0.08),
        report("time over deep-ei's default", took / their_time, "<= 1", took <= their_time),
    ]


def memory_alone(samples: int | None) -> float:
    """Measure in a process of its own the megabytes that 784 -> 512 adds to the peak: an earlier peak would hide it.

    A small layer goes first, so that compiled code and libraries are not counted.
    """
    command = [sys.executable, "-W", "ignore", __file__, "memory", str(samples or 0)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def print_memory(samples: int | None) -> None:
    """Print what `memory_alone` reads."""
    Layer(32, 16).ours(nw.ei_parts_matrix, samples=samples and 5000)
    large = Layer(784, 512)
    print(peak_growth(lambda: large.ours(nw.ei_parts_matrix, samples=samples)) / MEGABYTE)


def bench_large() -> list[bool]:
    """Run 784 -> 512 exactly, and smaller ones to see how the cost grows."""
    print("784 -> 512 sigmoid layer, 64 bins")
    sampled_memory, memory = (memory_alone(samples) for samples in (100_000, None))
    times, sizes = [], (128, 256, 512)
    for outputs in sizes:
        layer = Layer(784, outputs)
        times.append(seconds(lambda layer=layer: layer.ours(nw.ei_parts_matrix))[0])
    print("  exact: " + ", ".join(f"784 -> {n} {t:.1f} s" for n, t in zip(sizes, times, strict=True)))
    growth = [times[k + 1] / times[k] for k in range(2)]
    return [
        report("exact, seconds", times[-1], "<= 60", times[-1] <= 60),
        report("exact, memory in MB", memory, "< 1000", memory < 1000),
        report("time for twice the pairs, larger of two steps", max(growth), "<= 2.6", max(growth) <= 2.6),
        report("100,000 draws, memory in MB", sampled_memory, "< 200", sampled_memory < 200),
    ]


def main() -> int:
    """Run all; 1 if a bound is missed."""
    kept = bench_large() + bench_matrices() + bench_vector()
    return 0 if all(kept) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        print_memory(int(sys.argv[2]) or None)
    else:
        sys.exit(main())
