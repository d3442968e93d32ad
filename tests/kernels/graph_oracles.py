"""Naive definitions of the graph Fourier kernels: what depends on what by trying, closures by matrix products."""

import numpy as np
import torch
from models import ZOO

from nbwidgets_nn.record._trees import first_tensor
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.steps import outputs_in, replay

MIXED = {"packed"}
"""Models of the zoo whose samples do not lie apart: recorded with one."""


def record(case, samples=None):
    torch.manual_seed(0)
    x = case.make_input()
    if case.name in MIXED:
        samples = 1
    if samples is not None and isinstance(x, torch.Tensor):
        x = x[:samples]
    return Activations(case.make(), x)


def recorded_zoo():
    return [(case.name, case) for case in ZOO]


def closure(A):
    """Multiply until nothing changes: (n, n) zeros and ones."""
    W = np.eye(len(A)) + (A != 0)
    while True:
        longer = ((W @ W) > 0).astype(float)
        if (longer == W).all():
            return W
        W = longer


def tried_adjacency(recording, layers, tries=6):
    """Find what depends on what by changing one unit at a time: (n, n), of a recording of one sample.

    Of the layers named; each is run on other values, made positive so that little is switched off.
    """
    names = [name for name in recording if recording[name].output is not None]
    sizes = {name: recording[name].output.numel() for name in names}
    starts = dict(zip(names, np.cumsum([0, *sizes.values()]), strict=False))
    A = np.zeros((sum(sizes.values()),) * 2)
    generator = torch.Generator().manual_seed(0)
    for name in layers:
        layer = recording[name]
        leaves = [leaf for origin in layer.origins for leaf in outputs_in(origin)]
        for _ in range(tries):
            values = {
                (leaf.layer, leaf.index): torch.rand(leaf.shape, generator=generator) * 2 - 0.5
                for leaf in leaves
            }

            before = _outputs_of(layer, values)
            for (source, index), tensor in values.items():
                if index or source not in starts:
                    continue
                for unit in range(tensor.numel()):
                    changed = tensor.clone()
                    changed.view(-1)[unit] += 2.0
                    after = _outputs_of(layer, {**values, (source, index): changed})
                    rows = starts[name] + np.flatnonzero((after != before).numpy())
                    A[rows, starts[source] + unit] = 1
    return A


def _outputs_of(layer, values):
    """Run a layer, and the functions before it, on other values."""
    inputs = [replay(origin, lambda leaf: values[leaf.layer, leaf.index]) for origin in layer.origins]
    with torch.no_grad():
        returned, _ = first_tensor(layer.module(*inputs))
        return returned.double().flatten()


def vector(recording):
    return np.array(recording.to_vector())
