"""Graphs of units and their Fourier transforms, against the package nsp in one process, and by themselves at scale.

    python tests/benchmarks/bench_fourier.py

nsp takes hours from some thousand nodes on, so it is run on the small network alone.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise

import nsp
import numpy as np
import torch
from measuring import best_times, peak_growth, report
from scipy import linalg, sparse
from torch import nn

import nbwidgets_nn as nw
from nbwidgets_nn.kernels.graph.closure import BitClosure
from nbwidgets_nn.kernels.graph.decomposition import decomposed
from nbwidgets_nn.kernels.graph.laplacian import fixed_basis

MEGABYTE = 2**20


def seconds(function: Callable) -> tuple[float, object]:
    """Time one run."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def dense(*sizes: int) -> nn.Sequential:
    """Make a network of Linear layers."""
    torch.manual_seed(0)
    return nn.Sequential(*(nn.Linear(a, b) for a, b in pairwise(sizes)))


def lenet() -> tuple[nn.Module, torch.Tensor]:
    """Make a LeNet for 28 x 28 pixels, with activations as layers of their own."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(256, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    return network, torch.randn(1, 1, 28, 28)


def convolutional(size: int) -> tuple[nn.Module, torch.Tensor]:
    """Make a residual-free VGG-like network; about a million units at size 80."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    channels = 3
    for width, pools in ((16, False), (16, True), (32, False), (32, True), (64, True)):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if pools else []
        channels = width
    layers += [nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(1024, 10)]
    return nn.Sequential(*layers), torch.randn(1, 3, size, size)


def zeroed(size: int) -> tuple[nn.Module, torch.Tensor]:
    """Make the convolutional network with one weight in twenty 0."""
    network, x = convolutional(size)
    for weight in network.parameters():
        if weight.dim() > 1:
            weight.data[torch.rand(weight.shape) < 0.05] = 0
    return network, x


def graph_and_transform(recording: nw.Activations, kind: str = "standard", INCL: bool = True) -> object:
    """Do what a user does first."""
    return nw.NNGraph(recording, INCL).transform(recording, kind)


def bench_against_nsp() -> list[bool]:
    """Run an MLP of 398 nodes in both."""
    print("MLP 196-128-64-10: graph and first transform")
    network, x = dense(196, 128, 64, 10), torch.randn(1, 196)
    recording = nw.Activations(network, x)
    with torch.no_grad():
        theirs = nsp.Activations(network, x)
    ours = best_times({"ours": lambda: graph_and_transform(recording)}, rounds=5)["ours"]
    graph = nw.NNGraph(recording)
    taken, their_spectrum = seconds(lambda: nsp.NNGraph(theirs).transform(theirs))
    spectrum = np.array(graph.transform(recording).to_vector())
    off = np.abs(spectrum - their_spectrum.to_vector()).max() / np.abs(spectrum).max()
    print(f"  {graph.n_nodes} nodes, {graph.n_edges:,} edges: ours {1000 * ours:.2f} ms, nsp {taken:.2f} s")
    return [
        report("times as fast as nsp", taken / ours, ">= 200", taken / ours >= 200),
        report("largest difference, of the largest coefficient", off, "<= 1e-5", off <= 1e-5),
    ]


def alone(what: str) -> list[float]:
    """Run one part in a process of its own, as an earlier peak of memory would hide it; returns the numbers it prints."""
    command = [sys.executable, "-W", "ignore", __file__, what]
    return [
        float(word)
        for word in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    ]


def run_alone(what: str) -> None:
    """Print nodes, edges, seconds of each kind and megabytes, behind a small network that loads what is needed."""
    network, x = {"convolutional": lambda: convolutional(80), "lenet": lenet, "zeroed": lambda: zeroed(36)}[
        what
    ]()
    is_zeroed = what == "zeroed"
    kinds = ("standard", "weighted") if what == "convolutional" else ("standard",)
    network.eval()
    small = nw.Activations(dense(3, 2), torch.zeros(1, 3))
    for kind in kinds:
        graph_and_transform(small, kind)
    if is_zeroed:
        BitClosure(sparse.csr_array(np.tri(3, k=-1))).solve(np.ones((1, 3)))
    recording = nw.Activations(network, x)
    graph = nw.NNGraph(recording)
    taken: list[float] = []

    def run() -> None:
        taken.extend(
            seconds(lambda kind=kind: graph_and_transform(recording, kind, not is_zeroed))[0]
            for kind in kinds
        )

    memory = peak_growth(run) / MEGABYTE
    print(graph.n_nodes, graph.n_edges, *taken, memory)


def bench_large() -> list[bool]:
    """Run a LeNet and a network of a million units."""
    print("LeNet on 28 x 28, first standard transform")
    nodes, edges, taken, memory = alone("lenet")
    print(
        f"  {nodes:,.0f} nodes, {edges:,.0f} edges; a matrix of them would have {nodes**2 * 8 / 1e6:,.0f} MB"
    )
    kept = [
        report("seconds", taken, "< 1", taken < 1),
        report("memory in MB", memory, "< 300", memory < 300),
    ]
    print("convolutional network of a million units")
    nodes, edges, standard, weighted, memory = alone("convolutional")
    print(f"  {nodes:,.0f} nodes, {edges:,.0f} edges")
    return [
        *kept,
        report("standard, seconds", standard, "<= 5", standard <= 5),
        report("weighted, seconds", weighted, "<= 5", weighted <= 5),
        report("memory of both in MB", memory, "<= 1000", memory <= 1000),
    ]


