"""Graphs come back with what was computed of them, and work without their model."""

import json
import tracemalloc
import zipfile

import networkx as nx
import numpy as np
import pytest
import torch
from alike import assert_alike
from models import ZOO
from test_hostile_files import altered, members, refused, write_zip
from torch import nn

import nbwidgets_nn as nw
from nbwidgets_nn.kernels.nn_graph import NNGraph
from nbwidgets_nn.storage._archive import STRUCTURE
from nbwidgets_nn.storage.output_loader import OutputLoader


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a graph"


def again(value, path, **options):
    OutputLoader.save(value, path)
    return OutputLoader.load(path, **options)


def small():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3))
    return nw.Activations(model, torch.randn(3, 1, 6, 6))


@pytest.mark.parametrize("INCL", [True, False])
@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_graphs_of_the_zoo(case, INCL, path):
    torch.manual_seed(0)
    model, given = case.make(), case.make_input()
    # Where sequences are packed, samples do not lie apart: one is recorded.
    recording = nw.Activations(model, given[:1] if case.name == "packed" else given)
    old = NNGraph(recording, INCL)
    new = again(old, path)
    assert (new.n_nodes, new.n_edges, new.notes, new.INCL) == (old.n_nodes, old.n_edges, old.notes, old.INCL)
    assert new.layers == old.layers
    for weighted in (False, True):
        assert_same_outcome(lambda graph, weighted=weighted: graph.adjacency_matrix(weighted), old, new)
    for kind in ("standard", "weighted", "normalized"):
        assert_same_outcome(lambda graph, kind=kind: graph.transform(recording, kind), old, new)


def assert_same_outcome(make, old, new):
    left, right = outcome(lambda: make(old)), outcome(lambda: make(new))
    if isinstance(left, nw.Activations):
        left, right = np.array(left.to_vector()), np.array(right.to_vector())
        np.testing.assert_allclose(right, left, rtol=1e-9, atol=1e-9)
    elif isinstance(left, str):
        assert left == right
    else:
        assert_alike(left, right)


def outcome(make):
    try:
        return make()
    except ValueError as error:
        return str(error)


def test_what_was_computed_is_there(path):
    recording = small()
    old = NNGraph(recording)
    old.inv_F, old.lu_piv  # noqa: B018
    new = again(old, path)
    assert_alike(old.transformers, new.transformers)
    assert_alike(vars(old)["eigenvectors"], vars(new)["eigenvectors"])
    assert (
        old.transform(recording, "laplacian").to_vector() == new.transform(recording, "laplacian").to_vector()
    )
    assert not again(NNGraph(recording), path).transformers


def test_a_loaded_graph_is_a_networkx_graph(path):
    old = NNGraph(small(), name="a name")
    new = again(old, path)
    assert not new.is_filled
    assert new.graph == {"name": "a name"}
    assert nx.utils.graphs_equal(nx.DiGraph(old), nx.DiGraph(new))
    assert new.is_filled
    assert_alike(old.basis(5).to_vector(), new.basis(5).to_vector())
    with pytest.raises(nx.NetworkXError, match="Frozen"):
        new.add_edge(1, 2)


def test_recording_graph_and_spectrum_together(path):
    recording = small()
    graph = NNGraph(recording)
    new_recording, new_graph, new_spectrum = again([recording, graph, graph.transform(recording)], path)
    assert new_graph.activations is new_recording
    assert repr(new_spectrum) == repr(graph.transform(recording))
    assert new_spectrum.report == graph.transform(recording).report
    back = new_graph.inverse_transform(new_spectrum)
    np.testing.assert_allclose(back.to_vector(), recording.to_vector(), rtol=1e-6, atol=1e-6)


def test_a_model_takes_its_place_in_a_graph(path):
    recording = small()
    new = again(NNGraph(recording), path, network=recording.network)
    assert new.activations.network is recording.network


def test_weights_of_a_layer_used_twice_are_written_once(path):
    layer = nn.Linear(300, 300)
    recording = nw.Activations(nn.Sequential(layer, layer, layer), torch.ones(1, 300))
    OutputLoader.save(NNGraph(recording), path)
    assert path.stat().st_size < 300 * 300 * 4 + 40_000


def test_a_copy_made_by_networkx_is_refused(path):
    with pytest.raises(TypeError, match=r"of class NNGraph. Try: save the graph that it is a copy of"):
        OutputLoader.save(NNGraph(small()).reverse(), path)


def objects(path, kind):
    structure = json.loads(members(path)[STRUCTURE])
    return structure, [o for o in structure["objects"] if o["is"] == kind]


def test_stages_that_read_later_ones(path):
    OutputLoader.save(NNGraph(small()), path)
    for change in (10**6, -1, 5, 1.0, None):
        structure, links = objects(path, "Link")
        links[-1]["source"] = change
        altered(path, objects=structure["objects"])
        refused(path, "a graph with|parts that do not fit")


