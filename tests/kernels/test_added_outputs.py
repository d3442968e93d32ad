"""Skip connections as edges."""

import numpy as np
import pytest
import torch
from models import Skip
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

import nbwidgets_nn as nw
from nbwidgets_nn.record.steps import steps_in


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


class Adds(nn.Module):
    """Layers `a` and `b` of the same input, a function of their outputs and the input, and a last layer."""

    def __init__(self, how, last):
        super().__init__()
        self.a, self.b, self.last, self.how = nn.Linear(3, 3), nn.Linear(3, 3), last, how
        self.table = nn.Parameter(torch.randn(5, 3))

    def forward(self, x):
        return self.last(self.how(self, self.a(x), self.b(x), x))


def in_place(net, a, b, x):
    a += b
    a -= x
    return a.relu_()


SUMS = {
    "plain": (lambda net, a, b, x: a + b, {"a": 1, "b": 1}),
    "behind a function": (lambda net, a, b, x: F.relu(a + b), {"a": 1, "b": 1}),
    "of functions": (lambda net, a, b, x: a.relu() + torch.tanh(x * 2), {"a": 1, "input": 1}),
    "three": (lambda net, a, b, x: a + b + x, {"a": 1, "b": 1, "input": 1}),
    "three at once": (lambda net, a, b, x: sum([a, b, x]), {"a": 1, "b": 1, "input": 1}),
    "difference": (lambda net, a, b, x: a - b, {"a": 1, "b": -1}),
    "difference of sums": (lambda net, a, b, x: x - (a - b), {"input": 1, "a": -1, "b": 1}),
    "reversed": (lambda net, a, b, x: torch.rsub(a, b, alpha=2), {"a": -2, "b": 1}),
    "alpha": (lambda net, a, b, x: torch.add(a, b, alpha=3), {"a": 1, "b": 3}),
    "alpha of a difference": (lambda net, a, b, x: a.sub(b, alpha=0.5), {"a": 1, "b": -0.5}),
    "keywords": (lambda net, a, b, x: torch.add(input=a, other=b), {"a": 1, "b": 1}),
    "in place": (in_place, {"a": 1, "b": 1, "input": -1}),
    "with a number": (lambda net, a, b, x: a + 2 - b + 0.5, {"a": 1, "b": -1}),
    "with a constant": (lambda net, a, b, x: a + net.table[0] + b, {"a": 1, "constant": 1, "b": 1}),
    "with a table as long": (lambda net, a, b, x: a + b - net.table, {"a": 1, "b": 1, "constant": -1}),
    "reshaped": (lambda net, a, b, x: (a.view(5, 3, 1) + b[:, :, None]).flatten(1), {"a": 1, "": 1}),
    "flipped": (lambda net, a, b, x: a.flip(1) + b, {"": 1, "b": 1}),
    "mixed": (lambda net, a, b, x: x + b.softmax(1), {"input": 1, "": 1}),
    "broadcast": (lambda net, a, b, x: a + b.mean(1, keepdim=True), {"a": 1, "": 1}),
}


@pytest.mark.parametrize("last", [nn.Linear(3, 2), nn.Identity()], ids=["linear", "identity"])
@pytest.mark.parametrize(("how", "weights"), SUMS.values(), ids=SUMS)
def test_sums(how, weights, last):
    torch.manual_seed(0)
    net, x = Adds(how, last).double(), torch.randn(5, 3).double()
    t = nw.triplets(net, x)
    assert [name for name in t if ".add" in name] == ["last.add"]
    entry = t["last.add"]
    assert [part.layer for part in entry.addends] == list(weights)
    assert entry.block.kernel.flatten().tolist() == list(weights.values())
    bias = 0 if entry.bias is None else entry.bias
    torch.testing.assert_close(
        entry.contribution.materialize().sum(1) + bias, entry.target, rtol=0, atol=1e-14
    )


