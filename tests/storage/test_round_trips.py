"""What is saved comes back: of the same type, equal to the last bit, shared where it was shared."""

import copy
import dataclasses
import datetime as dt
import importlib
import math

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
import torch
from alike import assert_alike
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from models import ZOO
from scipy import sparse
from torch import nn
from torch.nn import functional as F

import nbwidgets_nn as nw
from nbwidgets_nn.kernels.nn_graph import NNGraph
from nbwidgets_nn.record.steps import replay, steps_in
from nbwidgets_nn.record.stored_module import StoredFunction, StoredModule
from nbwidgets_nn.storage._objects import HOMES, class_of
from nbwidgets_nn.storage.output_loader import OutputLoader

NAN, PAYLOAD = math.nan, np.array([0x7FC00123, 0xFF800000], np.uint32).view(np.float32)


@pytest.fixture
def again(tmp_path):
    def save_and_load(value, **options):
        OutputLoader.save(value, tmp_path / "a file")
        return OutputLoader.load(tmp_path / "a file", **options)

    return save_and_load


def recording(case, **options):
    torch.manual_seed(0)
    network = case.make()
    return nw.Activations(network, case.make_input(), **options)


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
@pytest.mark.parametrize("shapes_only", [False, True])
def test_recordings_of_the_zoo(case, shapes_only, again):
    old = recording(case, shapes_only=shapes_only)
    new = again(old)
    assert_alike(old, new)
    assert repr(old) == repr(new)
    assert [repr(old[name]) for name in old] == [repr(new[name]) for name in new]
    assert_alike(new, again(new))  # a loaded one can be saved


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_a_model_takes_the_place_of_its_stand_in(case, again):
    old = recording(case)
    new = again(old, network=old.network)
    assert new.network is old.network
    assert [layer.module for layer in map(new.__getitem__, new)] == [old[name].module for name in old]
    assert not any(isinstance(new[name].activation, StoredModule) for name in new)


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_steps_compute_the_same_again(case, again):
    old = recording(case)
    new = again(old, network=old.network)
    for left, right in zip(map(old.__getitem__, old), map(new.__getitem__, new), strict=True):
        if left.origin is None or any(
            type(getattr(s, "function", None)) is StoredFunction for s in steps_in(right.origin)
        ):
            continue
        if all(output.index == 0 for output in steps_in(left.origin) if hasattr(output, "layer")):
            was = replay(left.origin, lambda output: old[output.layer].output)
            now = replay(right.origin, lambda output: new[output.layer].output)
            assert torch.equal(was, now)


def test_functions_of_torch_come_back_and_others_as_a_name(again):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3)

        def forward(self, x):
            return self.c(F.leaky_relu(self.b(torch.relu(self.a(x))), 0.2)).T

    new = again(nw.Activations(Net(), torch.ones(2, 3)))
    assert new["a"].activation is torch.relu
    assert new["b"].activation(torch.tensor(-1.0)) == -0.2
    assert new.origin.name == "T"
    assert replay(new.origin, lambda output: new[output.layer].output).shape == (3, 2)
    name = again(len)
    with pytest.raises(RuntimeError, match=r"this len was loaded from a file.*network=model"):
        name([])


def test_steps_inside_autocast(again):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.w = nn.Linear(3, 3), nn.Parameter(torch.randn(3, 3))

        def forward(self, x):
            with torch.autocast("cpu", torch.bfloat16):
                return self.a(x) @ self.w

    old = nw.Activations(Net(), torch.randn(2, 3))
    new = again(old, network=old.network)
    assert torch.equal(new.returned, old.returned)
    assert torch.equal(replay(new.origin, lambda output: new[output.layer].output), old.returned)


def test_a_long_chain_of_functions(again):
    class Long(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(2, 2)

        def forward(self, x):
            for _ in range(3000):
                x = x + 1
            return self.a(x)

    old = nw.Activations(Long(), torch.zeros(1, 2))
    new = again(old)
    assert torch.equal(replay(new["a"].origin, lambda _: torch.zeros(1, 2)), torch.full((1, 2), 3000.0))


def test_a_recording_works_without_its_model(again):
    old = nw.Activations(
        nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU()), torch.randn(6, 1, 8, 8)
    )
    new = again(old)
    assert torch.equal(new["0"].matrix(), old["0"].matrix())
    assert new.to_vector() == old.to_vector()
    assert torch.equal(new.take([3, 1])["2"].output, old.take([3, 1])["2"].output)
    assert_alike(nw.correlate(old["0"].matrix()), nw.correlate(new["0"].matrix()))
    assert str(new.network) == str(old.network)
    assert sum(p.numel() for p in new.network.parameters()) == 48
    with pytest.raises(nw.RecordingError, match="loaded from a file, which has no code and no weights"):
        nw.Activations(new.network, torch.ones(1, 1, 8, 8))
    with pytest.raises(
        AttributeError, match=r"this Conv2d was loaded from a file and has no 'stride'.*network=model"
    ):
        new["0"].module.stride  # noqa: B018


