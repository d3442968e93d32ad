"""Triplets against the third seed's repeat-and-cat, in one process, with the bounds they must keep.

    python tests/benchmarks/bench_triplets.py

Times are the best of several alternating rounds, so that a neighbour's load falls on all alike. Memory is the growth
of the peak resident set.
"""

from __future__ import annotations

import sys

import torch
from measuring import best_times, peak_growth, report
from torch import Tensor, nn

from nbwidgets_nn.kernels.layer_triplets import LayerTriplets
from nbwidgets_nn.kernels.triplets import triplets
from nbwidgets_nn.record.activations import Activations


def repeat_and_cat(source: Tensor, weight: Tensor, target: Tensor) -> Tensor:
    """Make the triplets as the seed's answer does."""
    batch = len(source)
    left = source[:, :, None, None].repeat(1, 1, target.shape[-1], 1)
    middle = weight.T[None, :, :, None].repeat(batch, 1, 1, 1)
    right = target[:, None, :, None].repeat(1, left.shape[1], 1, 1)
    return torch.cat([left, middle, right], -1)


def bench_lazy(batch: int = 64, inputs: int = 784, outputs: int = 512, rounds: int = 30) -> bool:
    """Make the lazy object from a recording that is there."""
    print(f"triplets of Linear({inputs}, {outputs}), batch {batch}, beyond the recording")
    recording = Activations(nn.Linear(inputs, outputs), torch.randn(batch, inputs))
    # Many of them, as an earlier peak could hide the memory of one.
    kept, many = [], 500
    extra = peak_growth(lambda: kept.extend(triplets(recording) for _ in range(many))) / many / 1e6
    seconds = best_times({"ours": lambda: triplets(recording)}, rounds)["ours"]
    return all(
        [
            report("milliseconds", seconds * 1e3, "< 1", seconds < 1e-3),
            report("extra memory, MB", extra, "< 1", extra < 1),
        ]
    )


def bench_materialize(batch: int = 64, inputs: int = 784, outputs: int = 512, rounds: int = 5) -> bool:
    """Make the whole tensor, and write it into a buffer."""
    print(f"materialize of Linear({inputs}, {outputs}), batch {batch}")
    layer = layer_of(batch, inputs, outputs)
    ends = layer.source, layer.weight, layer.target
    buffer = layer.materialize()
    functions = {
        "ours": layer.materialize,
        "into a buffer": lambda: layer.materialize(out=buffer),
        "repeat and cat": lambda: repeat_and_cat(*ends),
        "fill_": lambda: buffer.fill_(1),
    }
    seconds = best_times(functions, rounds)
    print("  " + ", ".join(f"{name} {taken:.3f} s" for name, taken in seconds.items()))
    same = torch.equal(layer.materialize(), repeat_and_cat(*ends))
    seed, ours, into = (seconds[name] for name in ("repeat and cat", "ours", "into a buffer"))
    share = seconds["fill_"] / into
    return all(
        [
            report("times as fast as repeat and cat", seed / ours, ">= 3", seed / ours >= 3),
            report("into a buffer, times as fast", seed / into, ">= 6", seed / into >= 6),
            report("bandwidth over that of fill_ on the buffer", share, ">= 0.3", share >= 0.3),
            report("same numbers", same, "= 1", same),
        ]
    )


def bench_top(batch: int = 32, units: int = 4_096, k: int = 10_000, rounds: int = 3) -> bool:
    """Find the strongest edges, with weights as they are drawn and with weights that rule out as little as can be."""
    print(f"top({k:,}) of Linear({units:,}, {units:,}), batch {batch}, by contribution")
    layer, even = layer_of(batch, units, units), even_layer(batch, units)
    extra = peak_growth(lambda: layer.top(k)) / 1e6
    seconds = best_times({"drawn": lambda: layer.top(k), "even": lambda: even.top(k)}, rounds)
    return all(
        [
            report("seconds", seconds["drawn"], "< 2", seconds["drawn"] < 2),
            report(
                "seconds, every input with one edge as strong", seconds["even"], "< 2", seconds["even"] < 2
            ),
            report("extra memory, MB", extra, "< 500", extra < 500),
        ]
    )


def even_layer(batch: int, units: int) -> LayerTriplets:
    """Return a Linear of which each input has one strong edge, equal ones but for little, and weaker ones."""
    linear = nn.Linear(units, units)
    linear.weight.data.uniform_(-0.5, 0.5)[0] = torch.linspace(1, 1.0001, units)
    x = torch.linspace(1, 1.0001, batch * units).reshape(batch, units)
    return triplets(linear, x)["Linear"]


def layer_of(batch: int, inputs: int, outputs: int) -> LayerTriplets:
    """Return the triplets of one Linear."""
    generator = torch.Generator().manual_seed(0)
    linear = nn.Linear(inputs, outputs)
    linear.weight.data.normal_(generator=generator)
    return triplets(linear, torch.randn(batch, inputs, generator=generator))["Linear"]


def main() -> int:
    """Run all; 1 if a bound is missed."""
    # The memory of `top` first: later peaks would hide it.
    kept = [bench_lazy(), bench_top(), bench_materialize()]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
