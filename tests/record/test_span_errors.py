"""What `Span` refuses, and what happens when the model fails."""

import pytest
import torch
from models import ZOO, Branches, Mlp, NeverRuns, NoTensor, Tokens, tokens
from torch import nn
from torch.nn import functional as F

from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.errors import RecordingError
from nbwidgets_nn.record.span import Span
from nbwidgets_nn.record.topology import topology_of, topology_of_recording


def topology(network, *shape):
    return topology_of(network, torch.randn(*shape))


REFUSED = {
    "order": (
        lambda: (topology(Mlp(), 1, 6), "out", "fc1"),
        r"in_layer: expected a layer before 'fc1', got 'out', which runs after 'fc1'\. Try: in_layer='fc1', layer='out'",
    ),
    "other branch": (
        lambda: (topology(Branches(), 1, 6), "gate", "left"),
        "in_layer: expected a layer that feeds 'left', got 'gate', from which no",
    ),
    "no flow": (
        lambda: (topology(Branches(), 1, 6), "left", "right"),
        "in_layer: expected a layer that feeds 'right', got 'left', from which no data flows to 'right'",
    ),
    "integers": (
        lambda: (topology_of(Tokens(), tokens()), "tokens", "head"),
        r"in_layer: .* got 'tokens' \(Embedding\), which reads torch\.int64\. Try: start at a layer behind it: norm",
    ),
    "integers, one layer": (
        lambda: (topology_of(Tokens(), tokens()), "tokens", "tokens"),
        "^layer: expected a layer that reads floating numbers",
    ),
    "no output": (
        lambda: (topology(NoTensor(), 1, 6), "nothing", "nothing"),
        r"layer: .* returns real numbers, got 'nothing' \(Nothing\), which returns no tensor",
    ),
    "no input": (lambda: (topology(Draws(), 1, 2), "draw", "draw"), "which reads no tensor"),
    "sparse input": (lambda: (topology(Sparse(), 1, 2), "fc", "fc"), "which reads torch.sparse_coo"),
    "complex output": (lambda: (zoo("complex and sparse"), "spectrum", "spectrum"), "torch.complex64"),
    "never ran": (lambda: (topology(NeverRuns(), 1, 6), "spare", "fc"), "in_layer: .* did not run"),
    "unknown": (lambda: (topology(Mlp(), 1, 6), "fc1", "fc9"), r"layer: .* 'fc9'\. Try: did you mean"),
    "meta device": (
        lambda: (topology(Mlp().to("meta"), 1, 6), "fc1", "out"),
        "which reads torch.float32 on the meta device. Try: load the model's weights first",
    ),
}


def test_the_topology_of_a_recording_has_no_sample_to_run():
    graph = topology_of_recording(Activations(Mlp(), torch.zeros(1, 6)))
    with pytest.raises(
        ValueError, match="topology: expected the graph of topology_of, got that of a recording"
    ):
        Span(graph, "fc1", "out")


class Draws(nn.Module):
    """A layer that is given nothing."""

    class Draw(nn.Module):
        def forward(self):
            return torch.ones(1, 2)

    def __init__(self):
        super().__init__()
        self.draw, self.fc = self.Draw(), nn.Linear(2, 2)

    def forward(self, x):
        return self.fc(x + self.draw())


