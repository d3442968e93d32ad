"""What is recorded is what plain forward hooks on a copy of the model see."""

import copy
import gc
import weakref

import pytest
import torch
from models import ZOO, Case, Catches, InPlace, Mlp, NeverRuns, Tokens, TwoNames
from torch import nn

from nbwidgets_nn.record._trees import first_tensor, map_tensors
from nbwidgets_nn.record.activations import Activations


def plain_hooks(network, given):
    """Outputs by module name, in order of the calls: the oracle."""
    network, given = copy.deepcopy(network).eval(), map_tensors(given, torch.clone)
    names, outputs = {module: name for name, module in network.named_modules()}, {}

    def keep(module, args, output):
        found = first_tensor(output)
        outputs.setdefault(names[module], []).append(None if found is None else found[0].clone())

    for module in names:
        nn.Module.register_forward_hook(module, keep)
    with torch.no_grad():
        if isinstance(given, dict) and "input_ids" in given:
            network(**given)
        elif isinstance(given, tuple):
            network(*given)
        else:
            network(given)
    return outputs


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_outputs_are_those_of_plain_hooks(case: Case, seeded):
    network, given = case.make(), case.make_input()
    rec = Activations(network, given)
    expected = plain_hooks(network, given)
    by_module = {id(module): name for name, module in network.named_modules()}
    for name in (name for name in rec if rec[name].module is not None):
        now = expected[by_module[id(rec[name].module)]].pop(0)
        assert (rec[name].output is None) == (now is None)
        if now is not None:
            torch.testing.assert_close(rec[name].output, now, check_layout=True)


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_shapes_only_keeps_the_same_description_and_no_tensor(case, seeded):
    network, given = case.make(), case.make_input()
    rec, shapes = Activations(network, given), Activations(network, given, shapes_only=True)
    assert shapes.layernames == rec.layernames
    assert shapes.edges == rec.edges
    for name in rec:
        assert shapes[name].output is None
        assert shapes[name].input is None
        assert shapes[name].output_shape == rec[name].output_shape
        assert shapes[name].input_shape == rec[name].input_shape
        if rec[name].output is not None:
            assert rec[name].output_shape == tuple(rec[name].output.shape)


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_nothing_recorded_belongs_to_the_graph_or_to_the_caller(case, seeded):
    network, given = case.make(), case.make_input()
    rec = Activations(network, given)
    theirs = {t.untyped_storage().data_ptr() for t in [*network.parameters(), *network.buffers()]}
    map_tensors(given, lambda t: theirs.add(t.untyped_storage().data_ptr()) or t)
    for name in rec:
        for tensor in (rec[name].output, rec[name].input):
            if tensor is not None and tensor.layout is torch.strided:
                assert not tensor.requires_grad
                assert tensor.untyped_storage().data_ptr() not in theirs


def test_in_place_operations_do_not_reach_earlier_records():
    network, x = InPlace(), torch.randn(7, 6)
    rec = Activations(network, x)
    linear = network.fc1(x - 1)
    torch.testing.assert_close(rec["input"].output, x)
    torch.testing.assert_close(rec["fc1"].input, x - 1)
    torch.testing.assert_close(rec["fc1"].output, linear)
    torch.testing.assert_close(rec["relu"].input, linear)
    torch.testing.assert_close(rec["relu"].output, linear.relu())
    expected = network.fc2(linear.relu()).relu() + 1
    expected[:, 0] = 0
    torch.testing.assert_close(rec["fc3"].input, expected)


def test_inputs_are_those_of_the_call():
    rec = Activations(Mlp(), torch.randn(7, 6))
    assert rec["fc1"].input is rec["input"].output, "shared, not copied again"
    assert rec["act2"].input is rec["fc2"].output
    assert rec["input"].input is None


def test_a_layer_that_returns_its_input_shares_its_copy():
    rec = Activations(nn.Sequential(nn.Linear(6, 5), nn.Dropout(), nn.Linear(5, 2)), torch.randn(7, 6))
    assert rec["0"].output is rec["1"].output
    assert rec["1"].output is rec["2"].input


def test_a_call_that_failed_is_no_call_even_if_the_model_carries_on():
    class GivesUp(Catches):
        def forward(self, x):
            try:
                return self.wrong(x)
            except RuntimeError:
                return x

    rec = Activations(nn.Sequential(GivesUp(), nn.Linear(6, 2)), torch.randn(7, 6))
    assert rec.layernames == ["input", "1"]
    assert rec["1"].fed_by == ("input",)


@pytest.mark.parametrize(("shapes_only", "alive"), [(True, range(5)), (False, range(12, 20))])
def test_shapes_only_lets_go_of_every_tensor_during_the_pass(shapes_only, alive):
    class Last(nn.Module):
        def forward(self, x):
            found = [o for o in gc.get_objects() if type(o) is torch.Tensor]
            counts.append(sum(o.shape == (1237,) for o in found))
            return x

    counts = []
    Activations(
        nn.Sequential(*[nn.Tanh() for _ in range(12)], Last()), torch.ones(1237), shapes_only=shapes_only
    )
    assert counts[0] in alive, "what was given, its copy, and what is being handed on, or all of the record"