def test_values_are_those_that_were_added():
    x = torch.randn(5, 3)
    net = Adds(lambda net, a, b, x: F.relu(a.relu() + x).mul(2), nn.Linear(3, 2))
    entry = nw.triplets(net, x)["last.add"]
    a = net.a(x).detach().relu()
    assert torch.equal(entry.source, torch.cat([a, x], dim=1))
    assert torch.equal(entry.target, a + x)
    assert [entry.source_name(unit) for unit in (0, 2, 3)] == ["a:0", "a:2", "input:0"]
    assert entry.target_name(1) == "last.add:1"
    assert entry[2, 4, 1].tolist() == [float(x[2, 1]), 1.0, float(a[2, 1] + x[2, 1])]


def test_added_to_itself():
    entry = nw.triplets(Adds(lambda net, a, b, x: a + a, nn.Identity()), torch.randn(5, 3))["last.add"]
    assert entry.edges == 6
    assert [entry.source_name(unit) for unit in (1, 4)] == ["a:1", "a:1"]


def test_a_sum_that_is_added_to_itself_again_and_again():
    def doubled(net, a, b, x):
        for _ in range(40):
            a = (a + a) / 2 + 0 * x
        for _ in range(30):
            a = a + a
        return a

    t = nw.triplets(Adds(doubled, nn.Linear(3, 2)), torch.randn(5, 3))
    assert len(t) == 3 + 30 + 80
    assert torch.equal(t["last.add"].target, t["last"].source)


def test_several_on_one_way_are_numbered_from_the_outermost():
    net = Adds(lambda net, a, b, x: torch.sigmoid(a + x) * 2 + F.relu(b - x), nn.Linear(3, 2))
    t = nw.triplets(net, torch.randn(5, 3))
    assert list(t) == ["a", "b", "last.add", "last.add:1", "last.add:2", "last"]
    assert [[part.layer for part in t[name].addends] for name in list(t)[2:5]] == [
        ["", ""],
        ["a", "input"],
        ["b", "input"],
    ]


def test_the_end_of_the_model():
    class Ends(nn.Module):
        def __init__(self):
            super().__init__()
            self.output = nn.Linear(3, 3)

        def forward(self, x):
            h = self.output(x + self.output(x))
            return {"logits": (h + x).softmax(1)}

    t = nw.triplets(Ends(), torch.randn(5, 3))
    assert list(t) == ["output", "output:1.add", "output:1", "output.add"]
    assert torch.equal(t["output.add"].target, t["output:1"].target + t.recording["input"].output)