def test_a_recording_can_be_explored_without_its_model(again):
    new = again(nw.Activations(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), X))
    assert "26 parameters" in nw.explore(new).picker.subtitle


def test_what_is_shared_is_shared_again_and_written_once(tmp_path):
    old = nw.Activations(nn.Sequential(nn.Linear(1000, 1000), nn.ReLU()), torch.ones(50, 1000))
    assert old["0"].output is old["1"].input
    OutputLoader.save([old, old["0"].output], tmp_path / "x")
    new, output = OutputLoader.load(tmp_path / "x")
    assert new["0"].output is new["1"].input is output
    assert (tmp_path / "x").stat().st_size < 3 * 50 * 1000 * 4 + 20_000


BINS = {"in_bins": 2, "out_bins": 2}
NETWORK = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
X = torch.randn(60, 3, generator=torch.Generator().manual_seed(1))


def results():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2), nn.Sigmoid())
    record = nw.Activations(network, X)
    matrix = record["0"].matrix()
    topology = nw.topology_of(network, X)
    first = network[0]
    triplets = nw.triplets(record)
    edges = triplets["0"].top(5)
    yield "Correlation", nw.correlate(matrix)
    yield "Correlation", nw.correlate(torch.zeros(5, 2))
    yield "Dendrogram", nw.cluster_units(matrix)
    yield "IndependentNeurons", nw.extract_independent_neurons(matrix)
    yield "IndependentNeurons", nw.extract_independent_neurons(matrix.numpy())
    yield "UnitMeasures", nw.measure_units(matrix)
    yield "ActivationProfile", nw.activation_profile(matrix, np.arange(60) % 3)
    yield "ActivationProfile", nw.activation_profile(np.zeros((4, 2)), ["a", "b", "a", "b"])
    yield "HiddenLayerSize", nw.hl_size_analysis(matrix, print_values=False)
    yield "EffectiveInformation", nw.ei(first, topology, **BINS, return_result=True)
    yield "EffectiveInformation", nw.ei_parts(first, topology, **BINS, return_result=True)
    report = nw.ei_report(network, X, **BINS)
    yield "EIReport", report
    yield "LayerInformation", report.rows[0]
    yield "Bits", nw.degeneracy(first, topology, **BINS, return_result=True)
    yield "StrongestEdges", edges
    yield "Edge", next(iter(edges))
    yield "EdgeStatistics", triplets["0"].statistics([X])
    yield "EdgeBlock", triplets["0"].statistics([X]).block
    yield "Layer", record["1"]
    graph = NNGraph(record)
    yield "SpectrumReport", graph.transform(record).report
    yield "LayerEnergies", graph.energy(record)
    yield "LaplacianSpectrum", graph.laplacian_spectrum(record)
    yield "EigenspaceEnergies", graph.eigenspace_energy(record)
    yield "ChannelEdges", triplets["0"].by_channel()


def test_every_result(again, capsys):
    met = set()
    for name, old in results():
        met.add(type(old).__name__)
        assert type(old) is class_of(name)
        new = again(old)
        assert_alike(old, new, name)
        assert str(new) == str(old) or name == "Layer"
    inside_others = {
        "BoundFunction",
        "Output",
        "Step",
        "AxisReach",
        "Laid",
        "Link",
        "Reach",
        "Stage",
        "Stages",
        "Uniform",
    }
    assert met | inside_others == set(HOMES)
    new = again([old for _, old in results()])
    assert len(new) == len(list(results()))


def test_every_class_of_the_vocabulary_can_be_stored():
    for module in ("results", "information_results", "spectrum_results"):
        try:
            found = vars(importlib.import_module(f"nbwidgets_nn.{module}"))
        except ModuleNotFoundError:
            continue
        for name, cls in found.items():
            if dataclasses.is_dataclass(cls) and isinstance(cls, type) and cls.__module__.endswith(module):
                assert HOMES.get(name) == module


