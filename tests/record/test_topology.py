"""`topology_of` and `find_node`."""

import networkx as nx
import pytest
import torch
from model_state import prepared, state
from models import RAISING, ZOO, Mlp, NeverRuns, ReusedLinear
from torch import nn

import nbwidgets_nn as nw
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.errors import RecordingError
from nbwidgets_nn.record.topology import find_node, topology_of


def made(name):
    case = next(case for case in ZOO if case.name == name)
    network = case.make()
    return network, topology_of(network, case.make_input())


def named(topology):
    return {data["name"]: data for _, data in topology.nodes(data=True)}


def edges(topology):
    return {(topology.nodes[a]["name"], topology.nodes[b]["name"]) for a, b in topology.edges}


def test_the_seeds_example():
    network = nn.Sequential(nn.Linear(42, 20), nn.Sigmoid(), nn.Linear(20, 10))
    top = nw.topology_of(network, input=torch.zeros((1, 42)))
    layer1, sigmoid, layer2 = network
    assert top.nodes[layer1]["output"]["activation"] is sigmoid
    assert top.nodes[layer1]["input"]["shape"] == (1, 42)
    assert top.nodes[layer2]["input"] == {"activation": sigmoid, "shape": (1, 20)}
    assert top.nodes[layer2]["output"] == {"activation": None, "shape": (1, 10)}
    assert top.nodes[layer1]["input"]["activation"] is None
    assert list(top.nodes) == [layer1, layer2]
    assert list(top.edges) == [(layer1, layer2)]


EDGES = {
    "mlp": {("fc1", "fc2"), ("fc2", "out")},
    "functional": {("conv", "fc1"), ("fc1", "fc2"), ("fc2", "fc3")},
    "reused relu": {("fc1", "fc2")},
    "reused linear": {("step", "step:1"), ("step:1", "step:2")},
    "weight shared": {("first", "first:1")},
    "skip": {("conv1", "conv2"), ("conv1", "head"), ("conv2", "head")},
    "branches": {("left", "merge"), ("right", "merge"), ("gate", "merge")},
    "batch norm": {("0", "1")},
    "stateful": {("fc", "norm")},
    "own activation": {("fc1", "fc2")},
    "channels moved": {("conv", "norm"), ("norm", "wide"), ("wide", "narrow"), ("narrow", "pool")},
    "cell loop": {("cell", "cell:1"), ("cell:1", "cell:2"), ("cell:2", "cell:3")},
    "layer called input": {("input:1", "output")},
    "through numpy": set(),
}


@pytest.mark.parametrize("name", EDGES)
def test_edges(name):
    assert edges(made(name)[1]) == EDGES[name]


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_nodes_and_edges_are_those_of_the_recording(case):
    network = case.make()
    topology = topology_of(network, case.make_input())
    rec = topology.graph["recording"]
    assert nx.is_directed_acyclic_graph(topology)
    order = list(rec)
    names = [data["name"] for _, data in topology.nodes(data=True)]
    assert names == sorted(names, key=order.index), "in execution order"
    through = reachable(rec, {name for name in rec if name not in names and name != "input"})
    assert edges(topology) == {(a, b) for a, b in through if a in names and b in names}
    for key, data in topology.nodes(data=True):
        layer = rec[data["name"]]
        assert data["module"] is layer.module
        assert data["input"]["shape"] == layer.input_shape
        assert data["output"]["shape"] == layer.output_shape
        runs = [name for name in names if rec[name].module is layer.module]
        assert key == (data["name"] if len(runs) > 1 else layer.module)


def reachable(rec, transparent):
    """Pairs of calls with a path between them on which only the transparent ones stand: the naive way."""
    pairs = set(rec.edges)
    while True:
        more = {(a, d) for a, b in pairs for c, d in pairs if b == c and b in transparent} - pairs
        if not more:
            return pairs
        pairs |= more


