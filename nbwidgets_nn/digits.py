"""The example: scikit-learn's 1,797 real digits and a network small enough to train in seconds."""

from __future__ import annotations

import torch
from torch import nn

from nbwidgets_nn._progress import bar

HELD_OUT = 360


def load_images() -> tuple[torch.Tensor, torch.Tensor]:
    """Return the images as (1797, 1, 8, 8) in [0, 1] and their labels (1797,); needs scikit-learn.

    The last 360 are the ones that `train` holds out.
    """
    try:
        from sklearn.datasets import load_digits  # noqa: PLC0415 - only the example needs it
    except ImportError as error:
        raise ImportError('the digits come with scikit-learn: pip install "nbwidgets_nn[demo]"') from error
    data = load_digits()
    return torch.tensor(data.images / 16, dtype=torch.float32)[:, None], torch.tensor(data.target)


def new_network(seed: int = 0, hidden: int = 64) -> nn.Sequential:
    """Return an untrained convolutional classifier with named layers; ``hidden`` units are more than it needs."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = nn.Sequential()
        for name, module in (
            ("conv1", nn.Conv2d(1, 16, 3, padding=1)),
            ("relu1", nn.ReLU()),
            ("pool1", nn.MaxPool2d(2)),
            ("conv2", nn.Conv2d(16, 32, 3, padding=1)),
            ("relu2", nn.ReLU()),
            ("pool2", nn.MaxPool2d(2)),
            ("flatten", nn.Flatten()),
            ("hidden", nn.Linear(128, hidden)),
            ("relu3", nn.ReLU()),
            ("out", nn.Linear(hidden, 10)),
        ):
            network.add_module(name, module)
    return network


def train(
    network: nn.Module, images: torch.Tensor, labels: torch.Tensor, *, epochs: int = 15, seed: int = 0
) -> float:
    """Train on all but the last 360 images and return the accuracy on those."""
    shuffle = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    known = len(images) - HELD_OUT
    network.train()
    for _ in bar(range(epochs), "training", "epoch"):
        for batch in torch.randperm(known, generator=shuffle).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(images[batch]), labels[batch]).backward()
            optimizer.step()
    network.eval()
    return accuracy(network, images[known:], labels[known:])


@torch.no_grad()
def accuracy(network: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Return the share of images that the network labels rightly."""
    return (network(images).argmax(dim=1) == labels).float().mean().item()