@pytest.mark.parametrize(
    "change", [{"rows": 99}, {"cols": -1}, {"own": True, "rows": 7}, {"mask": 3}, {"table": "x"}]
)
def test_axes_of_another_size(change, path):
    OutputLoader.save(NNGraph(small()), path)
    structure, axes = objects(path, "AxisReach")
    axes[0].update(change)
    altered(path, objects=structure["objects"])
    refused(path, "a graph with|parts that do not fit")


@pytest.mark.parametrize(
    "change", [{"times": 0}, {"times": -1}, {"times": 2}, {"times": 1.0}, {"times": True}, {"axis": 9}, {"axis": -1}, {"axis": "0"}, {"axis": True}, {"axis": None}, {"full": 3}, {"full": [3, 1, 6, 6]}, {"full": {"is": "tuple", "of": [3, 1, 6, 5]}}, {"full": {"is": "tuple", "of": [3, -1, -6, 6]}}]
)  # fmt: skip
def test_samples_that_lie_elsewhere(change, path):
    OutputLoader.save(NNGraph(small()), path)
    structure, laid = objects(path, "Laid")
    laid[0].update(change)
    altered(path, objects=structure["objects"])
    refused(path, "a graph with samples that cannot be")


LONG = {"is": "range", "of": [0, 10**8, 1]}


@pytest.mark.parametrize(("kind", "part"), [("Uniform", "factor"), ("Reach", "order"), ("Reach", "axes"), ("Stages", "all"), ("Stages", "laid"), ("Stages", "notes"), ("Matrix", "lead"), ("NNGraph", "eigenvectors"), ("NNGraph", "transformers"), ("NNGraph", "attributes")])  # fmt: skip
def test_long_ranges_in_a_graph_take_no_memory(kind, part, path):
    OutputLoader.save(NNGraph(small()), path)
    structure, found = objects(path, kind)
    for one in found:
        one[part] = [LONG, LONG] if part == "eigenvectors" else LONG
    altered(path, objects=structure["objects"])
    tracemalloc.start()
    refused(path, "a graph with|a graph that is none|with a range|parts that do not fit")
    assert tracemalloc.get_traced_memory()[1] < 2**23
    tracemalloc.stop()


def test_what_fits_but_for_one_thing(path):
    OutputLoader.save(NNGraph(nw.Activations(nn.Sequential(nn.ReLU(), nn.ReLU()), torch.ones(1, 4))), path)
    untouched = path.read_bytes()
    changes = [("Link", {"source": -1}), ("Link", {"source": 1}), ("Link", {"source": 2})]
    changes += [("AxisReach", {"rows": 5, "cols": 5}), ("Stage", {"start": 1})]
    for kind, change in changes:
        path.write_bytes(untouched)
        structure, found = objects(path, kind)
        found[1 if kind == "Stage" else 0].update(change)
        altered(path, objects=structure["objects"])
        refused(path, "a graph with")


def test_a_convolution_that_reads_outside(path):
    OutputLoader.save(NNGraph(small()), path)
    assert OutputLoader.load(path).adjacency_matrix(True).shape == (36 + 32 + 32 + 8 + 8 + 3,) * 2
    structure, (block, *_) = objects(path, "EdgeBlock")
    at = block["reach"]["at"]
    number = structure["objects"][at]["number"]
    contents = members(path)
    data = bytearray(contents[f"{number}.npy"])
    data[-8:] = (10**6).to_bytes(8, "little")
    write_zip(path, {**contents, f"{number}.npy": bytes(data)})
    refused(path, "a graph with a block of edges that cannot be")


def test_winners_and_pivots_outside(path):
    recording = nw.Activations(nn.Sequential(nn.MaxPool1d(2), nn.Linear(2, 2)), torch.randn(1, 1, 4))
    old = NNGraph(recording, INCL=False)
    old.lu_piv[1][0] = 10**6
    OutputLoader.save(old, path)
    refused(path, "a graph with a decomposition that cannot be")
    old.transformers.clear()
    OutputLoader.save(old, path)
    structure, winners = objects(path, "Winners")
    winners[0]["winner"] = {"is": "object", "at": len(structure["objects"])}
    number = len(structure["arrays"])
    with zipfile.ZipFile(path, "a") as archive, archive.open(zipfile.ZipInfo(f"{number}.npy"), "w") as file:
        np.save(file, np.array([0, 99]))
    # An object may refer to earlier ones only: put the array first, and move all others on.
    text = json.dumps(structure["objects"])
    moved = json.loads(text, object_hook=lambda o: {**o, "at": o["at"] + 1} if o.get("is") == "object" else o)
    next(o for o in moved if o["is"] == "Winners")["winner"] = {"is": "object", "at": 0}
    arrays = [*structure["arrays"], {"dtype": "<i8", "shape": [2]}]
    value = {**structure["value"], "at": structure["value"]["at"] + 1}
    altered(path, objects=[{"is": "array", "number": number}, *moved], arrays=arrays, value=value)
    refused(path, "a graph with winners that cannot be")