class Norms(nn.Module):
    """A convolution, what takes its output, and a batch norm."""

    def __init__(self, norm, forward):
        super().__init__()
        self.conv, self.norm, self.relu, self.last = nn.Conv2d(1, 2, 3), norm, nn.ReLU(), nn.Conv2d(2, 2, 3)
        self.drop, self.run = nn.Dropout(), forward

    def forward(self, x):
        return self.run(self, x)


IMAGE = torch.randn(3, 1, 8, 8)

FOLDED = {
    "directly": lambda m, x: m.last(m.relu(m.norm(m.conv(x)))),
    "behind dropout": lambda m, x: m.last(m.relu(m.norm(m.drop(m.conv(x))))),
    "behind a change of shape": lambda m, x: m.last(m.relu(m.norm(m.conv(x).contiguous()))),
}
NOT_FOLDED = {
    "another taker": lambda m, x: m.last(m.relu(m.norm(h := m.conv(x)) + h)),
    "another layer takes it too": lambda m, x: m.last(h := m.conv(x)) + m.relu(m.norm(h))[..., 2:, 2:],
    "changed before": lambda m, x: m.last(m.relu(m.norm(m.conv(x) + 1))),
    "activation before": lambda m, x: m.last(m.norm(m.relu(m.conv(x)))),
}


@pytest.mark.parametrize("forward", FOLDED.values(), ids=FOLDED)
def test_the_batch_norm_behind_a_layer(forward):
    network = Norms(nn.BatchNorm2d(2), forward)
    nodes = named(topology_of(network, IMAGE))
    assert nodes["conv"]["norm"] is network.norm
    assert nodes["conv"]["output"]["activation"] is network.relu
    assert nodes["norm"]["norm"] is None
    assert nodes["norm"]["output"]["activation"] is network.relu
    assert nodes["last"]["input"]["activation"] is network.relu


@pytest.mark.parametrize("forward", NOT_FOLDED.values(), ids=NOT_FOLDED)
def test_a_batch_norm_that_is_not_all_there_is_behind_a_layer(forward):
    network = Norms(nn.BatchNorm2d(2), forward)
    node = named(topology_of(network, IMAGE))["conv"]
    assert node["norm"] is None
    before = "activation before" in NOT_FOLDED and forward is NOT_FOLDED["activation before"]
    assert node["output"]["activation"] is (network.relu if before else None)


@pytest.mark.parametrize("norm", [nn.BatchNorm2d(2, track_running_stats=False), nn.GroupNorm(1, 2)])
def test_a_norm_that_depends_on_the_other_samples_or_positions_is_not_folded(norm):
    node = named(topology_of(Norms(norm, FOLDED["directly"]), IMAGE))["conv"]
    assert node["norm"] is None
    assert node["output"]["activation"] is None


def test_activations_are_seen_through_pooling():
    network = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.Tanh(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(), nn.Linear(18, 2)
    )
    nodes = named(topology_of(network, IMAGE))
    assert list(nodes) == ["0", "2", "3", "5"]
    assert [nodes[name]["input"]["activation"] for name in "235"] == [network[1]] * 3


def test_the_recording_keeps_no_tensors_and_the_arguments_are_the_first_sample():
    x = torch.randn(5, 6)
    topology = topology_of(Mlp(), x)
    assert topology.graph["recording"].shapes_only
    (kept,) = topology.graph["arguments"].args
    assert torch.equal(kept, x[:1])
    x.zero_()
    assert kept.abs().sum() > 0


def test_one_image_without_a_batch_stays_whole():
    (kept,) = topology_of(nn.Conv2d(3, 2, 3), torch.randn(3, 8, 8)).graph["arguments"].args
    assert kept.shape == (3, 8, 8)


