"""What the explorer says of a whole recording, and what must fit to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from nbwidgets_nn._arrays import expected
from nbwidgets_nn._words import plural
from nbwidgets_nn.record.activations import Activations


def default_layer(recording: Activations) -> str:
    """Choose the last layer before the output that has several units: where redundancy is worth a look."""
    calls = [name for name in recording if recording[name].module is not None]
    hidden = [name for name in calls[:-1] if recording[name].units > 1]
    return hidden[-1] if hidden else recording.layernames[-1]


def subtitle(recording: Activations) -> str:
    """Say how much there is of samples, layers and parameters."""
    parameters = sum(p.numel() for p in recording.network.parameters())
    layers = sum(recording[name].module is not None for name in recording)
    samples = sample_count(recording)
    return f"{samples:,} samples · {plural(layers, 'layer')} · {parameters:,} parameters"


def sample_count(recording: Activations) -> int:
    """Return how many samples were recorded, along the first axis of the input."""
    return (recording["input"].output_shape or (0,))[0]


def checked_target(target: Sequence[Any] | None, samples: int) -> np.ndarray | None:
    """Return the labels as an array; ValueError if there is not one for each sample."""
    if target is None:
        return None
    labels = np.asarray(target.detach().cpu() if isinstance(target, torch.Tensor) else target)
    if labels.ndim != 1 or len(labels) != samples:
        raise ValueError(
            expected("target", f"one label a sample: {samples} samples", f"shape {labels.shape}")
        )
    return labels
