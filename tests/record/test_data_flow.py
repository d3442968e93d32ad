"""Who feeds whom, against edges written down by hand."""

from itertools import pairwise

import pytest
import torch
from models import ZOO
from torch import nn
from torch.nn import functional as F

from nbwidgets_nn.record.activations import Activations

CHAINS = {
    "sequential": "input 0 1 2",
    "weight shared": "input first first:1",
    "functional": "input conv fc1 fc2 fc3",
    "reused relu": "input fc1 relu fc2 relu:1",
    "reused linear": "input step step:1 step:2",
    "in place": "input fc1 relu fc2 fc3",
    "stateful": "input fc norm drop",
    "custom function": "input a b",
    "recurrent": "input lstm gru head",
    "packed": "input gru head",
    "parametrised": "input a b",
    "scripted": "input fc script",
    "channels moved": "input conv norm wide act narrow back pool",
    "user hooks": "input a b",
    "layer called input": "input input:1 output",
    "catches": "input right",
    "one dict": "input fc",
    "dataclass output": "input head last",
}
GRAPHS = {
    "skip": {
        ("input", "conv1"),
        ("conv1", "conv2"),
        *(("conv1", "same"), ("conv2", "same")),
        ("same", "drop"),
        # h from before Identity and dropout, and what came out of them
        *(("conv1", "head"), ("conv2", "head"), ("drop", "head")),
    },
    "branches": {
        *(("input", "gate"), ("input", "left"), ("input", "right")),
        *(("left", "merge"), ("right", "merge"), ("gate", "merge")),
    },
    "two inputs": {("input", "a"), ("input:y", "b"), ("a", "out"), ("b", "out")},
    "in place through a view": {("input", "a"), ("input", "b"), ("a", "c"), ("b", "c")},
    "tokens": {("input", "tokens"), ("tokens", "norm"), ("positions", "norm"), ("norm", "head")},
    "keywords": {
        ("input", "tokens"),
        ("input:attention_mask", "norm"),
        ("tokens", "norm"),
        ("positions", "norm"),
        ("norm", "head"),
    },
    "attention": {
        ("input", "patches"),
        ("patches", "attention"),
        ("patches", "head"),
        ("attention", "head"),
    },
    "cell loop": {
        *(("input", "cell"), ("input", "cell:1"), ("input", "cell:2"), ("input", "cell:3")),
        *(("cell", "cell:1"), ("cell:1", "cell:2"), ("cell:2", "cell:3")),
    },
    "no tensor": {("input", "nothing"), ("input", "fc"), ("input", "number")},
    "through numpy": {("input", "a")},
    "complex and sparse": {("input", "spectrum"), ("input", "sparse"), ("spectrum", "fc"), ("sparse", "fc")},
}


def recorded(name):
    case = next(case for case in ZOO if case.name == name)
    return Activations(case.make(), case.make_input())


@pytest.mark.parametrize("name", CHAINS)
def test_chains(name):
    names = CHAINS[name].split()
    assert recorded(name).edges == list(pairwise(names))


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs(name):
    edges = recorded(name).edges
    assert set(edges) == GRAPHS[name]
    assert len(edges) == len(GRAPHS[name])


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_edges_point_forward_and_both_ends_agree(case):
    rec = Activations(case.make(), case.make_input())
    order = {name: place for place, name in enumerate(rec)}
    for source, target in rec.edges:
        assert order[source] < order[target]
        assert target in rec[source].feeds
        assert source in rec[target].fed_by
    assert sum(len(rec[name].feeds) for name in rec) == len(rec.edges)


class Between(nn.Module):
    """Two layers `a` and `b` whose outputs meet in a function before `last`."""

    def __init__(self, function):
        super().__init__()
        self.a, self.b, self.last, self.function = nn.Linear(4, 4), nn.Linear(4, 4), nn.Identity(), function

    def forward(self, x):
        return self.last(self.function(self.a(x), self.b(x)))


def set_item(a, b):
    a[1:, 0] = b[1:, 0]
    return a


def write_to_view_of_view(a, b):
    a[1:][:, 1:].add_(b[1:, 1:])
    return a


def read_view_made_before(a, b):
    view = a.view(-1)
    a.add_(b)
    return view


def overwrite(a, b):
    return a.copy_(b)


def into_buffer(a, b):
    out = torch.zeros(4, 8)
    out[:, :4] = a
    torch.mul(b, 2, out=out[:, 4:])
    return out