def bench_zeroed() -> list[bool]:
    """Run a network whose zero weights and losers of max pooling are left out, so that no product tells its ancestors."""
    print("convolutional network without its zero weights, INCL=False")
    nodes, _, taken, memory = alone("zeroed")
    print(f"  {nodes:,.0f} nodes; bits for each pair of them would have {nodes**2 / 8e6:,.0f} MB")
    return [
        report("standard with the graph, seconds", taken, "<= 10", taken <= 10),
        report("memory in MB", memory, "<= 1000", memory <= 1000),
    ]


def bench_laplacian() -> list[bool]:
    """Decompose Laplacians by symmetry, and one of them as one problem."""
    print("all frequencies of the Laplacian of dense networks")
    recording = nw.Activations(dense(784, 2000, 2000, 10), torch.randn(1, 784))
    taken, _ = seconds(lambda: graph_and_transform(recording, "laplacian"))
    L = nw.NNGraph(nw.Activations(dense(196, 500, 500, 10), torch.randn(1, 196))).laplacian()
    times = best_times(
        {
            "by symmetry": lambda: decomposed(L),
            "one problem": lambda: fixed_basis(*linalg.eigh(L.toarray(), driver="evd")),
        },
        rounds=2,
    )
    ratio = times["one problem"] / times["by symmetry"]
    return [
        report("784-2000-2000-10 with the graph, seconds", taken, "<= 15", taken <= 15),
        report("196-500-500-10: times as fast as one problem", ratio, ">= 5", ratio >= 5),
    ]


def bench_dense() -> list[bool]:
    """Run ten dense layers of 3,000."""
    print("ten dense layers of 3,000, 90 million weights")
    network, x = dense(*[3000] * 11), torch.randn(1, 3000)
    recording = nw.Activations(network, x)
    graph = nw.NNGraph(recording)
    graph.transform(recording, "weighted")  # compares the weights with the recording, once
    exact = [layer.weight.detach().double() for layer in network]

    def forward() -> None:
        values = x.double()
        for weight in exact:
            values = values @ weight.T

    times = best_times(
        {
            "standard": lambda: graph_and_transform(recording),
            "weighted": lambda: graph.transform(recording, "weighted"),
            "forward": forward,
        },
        rounds=7,
    )
    print("  " + ", ".join(f"{name} {1000 * taken:.1f} ms" for name, taken in times.items()))
    ratio = times["weighted"] / times["forward"]
    return [
        report("standard with the graph, seconds", times["standard"], "< 0.1", times["standard"] < 0.1),
        report("weighted over a forward pass in float64", ratio, "<= 1.5", ratio <= 1.5),
    ]


def bench_growth() -> list[bool]:
    """Show over three sizes that standard grows with the units and weighted with the edges."""
    print("growth of the cost over three sizes")
    standard, units = [], []
    for size in (96, 136, 192):
        network, x = convolutional(size)
        recording = nw.Activations(network.eval(), x)
        graph = nw.NNGraph(recording)
        units.append(graph.n_nodes)
        standard.append(best_times({"it": lambda g=graph, r=recording: g.transform(r)}, rounds=7)["it"])
    weighted, edges = [], []
    for width in (1500, 2121, 3000):
        recording = nw.Activations(dense(*[width] * 5), torch.randn(1, width))
        graph = nw.NNGraph(recording)
        edges.append(graph.n_edges)
        weighted.append(
            best_times({"it": lambda g=graph, r=recording: g.transform(r, "weighted")}, rounds=5)["it"]
        )
    print(
        "  standard: "
        + ", ".join(f"{n / 1e6:.2f} M units {t:.2f} s" for n, t in zip(units, standard, strict=True))
    )
    print(
        "  weighted: "
        + ", ".join(f"{n / 1e6:.0f} M edges {t:.3f} s" for n, t in zip(edges, weighted, strict=True))
    )
    powers = [
        float(np.polyfit(np.log(sizes), np.log(times), 1)[0])
        for sizes, times in ((units, standard), (edges, weighted))
    ]
    return [
        report(
            "standard: power of the units that the cost grows with", powers[0], "<= 1.3", powers[0] <= 1.3
        ),
        report(
            "weighted: power of the edges that the cost grows with", powers[1], "<= 1.3", powers[1] <= 1.3
        ),
    ]


def main() -> int:
    """Run all; 1 if a bound is missed."""
    kept = (
        bench_large()
        + bench_zeroed()
        + bench_against_nsp()
        + bench_laplacian()
        + bench_dense()
        + bench_growth()
    )
    return 0 if all(kept) else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run_alone(sys.argv[1])
    else:
        sys.exit(main())