def test_what_has_no_sample_axis_is_not_cut():
    class Net(nn.Module):
        def forward(self, x, table, scale):
            return x @ table * scale

    given = torch.randn(5, 3), torch.randn(3, 3), torch.tensor(2.0)
    kept = topology_of(Net(), given).graph["arguments"].args
    assert [tuple(tensor.shape) for tensor in kept] == [(1, 3), (3, 3), ()]


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_the_model_is_as_before(case):
    network, given = prepared(case)
    before = state(network, given)
    topology_of(network, given)
    after = state(network, given)
    for what, value in before.items():
        assert after[what] == value, what


@pytest.mark.parametrize("case", RAISING, ids=lambda case: case.name)
def test_a_model_that_raises(case):
    with pytest.raises(RecordingError):
        topology_of(case.make(), case.make_input())


def test_works_on_the_meta_device():
    with torch.device("meta"):
        network = Mlp()
        assert len(topology_of(network, torch.zeros(4, 6))) == 3


def test_find_node_by_module_and_by_name():
    network, topology = made("mlp")
    assert find_node(topology, network.fc2) is find_node(topology, "fc2") is network.fc2
    _, topology = made("reused linear")
    assert [find_node(topology, name) for name in ("step", "step:1")] == ["step", "step:1"]


def test_find_node_of_a_compiled_layer():
    network, topology = made("mlp")
    assert find_node(topology, torch.compile(network.fc2, backend="eager")) is network.fc2


BAD = {
    "another model's": (lambda m: nn.Linear(1, 1), "layer: expected a module of the model, got a Linear that is not"),
    "activation": (lambda m: m.stem[1][1], r"got 'stem\.1\.1' \(GELU\)\. Try: 'stem\.1\.0', whose output it takes"),
    "activation by name": (lambda m: "stem.1.1", r"Try: 'stem\.1\.0', whose output it takes; GELU is an activation"),
    "container": (lambda m: m.stem, r"got 'stem' \(Sequential\)\. Try: one of the layers inside: stem\.0, stem\.1\.0"),
    "container by name": (lambda m: "blocks.1", r"one of the layers inside: blocks\.1\.fc, blocks\.1\.fc:1"),
    "typing error": (lambda m: "bloks.0", r"did you mean blocks\.0"),
    "several runs": (lambda m: m.blocks[1].fc, r"layer: 'blocks\.1\.fc' ran 2 times: pass 'blocks\.1\.fc' or 'blocks"),
    "input": (lambda m: "input", "expected the name of a layer, got 'input'"),
}  # fmt: skip


@pytest.mark.parametrize(("layer", "message"), BAD.values(), ids=BAD)
def test_find_node_says_what_is_wrong(layer, message):
    network, topology = made("nested")
    with pytest.raises(ValueError, match=message):
        find_node(topology, layer(network))


def test_find_node_of_a_layer_that_did_not_run():
    network = NeverRuns()
    topology = topology_of(network, torch.zeros(1, 6))
    for layer in (network.spare, "spare", "block.0"):
        with pytest.raises(ValueError, match=r"in_layer: .* this one did not run; those that ran are fc"):
            find_node(topology, layer, "in_layer")


def test_three_runs_are_listed():
    network = ReusedLinear()
    topology = topology_of(network, torch.zeros(1, 6))
    with pytest.raises(ValueError, match=r"^layer: 'step' ran 3 times: pass 'step', 'step:1' or 'step:2'$"):
        find_node(topology, network.step)


@pytest.mark.parametrize("layer", [3, None, nn.Linear])
def test_find_node_of_something_else(layer):
    with pytest.raises(TypeError, match="layer: expected a module of the model, or the name of a call"):
        find_node(made("mlp")[1], layer)


@pytest.mark.parametrize("topology", [nx.DiGraph(), Mlp(), None])
def test_a_topology_of_ones_own(topology):
    with pytest.raises(
        TypeError, match=r"topology: expected the graph of topology_of.*topology_of\(model, input\)"
    ):
        find_node(topology, "fc1")


def test_a_recording_is_not_a_topology():
    with pytest.raises(TypeError, match="got Activations"):
        find_node(Activations(Mlp(), torch.zeros(1, 6)), "fc1")