def free_and_reuse_ids(a, b):
    for _ in range(50):
        torch.zeros(4, 4) + a  # the results die at once, and their ids are used again
    return b * torch.ones(4, 4)


def one_half_of_chunks(a, b):
    left, right = (a + 0).chunk(2)
    left.add_(b[:2])
    return right


FUNCTIONS = {
    "+": (lambda a, b: a + b, "ab"),
    "matmul": (lambda a, b: a @ b.T, "ab"),
    "cat": (lambda a, b: torch.cat((a, b)), "ab"),
    "stack of a list": (lambda a, b: torch.stack([a, b])[0], "ab"),
    "where": (lambda a, b: torch.where(a > 0, 1.0, b), "ab"),
    "einsum": (lambda a, b: torch.einsum("ij,kj->ik", a, b), "ab"),
    "keyword argument": (lambda a, b: torch.add(input=a, other=b), "ab"),
    "max of both": (lambda a, b: torch.maximum(a, b).max(dim=1).values, "ab"),
    "index": (lambda a, b: a[b.argmax(1)], "ab"),
    "+=": (lambda a, b: a.__iadd__(b), "ab"),
    "set item": (set_item, "ab"),
    "write to a view of a view": (write_to_view_of_view, "ab"),
    "view made before the write": (read_view_made_before, "ab"),
    "into a buffer, out=": (into_buffer, "ab"),
    "attention": (lambda a, b: F.scaled_dot_product_attention(a[None], b[None], b[None]), "ab"),
    "only a": (lambda a, b: a.flatten().unflatten(0, (4, 4)).relu(), "a"),
    "only the shape of b": (lambda a, b: a.view_as(b) + torch.zeros_like(b) + b.new_ones(4), "a"),
    "copy_": (overwrite, "b"),
    "out=": (lambda a, b: torch.mul(b, 2, out=a), "b"),
    "ids used again": (free_and_reuse_ids, "b"),
    "the other chunk": (one_half_of_chunks, "a"),
    "neither": (lambda a, b: torch.ones(4, 4), ""),
}


@pytest.mark.parametrize(("function", "sources"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_functions_between_layers(function, sources):
    rec = Activations(Between(function), torch.randn(4, 4))
    assert rec["last"].fed_by == tuple(sources)


@pytest.mark.parametrize(
    "out_of_sight",
    [torch.vmap(torch.dot), lambda a, b: torch.from_numpy(a.numpy())],
    ids=["vmap", "numpy"],
)
def test_what_torch_does_not_report_is_said_to_be_unknown(out_of_sight):
    rec = Activations(Between(out_of_sight), torch.randn(4, 4))
    assert rec["last"].fed_by == ()
    assert "what feeds it is not known" in rec["last"].note


class LooksBack(nn.Module):
    """Reads the value from before an in-place ReLU, an untouched one and a modified one."""

    def __init__(self, inplace):
        super().__init__()
        self.a, self.relu, self.last = nn.Linear(4, 4), nn.ReLU(inplace), nn.Identity()

    def forward(self, x):
        h = self.a(x)
        self.relu(h)
        return self.last(h)


@pytest.mark.parametrize(("inplace", "source"), [(False, "a"), (True, "relu")])
def test_an_in_place_module_is_the_source_of_the_tensor_it_changed(inplace, source):
    assert Activations(LooksBack(inplace), torch.randn(4, 4))["last"].fed_by == (source,)


def test_an_in_place_module_on_a_view_reaches_the_tensor_behind_it():
    class Net(LooksBack):
        def forward(self, x):
            h = self.a(x)
            self.relu(h.view(-1))
            return self.last(h)

    assert "relu" in Activations(Net(inplace=True), torch.randn(4, 4))["last"].fed_by


def test_a_tuple_that_passes_the_input_on_leaves_its_source():
    class PassOn(nn.Module):
        def forward(self, x, mask):
            return x * 2, mask

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.masks, self.block, self.x, self.mask = (
                nn.Linear(4, 4),
                PassOn(),
                nn.Identity(),
                nn.Identity(),
            )

        def forward(self, x):
            x, mask = self.block(x, self.masks(x))
            return self.x(x), self.mask(mask)

    rec = Activations(Net(), torch.randn(4, 4))
    assert rec["x"].fed_by == ("block",)
    assert rec["mask"].fed_by == ("masks",)