@pytest.mark.parametrize("options", [{}, {"batch_size": 3}])
def test_a_recording_is_freed_when_it_is_dropped(options):
    class Ends(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 3)

        def forward(self, x):
            return x + self.fc(x).relu()

    gc.disable()
    try:
        rec = Activations(Ends(), torch.randn(7, 3), **options)
        parts = [rec["fc"].output, rec["fc"].input, rec.returned]
        gone = [*map(weakref.ref, parts), weakref.ref(rec)]
        del rec, parts
        assert [ref() is None for ref in gone] == [True] * 4
    finally:
        gc.enable()


@pytest.mark.parametrize("options", [{}, {"batch_size": 3}])
def test_what_the_network_returned(options):
    class Ends(nn.Module):
        def forward(self, x):
            return {"scores": x * 2, "rest": x}

    x = torch.randn(7, 3)
    rec = Activations(Ends(), x, **options)
    assert torch.equal(rec.returned, x * 2)
    assert torch.equal(rec.take([4, 0]).returned, (x * 2)[[4, 0]])
    net = nn.Sequential(nn.Linear(3, 3))
    rec = Activations(net, x, **options)
    assert rec.returned is rec["0"].output
    assert Activations(net, x, shapes_only=True).returned is None
    assert Activations(lambda_module(lambda x: None), x, **options).returned is None


def lambda_module(function):
    module = nn.Module()
    module.forward = function
    return module


def test_a_module_that_runs_again_is_numbered_and_one_with_two_names_has_the_first():
    assert Activations(TwoNames(), torch.randn(2, 6)).layernames == ["input", "first", "first:1"]


def test_layers_know_their_module_kind_and_parameters():
    network = Mlp()
    rec = Activations(network, torch.randn(2, 6))
    assert rec.layerdescriptions == [
        "input",
        network.fc1,
        network.act1,
        network.fc2,
        network.act2,
        network.out,
    ]
    assert (rec["fc1"].kind, rec["fc1"].parameters, rec["fc1"].module) == ("Linear", 35, network.fc1)
    assert (rec["input"].kind, rec["input"].parameters, rec["input"].module) == ("input", 0, None)
    assert repr(rec["fc1"]) == "Layer('fc1', Linear, output (2, 5), 35 parameters)"
    assert repr(rec) == "Activations of Mlp: input (2, 6), 5 calls"


def test_modules_that_did_not_run_are_listed_without_containers():
    rec = Activations(NeverRuns(), torch.randn(2, 6))
    assert rec.never_ran == ["spare", "block.0", "block.1"]


@pytest.mark.parametrize("name", ["attention", "parametrised", "scripted"])
def test_what_runs_inside_a_recorded_leaf_is_not_missing(name):
    case = next(case for case in ZOO if case.name == name)
    assert Activations(case.make(), case.make_input()).never_ran == []


@pytest.mark.parametrize(
    ("name", "layer", "note"),
    [
        ("no tensor", "nothing", "returned no tensor (NoneType)"),
        ("no tensor", "number", "returned no tensor (dict)"),
        ("recurrent", "lstm", "shown is output[0] of the tuple it returned"),
        ("packed", "gru", "shown is output[0].data of the tuple it returned"),
        ("dataclass output", "head", "shown is output.logits of the Answer it returned"),
        ("two inputs", "input", "2 tensors were given; this is the first"),
        ("through numpy", "b", "its input was made outside torch's functions: what feeds it is not known"),
        ("mlp", "fc1", ""),
    ],
)
def test_notes_say_what_a_reader_must_know(name, layer, note):
    case = next(case for case in ZOO if case.name == name)
    assert Activations(case.make(), case.make_input())[layer].note == note


def test_a_model_on_the_meta_device_has_shapes():
    with torch.device("meta"):
        network, ids = Tokens(), torch.zeros(2, 5, dtype=torch.long)
        rec = Activations(network, ids, shapes_only=True)
    assert rec["head"].output_shape == (2, 5, 11)


def test_recording_inside_inference_mode_gives_usable_tensors():
    with torch.inference_mode():
        network, x = nn.Sequential(nn.Linear(6, 5), nn.Identity(), nn.ReLU(inplace=True)), torch.randn(2, 6)
        rec = Activations(network, x)
    assert rec.edges == [("input", "0"), ("0", "1"), ("1", "2")]
    assert not any(tensor.is_inference() for tensor in rec.layeractivations)
    torch.testing.assert_close(rec["1"].output.relu(), rec["2"].output)


def test_compiled_network_is_recorded_as_the_module_it_wraps():
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    compiled = torch.compile(network, backend="eager")
    assert Activations(compiled, torch.ones(5, 3)).layernames == ["input", "0", "1"]