class Sparse(nn.Module):
    """A layer that reads a sparse tensor."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)

    def forward(self, x):
        return self.fc(x.to_sparse())


def zoo(name):
    case = next(case for case in ZOO if case.name == name)
    return topology_of(case.make(), case.make_input())


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(make, message):
    if make is REFUSED["meta device"][0]:
        with torch.device("meta"):
            arguments = make()
    else:
        arguments = make()
    with pytest.raises(ValueError, match=message):
        Span(*arguments)


class Random(nn.Module):
    """Dropout that eval mode does not switch off stands behind `b`."""

    def __init__(self, between):
        super().__init__()
        self.a, self.b, self.c, self.between = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8), between
        self.last = nn.Linear(8, 8)

    def forward(self, x):
        return self.last(self.c(self.between(self, self.b(self.a(x)))))


def counts(m, h):
    m.seen = getattr(m, "seen", 0) + 1
    return h * m.seen


RANDOM = {
    "dropout": lambda m, h: F.dropout(h),
    "noise": lambda m, h: h + torch.randn(8),
    "state": counts,
}


@pytest.mark.parametrize("between", RANDOM.values(), ids=RANDOM)
def test_a_random_span(between):
    network = Random(between)
    top = topology(network, 1, 8)
    for start, end in [("a", "c"), ("b", "last")]:
        message = (
            f"layer: expected {start} → {end} to compute the same each time, got .* random even in eval mode"
        )
        with pytest.raises(ValueError, match=message):
            Span(top, start, end)
    for start, end in [("a", "b"), ("c", "last"), ("b", "b")]:
        assert Span(top, start, end).notes == ()


def test_a_random_layer():
    class Noise(nn.Module):
        def forward(self, x):
            return x + torch.rand(3)

    with pytest.raises(ValueError, match=r"F\.dropout\(x, p, self\.training\) in place of"):
        Span(topology(nn.Sequential(Noise()), 1, 3), "0", "0")


def test_dropout_of_a_model_in_training_mode_is_off():
    network = nn.Sequential(nn.Linear(8, 8), nn.Dropout(), nn.Linear(8, 8)).train()
    span = Span(topology(network, 1, 8), "0", "2")
    x = torch.randn(4, 8)
    torch.testing.assert_close(span(x).float(), network.eval()(x).detach())


class Raises(nn.Module):
    """Raises for large values in its second layer."""

    class Fails(nn.Linear):
        def forward(self, x):
            if x.abs().max() > 100:
                raise FloatingPointError("too large")
            return super().forward(x)

    def __init__(self):
        super().__init__()
        self.first, self.fails = nn.Linear(2, 2), self.Fails(2, 2)

    def forward(self, x):
        return self.fails(self.first(x))


@pytest.mark.parametrize(("start", "name"), [("first", "first → fails"), ("fails", "fails")])
def test_a_model_that_raises(start, name):
    network = Raises()
    span = Span(topology(network, 1, 2), start, "fails")
    message = f"^Raises raised while {name} was run: FloatingPointError: too large$"
    with pytest.raises(RecordingError, match=message) as raised:
        span(torch.full((1, 2), 1e6))
    assert isinstance(raised.value.__cause__, FloatingPointError)
    assert not network.first._forward_hooks
    assert not network.first._forward_pre_hooks
    assert network.training


def test_an_interrupt_leaves_nothing_behind():
    class Stops(nn.Linear):
        def forward(self, x):
            if x.abs().max() > 100:
                raise KeyboardInterrupt
            return super().forward(x)

    network = nn.Sequential(nn.Linear(2, 2), Stops(2, 2)).train()
    span = Span(topology(network, 1, 2), "0", "1")
    with pytest.raises(KeyboardInterrupt), span.running() as run:
        run(torch.full((1, 2), 1e6))
    assert all(layer.training and not layer._forward_hooks for layer in network)
    assert torch.overrides._len_torch_function_stack() == 0


def test_a_model_that_catches_its_own_errors_does_not_catch_the_stop():
    class Tries(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            try:
                return self.b(self.a(x))
            except Exception:  # noqa: BLE001
                return self.b(x)

    network = Tries()
    x = torch.randn(3, 2)
    span = Span(topology(network, 1, 2), "a", "b")
    torch.testing.assert_close(span(x).float(), network(x).detach())


def test_a_model_that_catches_everything():
    class Tries(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            try:
                return self.b(self.a(x))
            except:  # noqa: E722
                return self.b(x * 0)

    network = Tries()
    x = torch.randn(3, 2)
    span = Span(topology(network, 1, 2), "a", "b")
    torch.testing.assert_close(span(x).float(), network(x).detach())


class Turns(nn.Module):
    """Runs another way in each run, by `way(net, x)`, which gets the number of the run."""

    def __init__(self, way):
        super().__init__()
        self.a, self.b, self.way, self.turn = nn.Linear(2, 2), nn.Linear(2, 2), way, 0

    def forward(self, x):
        self.turn += 1
        return self.way(self, x)


def more_functions(m, x):
    for _ in range(m.turn):
        x = x.relu()
    return m.b(m.a(x.tanh()))


WAYS = {
    "more functions": (more_functions, "a"),
    "without the first layer": (lambda m, x: m.b(m.a(x) if m.turn <= 3 else x), "a"),
    "without the last layer": (lambda m, x: m.b(m.a(x)) if m.turn <= 3 else m.a(x), "a"),
}


@pytest.mark.parametrize(("way", "start"), WAYS.values(), ids=WAYS)
def test_a_model_that_takes_another_way_each_time(way, start):
    with pytest.raises(ValueError, match="a → b: expected a model that runs the same calls each time"):
        Span(topology(Turns(way), 1, 2), start, "b")