TENSORS = {
    "bool": lambda: torch.tensor([True, False]),
    "uint8": lambda: torch.tensor([1, 255], dtype=torch.uint8),
    "int64": lambda: torch.tensor([2**62]),
    "complex": lambda: torch.tensor([complex(NAN, -0.0)]),
    "bfloat16": lambda: torch.tensor([1.0, NAN, -math.inf, 1e-40]).bfloat16(),
    "half": lambda: torch.tensor([1.0, NAN, -math.inf, 6e-8]).half(),
    "float8": lambda: torch.tensor([1.0, 2.0, NAN]).to(torch.float8_e4m3fn),
    "complex half": lambda: torch.tensor([1 + 2j]).to(torch.complex32),
    "NaN with a payload": lambda: torch.from_numpy(PAYLOAD),
    "a scalar": lambda: torch.tensor(3.5),
    "a scalar of bfloat16": lambda: torch.tensor(3.5).bfloat16(),
    "empty": lambda: torch.zeros(0, 4),
    "empty bfloat16": lambda: torch.zeros(0, 4).bfloat16(),
    "transposed": lambda: torch.arange(6.0).reshape(2, 3).T,
    "channels last": lambda: torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
    "expanded": lambda: torch.ones(1, 3).expand(4, 3),
    "conjugated": lambda: torch.tensor([1 + 2j]).conj(),
    "negated": lambda: torch.tensor([1 + 2j]).conj().imag,
    "with a gradient": lambda: torch.ones(2, requires_grad=True) * 2,
    "a parameter": lambda: nn.Parameter(torch.ones(2)),
    "meta": lambda: torch.empty(2, 3, device="meta"),
    "sparse": lambda: torch.tensor([[0.0, 2.0], [NAN, 0.0]]).to_sparse(),
    "sparse, not summed": lambda: torch.sparse_coo_tensor([[0, 0]], [1.0, 2.0], (3,), check_invariants=True),
    "hybrid": lambda: torch.ones(3, 2).to_sparse(1),
    "csr": lambda: (torch.eye(3) * 2).to_sparse_csr(),
    "bsr": lambda: torch.eye(4).to_sparse_bsr((2, 2)),
}


@pytest.mark.filterwarnings("ignore:Sparse:UserWarning", "ignore:ComplexHalf:UserWarning")
@pytest.mark.parametrize("make", TENSORS.values(), ids=TENSORS)
def test_tensors(make, again):
    old = make()
    new = again(old)
    assert_alike(old, new)
    assert not new.requires_grad
    if old.layout is torch.sparse_coo:
        assert new.is_coalesced() == old.is_coalesced()


ARRAYS = {
    "text": np.array(["a", "näh", ""]),
    "bytes": np.array([b"a", b"bc"]),
    "dates": np.array(["2020-01-01", "NaT"], "datetime64[D]"),
    "big-endian": np.arange(3, dtype=">i2"),
    "long double": np.array([1, np.nan], np.longdouble),
    "reversed": np.arange(5)[::-1],
    "Fortran": np.asfortranarray(np.random.default_rng(0).normal(size=(2000, 1500))),
    "every other": np.arange(4_000_000, dtype=np.int64).reshape(2, 1000, 2000)[:, ::2, ::2],
    "no dimension": np.array(3),
    "empty": np.zeros((0, 3), "U4"),
    "masked": np.ma.array([1.0, NAN], mask=[True, False], fill_value=7.0),
    "nothing masked": np.ma.array([1, 2]),
}


@pytest.mark.parametrize("old", ARRAYS.values(), ids=ARRAYS)
def test_arrays(old, again):
    new = again(old)
    assert_alike(old, new)
    new[...] = new  # the caller's own


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
@pytest.mark.parametrize("kind", [sparse.random_array, sparse.random])
def test_sparse_matrices(form, kind, again):
    old = kind(
        *([(7, 5)] if kind is sparse.random_array else (7, 5)),
        density=0.3,
        format=form,
        random_state=np.random.default_rng(0),
    )
    assert_alike(old, again(old))


VALUES = [
    *(
        None,
        True,
        0,
        -(2**80),
        1.5,
        -0.0,
        NAN,
        -math.inf,
        1e-320,
        2 + 3j,
        complex(NAN, -0.0),
        "",
        "ä\0\ud800",
        b"\0\xff",
    ),
    *(
        (),
        (1, (2,)),
        [[]],
        {},
        {1: "a", (2, None): [1.0]},
        {1, 2},
        frozenset([3]),
        range(2, 9, 3),
        slice(1, None),
    ),
    *(..., torch.float16, torch.Size([2, 3]), torch.sparse_coo, np.float64(NAN), np.float32(1.5), np.int8(3)),
    *(np.bool_(True), np.str_("x"), np.datetime64("2020-01-01"), np.complex64(1j), np.longdouble(1) / 3),
]


