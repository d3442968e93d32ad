"""Skip connections as edges."""

import torch
from models import Skip
from torch import nn

import nbwidgets_nn as nw


def test_skip_of_the_zoo():
    torch.manual_seed(0)
    t = nw.triplets(Skip(), torch.randn(2, 1, 8, 8))
    addition = t["same.add"]
    assert tuple(addition.shape) == (2, 512, 256, 3)
    h, convolved = addition.source.chunk(2, dim=1)
    assert {id_of(h), id_of(convolved)} == {id_of(t["conv2"].source), id_of(t["conv2"].target)}
    assert torch.equal(h + convolved, t["same"].source)
    assert list(t).index("same.add") == list(t).index("same") - 1


def id_of(values):
    return tuple(values.flatten()[:20].tolist())


class Block(nn.Module):
    """A residual block as ResNet has it: in place, a reused ReLU behind the addition."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2)
        self.conv2, self.down, self.relu = (
            nn.Conv2d(2, 2, 3, padding=1),
            nn.Conv2d(2, 2, 1),
            nn.ReLU(inplace=True),
        )

    def forward(self, x):
        out = self.conv2(self.relu(self.bn1(self.conv1(x))))
        out += self.down(x)
        return self.relu(out)


def test_residual_block():
    t = nw.triplets(Block(), torch.randn(2, 2, 4, 4))
    assert list(t) == ["conv1", "bn1", "conv2", "down", "relu:1.add"]
    assert torch.equal(t["relu:1.add"].source[:, :32], t["conv2"].target)
    assert torch.equal(t["relu:1.add"].source[:, 32:], t["down"].target)
    assert "Add, shape (2, 64, 32, 3), 64 edges" in repr(t["relu:1.add"])
