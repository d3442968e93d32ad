"""The functions between recorded calls, computed again."""

import weakref

import pytest
import torch
from models import ZOO
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from nbwidgets_nn import Activations
from nbwidgets_nn.record.steps import Output, Step, outputs_in, replay, steps_in

# What none of the functions of torch has made.
OUT_OF_SIGHT = {
    "in place through a view": {"c"},
    "through numpy": {"b"},
    "cell loop": set(),
}


def recorded_in(recording):
    def value(output):
        assert output.index == 0
        assert output.shape == recording[output.layer].output_shape
        return recording[output.layer].output

    return value


def same(one, other):
    if one.layout is not torch.strided:
        one, other = one.to_dense(), other.to_dense()
    assert one.dtype == other.dtype
    assert one.shape == other.shape
    assert torch.equal(one.nan_to_num(), other.nan_to_num())


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_steps_give_the_recorded_inputs_bit_for_bit(case):
    recording = Activations(case.make(), case.make_input())
    for layer in map(recording.__getitem__, recording):
        if layer.module is None:
            continue
        assert (layer.origin is None) == (layer.name in OUT_OF_SIGHT.get(case.name, ())), layer.name
        if layer.origin is None or any(leaf.index for leaf in outputs_in(layer.origin)):
            continue
        assert {leaf.layer for leaf in outputs_in(layer.origin)} <= set(layer.fed_by)
        same(replay(layer.origin, recorded_in(recording)), layer.input)


class Between(nn.Module):
    """Two layers `a` and `b` whose outputs meet in a function before `last`."""

    def __init__(self, function):
        super().__init__()
        self.a, self.b, self.last, self.function = nn.Linear(4, 4), nn.Linear(4, 4), nn.Identity(), function
        self.table = nn.Parameter(torch.randn(4, 4))
        self.plain = torch.arange(4.0)

    def forward(self, x):
        return self.last(self.function(self, self.a(x), self.b(x)))


def into_zeros(net, a, b):
    out = torch.zeros(4, 4)
    out[:, :2] = a[:, :2]
    out[:, 2:] = b[:, 2:]
    return out


def reads_before_and_after(net, a, b):
    before = a * 2
    a.relu_()
    a += before
    return a


def constant_changes_after_use(net, a, b):
    mask = torch.ones(4)
    a = a * mask
    mask.zero_()
    return a + mask


def out_of_another_type(net, a, b):
    return torch.mul(a, b, out=torch.empty(4, 4, dtype=torch.float64)).float()


def copies(net, a, b):
    return torch.empty(2, 4, 4, dtype=torch.float64).copy_(a).sum(0).float()


def parts_of_one(net, a, b):
    first, second = a.chunk(2, dim=1)
    return torch.cat([second, first, b.split([1, 3])[1].max(dim=0).values.expand(4, 4)], dim=1)


def counts_with_tensors(net, a, b):
    return a[: torch.tensor(3)].index_select(0, torch.arange(2)) + b.new_full((4,), 2.0)


def caught(net, a, b):
    try:
        a @ torch.zeros(5)
    except RuntimeError:
        return b.relu()


