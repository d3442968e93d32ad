"""`Span` is do(): who reads the tensor that is set, and what else has which value."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from nbwidgets_nn.record.span import Span
from nbwidgets_nn.record.topology import topology_of


class Net(nn.Module):
    """Four layers; `run(net, x)` is the forward pass."""

    def __init__(self, run):
        super().__init__()
        self.a, self.b, self.c, self.last = (nn.Linear(4, 4) for _ in range(4))
        self.slim, self.wide = nn.Linear(2, 4), nn.Linear(8, 4)
        self.relu, self.token, self.run = nn.ReLU(inplace=True), nn.Parameter(torch.randn(1, 4)), run
        self.register_buffer("table", torch.randn(1, 4))
        self.plain = torch.randn(1, 4)

    def forward(self, x):
        return self.run(self, x)


class Do(NamedTuple):
    """The model, and `last` written out by hand when the tensor that `start` reads is v."""

    run: Callable
    by_hand: Callable
    start: str = "b"


def in_place_behind(m, x):
    h = m.a(x).relu()
    y = m.b(h)
    h.mul_(2)
    return m.last(y + h)


def in_place_before(m, x):
    h = m.a(x)
    early = m.c(h)
    h.relu_()
    return m.last(m.b(h) + early)


def view_made_before_the_write(m, x):
    h = m.a(x)
    view = h.view(-1, 2, 2)
    h.relu_()
    return m.last(m.b(h) + view.flatten(1))


def reads_what_was_read_before(m, x):
    h = m.a(x)
    early = m.c(h)
    return m.last(m.b(h) + early)


def reads_before_the_view(m, x):
    h = m.a(x)
    early = m.c(h)
    return m.last(m.b(h.view(-1, 2, 2).flatten(1)) + early)


def second_half(m, x):
    h = m.a(x).tanh()
    _, half = h.chunk(2, 1)
    return m.last(m.slim(half) + h)


def written_in_parts(m, x):
    h = torch.zeros(len(x), 4)
    h[:, :2] = m.a(x)[:, :2]
    h[:, 2:] = m.c(x)[:, 2:]
    return m.last(m.b(h) + h)


def through_numpy(m, x):
    h = torch.from_numpy(np.tanh(m.a(x).numpy()))
    return m.last(m.b(h))


def another_dtype(m, x):
    h = torch.view_as_real(torch.complex(m.a(x), m.c(x))).flatten(1)
    return m.last(m.wide(h) + h[:, :4])


def custom_function(m, x):
    h = Twice.apply(m.a(x))
    return m.last(m.b(h) + h)


def writes_into_its_input(m, x):
    x.mul_(3)
    return m.last(m.b(x) + x)


class Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2


CASES = {
    "skip connection": Do(
        lambda m, x: m.last(m.b(h := m.a(x).relu()) + h),
        lambda m, x, v: m.last(m.b(v) + v),
    ),
    "the input": Do(
        lambda m, x: m.last(m.b(x) + m.c(x)),
        lambda m, x, v: m.last(m.b(v) + m.c(v)),
    ),
    "an earlier reader": Do(reads_what_was_read_before, lambda m, x, v: m.last(m.b(v) + m.c(v))),
    "another branch keeps its value": Do(
        lambda m, x: m.last(m.b(m.a(x).relu()) * m.c(x).tanh()),
        lambda m, x, v: m.last(m.b(v) * m.c(x).tanh()),
    ),
    "a view of what the skip reads": Do(
        lambda m, x: m.last(m.b((h := m.a(x).relu()).view(-1, 2, 2).flatten(1)) + h),
        lambda m, x, v: m.last(m.b(v) + v),
    ),
    "an earlier reader of what it is a view of": Do(
        reads_before_the_view, lambda m, x, v: m.last(m.b(v) + m.c(v))
    ),
    "the skip reads a view": Do(
        lambda m, x: m.last(m.b(h := m.a(x).relu()) + h.T.T.detach()),
        lambda m, x, v: m.last(m.b(v) + v),
    ),
    "half of it": Do(
        second_half, lambda m, x, v: m.last(m.slim(v) + torch.cat([m.a(x).tanh()[:, :2], v], 1)), "slim"
    ),
    "written in place behind": Do(in_place_behind, lambda m, x, v: m.last(m.b(v) + 2 * v)),
    "written in place before": Do(in_place_before, lambda m, x, v: m.last(m.b(v) + m.c(m.a(x)))),
    "in-place module before": Do(
        lambda m, x: m.last(m.b(h := m.relu(m.a(x))) + h), lambda m, x, v: m.last(m.b(v) + v)
    ),
    "a view from before the write": Do(view_made_before_the_write, lambda m, x, v: m.last(m.b(v) + v)),
    "written in parts": Do(written_in_parts, lambda m, x, v: m.last(m.b(v) + v)),
    "the model writes into its input": Do(writes_into_its_input, lambda m, x, v: m.last(m.b(v) + v)),
    "dropout and Identity as functions": Do(
        lambda m, x: m.last(m.b(F.dropout(h := m.a(x).relu(), training=False)) + h),
        lambda m, x, v: m.last(m.b(v) + v),
    ),
    "negative values through a rectifier that has run": Do(
        lambda m, x: m.last(m.b(h := m.a(x).relu()) + h.relu()),
        lambda m, x, v: m.last(m.b(v) + v.relu()),
    ),
    "joined with another": Do(
        lambda m, x: m.last(m.wide(torch.cat([m.a(x), m.c(x)], 1)) + m.a(x)),
        lambda m, x, v: m.last(m.wide(v) + m.a(x)),
        "wide",
    ),
    "the same memory for every sample": Do(
        lambda m, x: m.last(m.b(m.a(x).mean(0, keepdim=True).expand(len(x), 4)) + x),
        lambda m, x, v: m.last(m.b(v) + x),
    ),
    "parameter": Do(
        lambda m, x: m.last(m.b(h := m.token.expand(len(x), 4)) + h + m.a(x)),
        lambda m, x, v: m.last(m.b(v) + v + m.a(x)),
    ),
    "memory of another dtype": Do(another_dtype, lambda m, x, v: m.last(m.wide(v) + v[:, :4]), "wide"),
    "custom function": Do(custom_function, lambda m, x, v: m.last(m.b(v) + v)),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("samples", [1, 3])
def test_against_the_model_written_by_hand(case, samples):
    torch.manual_seed(1)
    network = Net(case.run).eval()
    x = torch.randn(samples, 4)
    before = x.clone()
    width = getattr(network, case.start).in_features
    span = Span(topology_of(network, x), case.start, "last")
    for rows in (1, 2, 7, 2):
        v = torch.randn(rows, width)
        with torch.no_grad():
            expected = case.by_hand(network, x[:1].expand(rows, 4), v)
        torch.testing.assert_close(span(v).float(), expected)
    assert torch.equal(x, before)
    assert span.notes == ()


CONSTANTS = {
    "buffer": lambda m: m.table,
    "parameter": lambda m: m.token,
    "attribute": lambda m: m.plain,
}


class Gives(nn.Module):
    """A module that returns a tensor of its own."""

    def __init__(self, table):
        super().__init__()
        self.table = table

    def forward(self):
        return self.table


VIEWS = {
    "of an attribute": lambda m: m.plain[:],
    "of a parameter": lambda m: m.token.T.T,
    "of an attribute that is written to": lambda m: m.plain.mul_(1)[:],
    "from a module": lambda m: m.gives_plain(),
    "from a module, a parameter": lambda m: m.gives_token(),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_a_view_of_the_models_own_tensor_gives_way_to_another_tensor(view):
    def run(m, x):
        h = view(m)
        return m.last(m.b(h) + h + m.a(x))

    network = Net(run).eval()
    network.gives_plain, network.gives_token = Gives(network.plain), Gives(network.token)
    own = network.plain, network.token, network.table
    before = [tensor.clone() for tensor in own]
    span = Span(topology_of(network, torch.zeros(1, 4)), "b", "last")
    v = torch.randn(1, 4)
    with torch.no_grad():
        expected = network.last(network.b(v) + v + network.a(torch.zeros(1, 4)))
    torch.testing.assert_close(span(v).float(), expected)
    assert all(map(torch.equal, own, before))
    assert all("alone reads" not in note for note in span.notes)


@pytest.mark.parametrize("constant", CONSTANTS.values(), ids=CONSTANTS)
def test_the_models_own_tensors_are_never_written_to(constant):
    network = Net(lambda m, x: m.last(m.b(constant(m)) + constant(m) + m.a(x))).eval()
    before = constant(network).clone()
    span = Span(topology_of(network, torch.zeros(1, 4)), "b", "last")
    v = torch.randn(1, 4)
    with torch.no_grad():
        expected = network.last(network.b(v) + before + network.a(torch.zeros(1, 4)))
    torch.testing.assert_close(span(v).float(), expected)
    assert torch.equal(constant(network), before)
    assert "'b' alone reads the given values, as its input is a constant of the model" in span.notes[0]


def test_what_is_made_out_of_sight_is_set_for_the_first_call():
    network = Net(through_numpy)
    span = Span(topology_of(network, torch.zeros(1, 4)), "b", "last")
    v = torch.randn(3, 4)
    torch.testing.assert_close(span(v).float(), network.last(network.b(v)).detach())
    assert "made out of torch's sight" in span.notes[0]


class Caches(Net):
    """Fills a cache of its own in the first run with `key(x)`, with the functions of `make`."""

    def __init__(self, key, make):
        super().__init__(None)
        self.key, self.make, self.cache = key, make, {}

    def forward(self, x):
        key = self.key(x)
        if key not in self.cache:
            self.cache[key] = self.make(self, x)
        h = self.a(x)
        return self.last(self.b(h) + h * self.cache[key][:1])


CACHES = {
    "another number of functions": lambda m, x: m.token.exp().sqrt().square(),
    "a fresh tensor like the one to be set": lambda m, x: m.token.expand(len(x), 4).contiguous(),
    "a fresh tensor in place of the one to be set": lambda m, x: torch.full((len(x), 4), 0.3),
    "a view of a weight in place of it": lambda m, x: m.token[:],
}


@pytest.mark.parametrize("make", CACHES.values(), ids=CACHES)
@pytest.mark.parametrize("key", [lambda x: 0, len], ids=["once", "for each number of samples"])
def test_a_model_that_fills_a_cache_in_its_first_run(key, make):
    network = Caches(key, make).eval()
    before = network.token.clone()
    span = Span(topology_of(network, torch.zeros(2, 4)), "b", "last")
    for rows in (1, 3, 1):
        v = torch.randn(rows, 4)
        with torch.no_grad():
            expected = network.last(network.b(v) + v * make(network, v)[:1])
        with span.running() as run:
            for _ in range(3):
                torch.testing.assert_close(run(v).float(), expected)
    assert network.cache == {}
    assert torch.equal(network.token, before)


REFILLS = {
    "a view of a weight": lambda m, x: m.token[:],
    "a tensor that is too small": lambda m, x: torch.full((1,), 0.3),
}


@pytest.mark.parametrize("make", REFILLS.values(), ids=REFILLS)
def test_a_model_that_fills_its_cache_anew_now_and_then(make):
    class Refills(Caches):
        runs = 0

        def forward(self, x):
            self.runs += 1
            return super().forward(x)

    network = Refills(lambda x: network.runs // 8, make).eval()
    before = network.token.clone()
    span = Span(topology_of(network, torch.zeros(2, 4)), "b", "last")
    v = torch.randn(1, 4)
    with torch.no_grad():
        expected = network.last(network.b(v) + v * make(network, v)[:1])
    with span.running() as run:
        for _ in range(20):
            torch.testing.assert_close(run(v).float(), expected)
    assert torch.equal(network.token, before)


def test_one_tensor_given_twice_is_set_for_both():
    network = nn.Module()
    network.b, network.last = nn.Linear(4, 4), nn.Linear(4, 4)
    network.forward = lambda x, y: network.last(network.b(x) + y)
    x, v = torch.randn(3, 4), torch.randn(5, 4)
    same, other = (Span(topology_of(network, (x, y)), "b", "last") for y in (x, x.clone()))
    with torch.no_grad():
        torch.testing.assert_close(same(v).float(), network.last(network.b(v) + v))
        torch.testing.assert_close(other(v).float(), network.last(network.b(v) + x[:1]))


def test_arguments_that_are_no_samples_stay_as_they_are():
    network = nn.Module()
    network.a, network.last = nn.Linear(4, 4), nn.Linear(4, 4)
    network.forward = lambda x, table, scale: network.last(network.a(x) @ table * scale)
    table, v = torch.randn(4, 4), torch.randn(5, 4)
    span = Span(topology_of(network, (torch.randn(3, 4), table, torch.tensor(2.0))), "a", "last")
    torch.testing.assert_close(span(v).float(), network(v, table, 2.0).detach())
    assert span.notes == ()


def test_a_layer_that_reads_what_another_has_left_is_not_run_alone():
    class Reads(nn.Module):
        def __init__(self, shared):
            super().__init__()
            self.shared = shared

        def forward(self, x):
            return x * self.shared["h"]

    class Leaves(nn.Linear):
        def forward(self, x):
            self.shared["h"] = super().forward(x)
            return self.shared["h"]

    shared = {}
    network = nn.Sequential(Leaves(4, 4), Reads(shared), nn.Linear(4, 4))
    network[0].shared = shared
    x, v = torch.randn(2, 4), torch.randn(5, 4)
    span = Span(topology_of(network, x), "1", "1")
    torch.testing.assert_close(span(v).float(), v * v)


def test_which_call_of_a_module_is_set():
    network = Net(lambda m, x: m.last(m.b(m.b(m.b(x).tanh()).tanh()))).eval()
    topology = topology_of(network, torch.zeros(1, 4))
    v = torch.randn(3, 4)
    b, last = network.b, network.last
    with torch.no_grad():
        by_hand = {"b": last(b(b(b(v).tanh()).tanh())), "b:1": last(b(b(v).tanh())), "b:2": last(b(v))}
    for start, expected in by_hand.items():
        torch.testing.assert_close(Span(topology, start, "last")(v).float(), expected)
    torch.testing.assert_close(Span(topology, "b", "b:1")(v).float(), b(b(v).tanh()).detach())


def test_several_tensors_read_by_the_first_layer():
    """The first is set, the others keep their values."""
    network = nn.Module()
    network.left, network.right, network.join = nn.Linear(3, 4), nn.Linear(2, 4), nn.Bilinear(4, 4, 2)
    network.forward = lambda x, y: network.join(network.left(x), network.right(y))
    x, y, v = torch.randn(2, 3), torch.randn(2, 2), torch.randn(5, 4)
    span = Span(topology_of(network, (x, y)), "join", "join")
    with torch.no_grad():
        expected = network.join(v, network.right(y[:1]).expand(5, 4))
    torch.testing.assert_close(span(v).float(), expected)