def test_a_sum_that_another_call_took_is_one_addend():
    class Stream(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.ModuleList(nn.Linear(3, 3) for _ in range(4))

        def forward(self, x):
            for block in self.blocks:
                x = x + block(x).relu()
            return x

    t = nw.triplets(Stream(), torch.randn(5, 3))
    assert {name: [part.layer for part in t[name].addends] for name in t if "add" in name} == {
        "blocks.1.add": ["input", "blocks.0"],
        "blocks.2.add": ["input of blocks.1", "blocks.1"],
        "blocks.3.add": ["input of blocks.2", "blocks.2"],
        "output.add": ["input of blocks.3", "blocks.3"],
    }
    assert t["blocks.2.add"].source_name(1) == "input of blocks.1:1"
    assert torch.equal(t["blocks.2.add"].source[:, :3], t["blocks.1"].source)


NO_SUMS = {
    "product": lambda net, a, b, x: a * b,
    "one and a number": lambda net, a, b, x: a + 1,
    "one and a constant": lambda net, a, b, x: a - net.table,
    "mean": lambda net, a, b, x: torch.stack([a, b]).mean(0),
    "out of sight": lambda net, a, b, x: torch.from_numpy((a + b).numpy()),
}


@pytest.mark.parametrize("how", NO_SUMS.values(), ids=NO_SUMS)
def test_no_sums_of_two(how):
    t = nw.triplets(Adds(how, nn.Identity()), torch.randn(5, 3))
    assert (list(t), t.skipped) == (["a", "b", "last"], {})


WITHOUT_VALUES = {
    "truth": (lambda net, a, b, x: ((a > 0) + (b > 0)).float(), "truth values"),
    "complex": (lambda net, a, b, x: (a * 1j + b).abs(), "complex"),
    "single number": (lambda net, a, b, x: a * (b.sum() + x.sum()), "single numbers"),
    "sparse": (lambda net, a, b, x: (a.to_sparse() + b.to_sparse()).to_dense(), "sparse"),
}


@pytest.mark.parametrize(("how", "reason"), WITHOUT_VALUES.values(), ids=WITHOUT_VALUES)
def test_sums_without_values_are_skipped_with_the_reason(how, reason):
    t = nw.triplets(Adds(how, nn.Linear(3, 2)), torch.randn(5, 3))
    assert reason in t.skipped["last.add"]
    with pytest.raises(KeyError, match=reason):
        t["last.add"]


def test_further_outputs_are_not_recorded():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.last = nn.LSTM(3, 3, batch_first=True), nn.Linear(3, 2)

        def forward(self, x):
            out, (h, _) = self.lstm(x)
            return self.last(out[:, -1] + h[-1])

    t = nw.triplets(Net(), torch.randn(5, 4, 3))
    assert t.skipped["last.add"] == "it takes a further output of lstm, and only the first is recorded"


def test_weights_that_have_changed_since():
    net, x = Adds(SUMS["with a constant"][0], nn.Linear(3, 2)), torch.randn(5, 3)
    recording = nw.Activations(net, x)
    net.table.data.add_(1)
    assert "weights have changed since" in nw.triplets(recording).skipped["last.add"]


def test_pieces_and_some_of_the_samples():
    net, x = Adds(SUMS["behind a function"][0], nn.Linear(3, 2)), torch.randn(5, 3)
    whole = nw.triplets(net, x)["last.add"]
    assert torch.equal(nw.triplets(net, x, batch_size=2)["last.add"].materialize(), whole.materialize())
    some = nw.triplets(nw.Activations(net, x).take([3, 0]))["last.add"]
    assert torch.equal(some.materialize(), whole.materialize()[[3, 0]])


def test_samples_that_the_model_numbered_are_said():
    net, x = Adds(lambda net, a, b, x: a.T.reshape(3, 5).T + b, nn.Linear(3, 2)), torch.randn(5, 3)
    assert "do not run" in nw.triplets(nw.Activations(net, x).take([3, 0])).skipped["last.add"]


def test_statistics_of_a_sum():
    net = Adds(SUMS["difference"][0], nn.Linear(3, 2))
    x = torch.randn(50, 3)
    entry = nw.triplets(net, x)["last.add"]
    found = entry.statistics(x.split(10))
    np.testing.assert_allclose(found.mean, entry.contribution.materialize().mean(0), atol=1e-6)


class Takes(nn.Module):
    """A function of the outputs of `a` and `b`, which the layers of these names take; what is returned is up to it."""

    def __init__(self, function, **layers):
        super().__init__()
        self.a, self.b, self.function = nn.Linear(3, 3), nn.Linear(3, 3), function
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.table = nn.Parameter(torch.randn(3))

    def forward(self, x):
        return self.function(self, self.a(x), self.b(x))


def linears(*names):
    return {name: nn.Linear(3, 3) for name in names}


def test_a_sum_that_several_calls_take_is_one_entry():
    net = Takes(lambda net, a, b: net.q(s := a + b) * net.k(s) * net.v(s.relu()), **linears("q", "k", "v"))
    t = nw.triplets(net, torch.randn(5, 3))
    assert [name for name in t if "add" in name] == ["q.add"]
    assert (t["q.add"].calls, t["q.add"].is_output) == (("q", "k", "v"), False)
    assert t.sums_before("k") == t.sums_before("v") == (t["q.add"],)
    assert t.sums_before("a") == t.sums_before(None) == t["a"].calls == ()


def test_a_sum_that_two_calls_take_behind_functions_of_their_own():
    net = Takes(lambda net, a, b: net.q((s := a + b) * 2) * net.k(s.relu()), **linears("q", "k"))
    t = nw.triplets(net, torch.randn(5, 3))
    assert list(t) == ["a", "b", "q.add", "q", "k"]
    assert t["q.add"].calls == ("q", "k")
    assert t.sums_before("k") == (t["q.add"],)


def test_several_results_of_one_function_stay_of_one_call():
    net = Takes(lambda net, a, b: net.q(sum(a.view(len(a), 3).chunk(3, 1)) + b), **linears("q"))
    origin = nw.Activations(net, torch.randn(5, 3)).take([1, 0])["q"].origin
    assert len({id(step.kwargs) for step in steps_in(origin) if getattr(step, "name", "") == "chunk"}) == 1


def test_a_sum_that_a_call_took_and_the_model_returns():
    net = Takes(lambda net, a, b: (s := a + b, net.q(s))[0], **linears("q"))
    t = nw.triplets(net, torch.randn(5, 3))
    assert list(t) == ["a", "b", "q.add", "q"]
    assert (t["q.add"].calls, t["q.add"].is_output) == (("q",), True)
    assert t.sums_before(None) == (t["q.add"],)


@pytest.mark.parametrize("end", [lambda h, x: h, lambda h, x: h + x], ids=["layer", "sum"])
def test_layers_named_like_the_end_and_like_a_constant(end):
    def function(net, a, b):
        return end(net.output(net.constant(a + b) + a), a)

    t = nw.triplets(Takes(function, **linears("output", "constant")), torch.randn(5, 3))
    added = [name for name in t if "add" in name]
    is_sum = end(1, 1) == 2
    assert added == ["constant.add", "output.add", *["output.add:1"] * is_sum]
    assert [t[name].is_output for name in added] == [False, False, *[True] * is_sum]
    assert [part.layer for part in t["output.add"].addends] == ["constant", "a"]
    assert not any(part.is_constant for part in t["output.add"].addends)


def test_constants_are_told_by_a_flag():
    t = nw.triplets(Takes(lambda net, a, b: a + net.table + b), torch.randn(5, 3))
    assert [part.is_constant for part in t["output.add"].addends] == [False, True, False]


def test_names_of_sums_are_no_names_of_calls():
    class Blocks(nn.Module):
        def __init__(self):
            super().__init__()
            self.output = nn.ModuleDict({"add": nn.Linear(3, 3)})

        def forward(self, x):
            return x + self.output["add"](x)

    t = nw.triplets(Blocks(), torch.randn(5, 3))
    assert [(name, t[name].is_output) for name in t] == [("output.add", False), ("output.add:1", True)]


BY_COUNT = {
    "view": lambda net, a, b: a.view(len(a), -1) + b.view(len(b), 3),
    "heads": lambda net, a, b: (a.view(len(a), 3, 1) + b.reshape((len(b), 3, 1))).flatten(1),
    "expand": lambda net, a, b: a + b.mean(0).expand(len(a), 3) * 0 + b,
    "expanded constant": lambda net, a, b: a + net.table.expand(len(a), 3) + b,
    "zeros": lambda net, a, b: torch.zeros(len(a), 3) + a + b,
    "tokens as rows": lambda net, a, b: (a.view(len(a) * 3, 1) + b.view(len(b) * 3, 1)).view(len(a), 3),
    "sizes as keywords": lambda net, a, b: torch.reshape(input=a, shape=(len(a), 3)) + b,
    "written": lambda net, a, b: into(torch.zeros(len(a), 3), a) + b,
    "several results": lambda net, a, b: sum(torch.zeros(len(a), 3).add(a).chunk(3, 1)) + b,
}


def into(out, a):
    out[:, 1:] = a[:, 1:]
    return out


@pytest.mark.parametrize("last", [nn.Linear(3, 2), None], ids=["linear", "output"])
@pytest.mark.parametrize("function", BY_COUNT.values(), ids=BY_COUNT)
def test_sizes_that_count_the_samples(function, last):
    net = Takes(lambda net, a, b: net.last(function(net, a, b)), last=last or nn.Identity())
    if last is None:
        net = Takes(function)
    x = torch.randn(7, 3)
    whole = nw.triplets(net, x)
    name = next(name for name in whole if "add" in name)
    some = nw.triplets(nw.Activations(net, x).take([3, 0, 3]))
    pieces = nw.triplets(net, x, batch_size=4)
    taken = nw.triplets(nw.Activations(net, x, batch_size=4).take([3, 0, 3]))
    assert some.skipped == pieces.skipped == taken.skipped == {}
    assert list(some) == list(pieces) == list(whole)
    rows = whole[name].target.unflatten(0, (7, -1))
    for t, chosen in ((some, [3, 0, 3]), (pieces, range(7)), (taken, [3, 0, 3])):
        torch.testing.assert_close(t[name].target.unflatten(0, (len(chosen), -1)), rows[list(chosen)])
        assert [part.layer for part in t[name].addends] == [part.layer for part in whole[name].addends]


def test_constants_of_each_sample():
    net = Takes(lambda net, a, b: net.last(a + torch.arange(len(a))[:, None] + b), **linears("last"))
    x = torch.randn(7, 3)
    some = nw.triplets(nw.Activations(net, x).take([3, 0]))["last.add"]
    assert torch.equal(some.materialize(), nw.triplets(net, x)["last.add"].materialize()[[3, 0]])
    assert "do not run" in nw.triplets(net, x, batch_size=4).skipped["last.add"]


def number_of_the_batch(net, a, b):
    return a / a.abs().max().item() + b


def test_sums_of_the_end_are_compared_with_what_was_returned():
    x = torch.randn(8, 3)
    assert (
        "not what the functions"
        in nw.triplets(Takes(number_of_the_batch), x, batch_size=4).skipped["output.add"]
    )
    net = Takes(lambda net, a, b: a * net.table + b)
    recording = nw.Activations(net, x)
    net.table.data.mul_(5)
    assert "weights have changed since" in nw.triplets(recording).skipped["output.add"]

    def out_of_sight(net, a, b):
        a.detach().numpy()[:] = 0
        return a + b

    assert "output.add" in nw.triplets(Takes(out_of_sight), x).skipped


def test_an_end_that_cannot_be_joined_is_said():
    x = torch.randn(8, 3)
    t = nw.triplets(Takes(lambda net, a, b: (a + b).sum(0)), x, batch_size=4)
    assert t.skipped == {
        "output.add": "what the model returned is not recorded, or its samples are not known"
    }


def test_a_sum_of_changed_values_is_said_to_be_not_recorded():
    recording = nw.Activations(Takes(lambda net, a, b: a + b), torch.randn(8, 3))
    other = recording.to_activations(recording.to_vector())
    assert other.returned is None
    assert "not recorded" in nw.triplets(other).skipped["output.add"]


class Deep(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(layers))

    def forward(self, x):
        for layer in self.layers:
            x = torch.relu(x + 0.1 * layer(x))
        return x


def test_the_cost_of_a_deep_stream_grows_with_its_depth():
    calls = []
    recording = nw.Activations(Deep(60), torch.randn(4, 2))
    with CountsFunctions(calls):
        t = nw.triplets(recording)
    assert len(t) == 120
    first = len(calls)
    recording = nw.Activations(Deep(120), torch.randn(4, 2))
    with CountsFunctions(calls):
        nw.triplets(recording)
    assert len(calls) - first < 2.2 * first


class CountsFunctions(TorchFunctionMode):
    def __init__(self, calls):
        super().__init__()
        self.calls = calls

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.calls.append(func)
        return func(*args, **(kwargs or {}))