EXACT = {
    "+": lambda net, a, b: a + b,
    "number first": lambda net, a, b: 1 - a / 2,
    "added to itself": lambda net, a, b: a.add_(a),
    "keywords": lambda net, a, b: torch.add(input=a, other=b, alpha=2),
    "nested": lambda net, a, b: torch.stack([a, torch.cat((b, a), dim=0)[1:5]]),
    "in place": reads_before_and_after,
    "in place by keyword": lambda net, a, b: F.relu(a, inplace=True) + F.leaky_relu_(b),
    "into zeros": into_zeros,
    "parts": parts_of_one,
    "shape of another": lambda net, a, b: a.flatten().view_as(b).type_as(torch.zeros(1).double()),
    "transposed view": lambda net, a, b: a.T.reshape(2, 8).view(4, 4).mT,
    "parameter": lambda net, a, b: F.linear(a, net.table.t()) * net.table[0],
    "attribute": lambda net, a, b: a * net.plain,
    "expanded": lambda net, a, b: a + torch.ones(1).expand(4, 4),
    "constant changed after use": constant_changes_after_use,
    "random constant": lambda net, a, b: a + torch.randn(4) + torch.rand_like(b),
    "out=": lambda net, a, b: torch.mul(a, b, out=torch.empty(4, 4)),
    "out= of another type": out_of_another_type,
    "copy_": copies,
    "fill_": lambda net, a, b: a.fill_(b.sum()),
    "dropout in eval mode": lambda net, a, b: F.dropout(a, 0.5, net.training) + b,
    "tensors as numbers": counts_with_tensors,
    "masked": lambda net, a, b: a.masked_fill_(b > 0, 0.0),
    "where": lambda net, a, b: torch.where(a > 0, 1.0, b),
    "einsum": lambda net, a, b: torch.einsum("ij,kj->ik", a, b),
    "data": lambda net, a, b: a.data + b.detach(),
    "no change": lambda net, a, b: a.contiguous().to(torch.float32),
    "error that is caught": caught,
    "only the shape": lambda net, a, b: torch.zeros_like(a) + b.new_ones(4),
}


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize("function", EXACT.values(), ids=EXACT)
def test_functions_are_computed_again(function):
    recording = Activations(Between(function), torch.randn(4, 4))
    same(replay(recording["last"].origin, recorded_in(recording)), recording["last"].input)
    same(recording["last"].output, replay(recording.origin, recorded_in(recording)))


def writes_through_view(net, a, b):
    a[:, :2].add_(1)
    return a


def view_from_before(net, a, b):
    view = a.view(16)
    a.add_(b)
    return view.view(4, 4)


def other_view(net, a, b):
    left, again = a[:, :2], a[:, 1:3]
    left.mul_(2)
    return again


def through_data(net, a, b):
    a.data.mul_(2)
    return a


def new_data(net, a, b):
    a.data = b * 2
    return a


def constant_written_through_view(net, a, b):
    buffer = torch.zeros(4, 4)
    view = buffer[:2]
    buffer.copy_(a)
    return view


def by_surprise(net, a, b):
    torch._foreach_add_([a], 1)
    return a