@pytest.mark.parametrize("old", VALUES, ids=repr)
def test_small_values(old, again):
    assert_alike(old, again(old))


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(max_size=9),
    arrays.arrays(
        st.one_of(
            arrays.floating_dtypes(),
            arrays.integer_dtypes(),
            arrays.boolean_dtypes(),
            arrays.unicode_string_dtypes(),
        ),
        arrays.array_shapes(min_dims=0, min_side=0, max_side=4),
    ),
)
KEYS = st.one_of(st.text(), st.integers(), st.booleans())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    old=st.recursive(
        LEAVES,
        lambda inner: st.one_of(st.lists(inner), st.tuples(inner, inner), st.dictionaries(KEYS, inner)),
        max_leaves=12,
    )
)
def test_anything_made_of_these(old, again):
    assert_alike(old, again(old))


class Stranger:
    pass


CANNOT = {
    "a class of one's own": (
        lambda: {"a": [Stranger()]},
        r"obj\[0\]\[1\]\[0\]: expected arrays.*got an object of class Stranger",
    ),
    "objects in an array": (
        lambda: np.array([None]),
        r"obj: expected an array of numbers or text, got dtype object",
    ),
    "records": (lambda: np.zeros(2, "i4,f4"), r"expected an array of numbers or text"),
    "a date": (lambda: dt.date(2020, 1, 1), r"of class date"),
    "triplets": (lambda: nw.triplets(NETWORK, X), r"of class Triplets. Try: save its recording"),
    "a topology": (lambda: nw.topology_of(NETWORK, X), r"of class DiGraph. Try: save the recording"),
    "other sparse": (
        lambda: sparse.eye_array(3, format="lil"),
        r"CSR, CSC or COO.*got lil_array. Try: obj.tocsr\(\)",
    ),
    "quantised": (
        lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
        r"got a quantised one",
    ),
}


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")
@pytest.mark.parametrize(("make", "message"), CANNOT.values(), ids=CANNOT)
def test_what_cannot_be_stored_is_named(make, message, tmp_path):
    with pytest.raises(TypeError, match=message):
        OutputLoader.save(make(), tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_circles_and_depth(tmp_path):
    circle, deep = {}, []
    circle["self"] = circle
    for _ in range(5000):
        deep = [deep]
    for value in (circle, deep):
        with pytest.raises(ValueError, match="obj: expected values inside values, got too many levels"):
            OutputLoader.save(value, tmp_path / "x")


def others():
    without_bias = copy.deepcopy(NETWORK[0])
    without_bias.bias = None
    yield "whose class is a ReLU and not a Sequential", nn.ReLU()
    yield r"that lacks 2", nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    yield r"that has in addition 3", nn.Sequential(*NETWORK, nn.ReLU())
    yield r"whose 1 is a Tanh and not a ReLU", nn.Sequential(NETWORK[0], nn.Tanh(), NETWORK[2])
    yield r"whose 0.weight is \(4, 2\)", nn.Sequential(nn.Linear(2, 4), nn.ReLU(), NETWORK[2])
    yield r"whose 0.bias is None", nn.Sequential(without_bias, nn.ReLU(), NETWORK[2])
    yield r"whose 0.weight has other values", nn.Sequential(nn.Linear(3, 4), nn.ReLU(), NETWORK[2])


@pytest.mark.parametrize(("message", "network"), list(others()))
def test_another_model_is_refused(message, network, again):
    with pytest.raises(
        ValueError, match=f"^network: expected the model that was recorded, got one .*{message}"
    ):
        again(nw.Activations(NETWORK, X), network=network)


def test_a_model_that_shares_no_longer_is_refused(again):
    shared = nn.Linear(3, 3)
    old = nn.Sequential(shared, shared)
    apart = nn.Sequential(shared, nn.Linear(3, 3))
    apart[1].load_state_dict(shared.state_dict())
    with pytest.raises(ValueError, match="whose 1 is not shared"):
        again(nw.Activations(old, X), network=apart)


def test_a_model_for_a_file_without_one(again):
    with pytest.raises(
        ValueError, match="network: expected None, got a model for a file that holds no recording"
    ):
        again(3, network=NETWORK)


def test_what_was_saved_is_not_changed(tmp_path):
    old = nw.Activations(NETWORK, X)
    before = {name: layer.output.clone() for name, layer in ((name, old[name]) for name in old)}
    weights = [p.clone() for p in NETWORK.parameters()]
    OutputLoader.save(old, tmp_path / "x")
    new = OutputLoader.load(tmp_path / "x", network=NETWORK)
    new["0"].output.zero_()
    assert all(torch.equal(before[name], old[name].output) for name in old)
    assert all(torch.equal(a, b) for a, b in zip(weights, NETWORK.parameters(), strict=True))


def test_the_same_object_gives_the_same_bytes(tmp_path):
    for name in "ab":
        OutputLoader.save(nw.Activations(NETWORK, X), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