UNKNOWN = {
    "written in a list": by_surprise,
    "a weight that is written to": lambda net, a, b: F.embedding(a.argmax(1), net.table, max_norm=0.1),
    "written through a view": writes_through_view,
    "view from before": view_from_before,
    "another view": other_view,
    "written through data": through_data,
    "new data": new_data,
    "constant written over": constant_written_through_view,
    "random numbers drawn for it": lambda net, a, b: F.dropout(a, 0.5, training=True),
    "random numbers in place": lambda net, a, b: a.exponential_(),
    "random numbers by way of another": lambda net, a, b: a + F.rrelu(b, training=True),
    "another size": lambda net, a, b: a.clone().resize_(3, 4),
    "where it lies in memory": lambda net, a, b: a.as_strided((2, 2), (1, 4)),
    "through NumPy": lambda net, a, b: b + torch.from_numpy(a.numpy()),
    "vmap": lambda net, a, b: torch.vmap(torch.dot)(a, b),
}


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize("function", UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_made_out_of_sight_has_no_origin(function):
    assert Activations(Between(function), torch.randn(4, 4))["last"].origin is None


@pytest.mark.parametrize("name", [name for name in EXACT if name != "only the shape"])
def test_steps_start_from_what_feeds_the_call(name):
    layer = Activations(Between(EXACT[name]), torch.randn(4, 4))["last"]
    assert {leaf.layer for leaf in outputs_in(layer.origin)} == set(layer.fed_by)


def test_names_and_arguments():
    origin = Activations(Between(reads_before_and_after), torch.randn(4, 4))["last"].origin
    add = origin
    relu, mul = add.args
    assert [step.name for step in (add, relu, mul)] == ["add", "relu", "mul"]
    assert relu.args[0] is mul.args[0]
    assert (mul.args[0].layer, mul.args[0].index, mul.args[1]) == ("a", 0, 2)
    assert add.shape == (4, 4)
    assert [node.name if isinstance(node, Step) else node.layer for node in steps_in(add)] == [
        *("a", "relu", "mul", "add")
    ]


def test_every_tensor_of_inputs_and_outputs_has_a_place():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention, self.last = nn.MultiheadAttention(4, 2, batch_first=True), nn.Bilinear(4, 3, 2)

        def forward(self, x, y):
            h, weights = self.attention(x, y, y)
            return self.last(h, weights.relu())

    recording = Activations(Net(), (torch.randn(2, 5, 4), torch.randn(2, 3, 4)))
    assert [(leaf.layer, leaf.index) for leaf in recording["attention"].origins] == [
        *(("input", 0), ("input:y", 0), ("input:y", 0))
    ]
    h, step = recording["last"].origins
    assert (h.layer, h.index, h.shape) == ("attention", 0, (2, 5, 4))
    assert (step.name, step.args[0].layer, step.args[0].index) == ("relu", "attention", 1)
    assert recording["input"].origin is None


def test_a_module_that_returns_its_input_is_the_start():
    recording = Activations(nn.Sequential(nn.Linear(3, 3), nn.Dropout(), nn.ReLU()), torch.ones(2, 3))
    assert isinstance(recording["1"].origin, Output)
    assert recording["1"].origin.layer == "0"
    assert recording["2"].origin.layer == "1"
    assert recording.origin.layer == "2"


def test_calls_of_one_module_are_told_apart():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.relu, self.last = nn.ReLU(inplace=True), nn.Identity()

        def forward(self, x):
            return self.last(self.relu(x * 2) - self.relu(x - 1))

    origin = Activations(Net(), torch.ones(2, 3))["last"].origin
    assert [leaf.layer for leaf in outputs_in(origin)] == ["relu", "relu:1"]


def test_a_constant_is_held():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.positions, self.last = nn.Embedding(5, 3), nn.Identity()

        def forward(self, x):
            return self.last(x + self.positions(torch.arange(2) + 1))

    origin = Activations(Net(), torch.ones(2, 3))["positions"].origin
    assert origin.name == "constant"
    assert outputs_in(origin) == ()
    assert replay(origin, None).tolist() == [1, 2]


def test_replay_calls_a_function_once_and_changes_nothing():
    recording = Activations(Between(parts_of_one), torch.randn(4, 4))
    seen = []

    class Counts(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            seen.append(getattr(func, "__name__", ""))
            return func(*args, **(kwargs or {}))

    before = [recording[name].output.clone() for name in recording]
    with Counts():
        replay(recording["last"].origin, recorded_in(recording))
    assert seen.count("chunk") == 1
    assert all(map(torch.equal, before, (recording[name].output for name in recording)))


def test_replay_in_place_leaves_given_tensors_alone():
    recording = Activations(Between(reads_before_and_after), torch.randn(4, 4))
    given = torch.randn(4, 4)
    copy = given.clone()
    expected = given.relu() + given * 2
    assert torch.equal(replay(recording["last"].origin, lambda _: given), expected)
    assert torch.equal(given, copy)


def test_a_view_is_computed_of_tensors_that_lie_otherwise():
    recording = Activations(Between(lambda net, a, b: a.view(2, 8)), torch.randn(4, 4))
    given = torch.randn(4, 4).T
    assert torch.equal(replay(recording["last"].origin, lambda _: given), given.reshape(2, 8))


def test_thousands_of_steps():
    def many(net, a, b):
        for _ in range(5000):
            a = a + b
        return a

    recording = Activations(Between(many), torch.randn(4, 4))
    same(replay(recording["last"].origin, recorded_in(recording)), recording["last"].input)
    assert len(outputs_in(recording["last"].origin)) == 2
    assert repr(recording["last"].origin) == "Step('add', shape=(4, 4))"


def test_steps_keep_no_computed_tensor():
    made = []

    def remembers(net, a, b):
        parts = [a.relu(), a[:, torch.arange(4)], (a * b).chunk(2)[0]]
        total = sum(part.sum() for part in parts)
        made.extend(map(weakref.ref, [a, b, *parts, total]))
        return b[: total.long().clamp(1, 2)] + total

    recording = Activations(Between(remembers), torch.randn(4, 4))
    assert recording["last"].origin is not None
    assert [ref() for ref in made] == [None] * len(made)
    held = [
        part for node in steps_in(recording["last"].origin) if isinstance(node, Step) for part in node.args
    ]
    assert [part.tolist() for part in held if isinstance(part, torch.Tensor)] == []


def test_a_parameter_is_not_copied_and_a_buffer_is():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight, self.last = nn.Parameter(torch.ones(3)), nn.Identity()
            self.register_buffer("steps", torch.zeros(1))

        def forward(self, x):
            self.steps += 1
            return self.last(x * self.weight + self.steps)

    net = Net()
    add = Activations(net, torch.ones(2, 3))["last"].origin
    assert add.args[0].args[1] is net.weight
    assert add.args[1].tolist() == [1]
    assert net.steps.tolist() == [0]


def test_an_expanded_constant_takes_no_memory():
    mask = Activations(Between(EXACT["expanded"]), torch.randn(4, 4))["last"].origin.args[1]
    assert mask.shape == (4, 4)
    assert mask.untyped_storage().nbytes() == 4


def test_shapes_only_and_pieces():
    network, x = Between(EXACT["+"]), torch.randn(4, 4)
    recording = Activations(network, x, shapes_only=True)
    assert torch.equal(replay(recording["last"].origin, lambda _: x), x + x)
    recording = Activations(network, x, batch_size=3)
    assert recording["last"].origin.shape == (4, 4)
    same(replay(recording["last"].origin, recorded_in_pieces(recording)), recording["last"].input)
    assert recording.origin.layer == "last"


def recorded_in_pieces(recording):
    return lambda output: recording[output.layer].output


def test_some_samples_and_other_values_keep_the_steps():
    recording = Activations(Between(EXACT["+"]), torch.randn(4, 4))
    some = recording.take([2, 1])
    same(replay(some["last"].origin, recorded_in_pieces(some)), some["last"].input)
    other = recording.to_activations(recording.to_vector())
    assert other["last"].origin is recording["last"].origin


def test_a_layer_that_writes_to_what_it_does_not_return():
    class Writes(nn.Module):
        def forward(self, x):
            with torch._C.DisableTorchFunction():
                x.add_(1)
            return x * 2

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.writes, self.last = nn.Linear(3, 3), Writes(), nn.Identity()

        def forward(self, x):
            h = self.a(x)
            return self.last(self.writes(h) + h)

    assert Activations(Net(), torch.ones(2, 3))["last"].origin is None


class Draws(nn.Module):
    """Draws random numbers of generators of its own."""

    def __init__(self, draw):
        super().__init__()
        self.a, self.last, self.draw = nn.Linear(4, 4), nn.Identity(), draw
        self.generators = [torch.Generator().manual_seed(1)]
        self.generator = torch.Generator().manual_seed(2)

    def forward(self, x):
        return self.last(self.a(x) + self.draw(self, self.a(x).sigmoid()))


def test_numbers_drawn_from_a_generator_of_the_model():
    net = Draws(
        lambda net, p: torch.bernoulli(
            torch.bernoulli(p, generator=net.generator), generator=net.generators[0]
        )
    )
    before = [g.get_state().tolist() for g in (net.generator, *net.generators)]
    assert Activations(net, torch.randn(3, 4))["last"].origin is None
    assert [g.get_state().tolist() for g in (net.generator, *net.generators)] == before


CONSTANT = {
    "for itself": lambda net, p: p * torch.rand(4, generator=net.generator),
    "in place": lambda net, p: p.bernoulli_(0.5, generator=net.generator),
}


@pytest.mark.parametrize("draw", CONSTANT.values(), ids=CONSTANT)
def test_numbers_drawn_from_no_computed_tensor_are_constants(draw):
    recording = Activations(Draws(draw), torch.randn(3, 4))
    same(replay(recording["last"].origin, recorded_in(recording)), recording["last"].input)


class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.last, self.w = nn.Linear(4, 4), nn.Identity(), nn.Parameter(torch.randn(4, 4))

    def forward(self, x):
        with torch.autocast("cpu", torch.bfloat16):
            h = self.a(x) @ self.w
            h.mul_(2)
        return self.last((x @ self.w) + h)


@pytest.mark.parametrize("inside", [False, True])
def test_steps_inside_autocast(inside):
    with torch.autocast("cpu", torch.bfloat16, enabled=inside):
        recording = Activations(Mixed(), torch.randn(3, 4))
    add = recording["last"].origin
    same(replay(add, recorded_in(recording)), recording["last"].input)
    assert "UnderAutocast" in repr(add.args[1].function)
    assert ("UnderAutocast" in repr(add.function)) == inside
