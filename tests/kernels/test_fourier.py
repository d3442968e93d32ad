"""Causal transforms: values, round trips, shifts and filters, against matrices."""

import inspect
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
import torch
from graph_models import CASES
from graph_oracles import closure, record, recorded_zoo, vector
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import nbwidgets_nn as nw
from nbwidgets_nn.kernels.graph import axis_reach as ax
from nbwidgets_nn.kernels.graph import laplacian
from nbwidgets_nn.kernels.graph.closure import PlannedClosure
from nbwidgets_nn.kernels.graph.stages import Matrix
from nbwidgets_nn.kernels.nn_graph import NNGraph
from nbwidgets_nn.kernels.spectrum import Spectrum
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.spectrum_results import SpectrumReport

CAUSAL = ("standard", "weighted", "normalized")
TYPES = (*CAUSAL, "laplacian")


def layers(*sizes, bias=True):
    return nn.Sequential(*(nn.Linear(a, b, bias=bias) for a, b in pairwise(sizes)))


def small(samples=1):
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 2, 2), nn.ReLU(), nn.Conv2d(2, 3, 2), nn.Tanh(), nn.Flatten(), nn.Linear(12, 4)
    )
    recording = Activations(network, torch.randn(samples, 1, 4, 4))
    return recording, NNGraph(recording)


def rows(recording, graph):
    """(samples, nodes) of a recording whose samples stand first."""
    return torch.cat([t.double().flatten(1) for t in recording.layeractivations], 1).numpy()


def matrix_of(graph, kind):
    A = graph.adjacency_matrix().toarray()
    if kind == "standard":
        return closure(A)
    if kind == "weighted":
        A = graph.adjacency_matrix(weighted=True).toarray()
    else:
        A = A / np.maximum(A.sum(axis=1, keepdims=True), 1)
    return np.linalg.inv(np.eye(len(A)) - A)


def test_six_nodes_by_hand():
    recording = Activations(layers(2, 3, 1), torch.ones(1, 2))
    graph = NNGraph(recording)
    assert graph.transform(recording.to_activations(range(1, 7))).to_vector() == [1, 2, 0, 1, 2, 0]


def test_the_readme_network_of_nsp():
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.conv2, self.fc1 = nn.Conv2d(1, 2, 2), nn.Conv2d(2, 8, 2), nn.Linear(32, 8)

        def forward(self, x):
            return self.fc1(torch.sigmoid(self.conv2(torch.sigmoid(self.conv1(x)))).view(-1, 32))

    graph = NNGraph(Activations(Network(), torch.randn(1, 1, 4, 4)))
    assert (graph.n_nodes, graph.n_edges, graph.inv_F.nnz) == (74, 584, 1218)


def test_layers_against_a_triangular_solve():
    recording = Activations(layers(4, 5, 3, 6, 2), torch.randn(1, 4))
    graph = NNGraph(recording)
    solved = np.linalg.solve(closure(graph.adjacency_matrix().toarray()), vector(recording))
    np.testing.assert_allclose(graph.transform(recording).to_vector(), solved, atol=1e-12)


@pytest.mark.parametrize("samples", [1, 3, 7])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_large_layers_are_multiplied_in_float64(samples, dtype):
    torch.manual_seed(0)
    weight = torch.randn(700, 1600).to(dtype)
    values = np.random.default_rng(0).standard_normal((samples, 1600))
    found = Matrix(lambda: weight, 1).apply(values)
    np.testing.assert_allclose(found, values @ weight.double().numpy().T, rtol=0, atol=1e-11)


def test_without_biases_a_linear_network_has_a_weighted_spectrum_of_its_input_alone():
    recording = Activations(layers(4, 5, 3, bias=False).double(), torch.randn(1, 4, dtype=torch.float64))
    found = NNGraph(recording).transform(recording, "weighted")
    assert torch.equal(found["input"].output, recording["input"].output)
    np.testing.assert_allclose(found.to_vector()[4:], 0, atol=1e-15)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(("name", "case"), recorded_zoo())
def test_round_trip_and_matrix_on_the_zoo(name, case, kind):
    recording = record(case)
    graph = NNGraph(recording)
    spectrum = graph.transform(recording, kind)
    values = _values(graph, recording)
    np.testing.assert_allclose(
        _values(graph, graph.inverse_transform(spectrum)),
        values,
        rtol=0,
        atol=1e-9 * max(1, np.abs(values).max()),
        err_msg=name,
    )
    if kind == "laplacian":
        frequencies, basis = graph.eigenvectors
        L = np.diag(frequencies)
        np.testing.assert_allclose(basis @ L @ basis.T, graph.laplacian().toarray(), atol=1e-9)
        expected = values @ basis
    else:
        expected = np.linalg.solve(matrix_of(graph, kind), values.T).T
    np.testing.assert_allclose(_values(graph, spectrum), expected, atol=1e-9 * np.abs(expected).max())


def _values(graph, recording):
    from nbwidgets_nn.kernels.spectrum import values_of

    return values_of(recording, graph.units)


@pytest.mark.parametrize("kind", CAUSAL)
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_every_structure_against_its_matrix(case, kind):
    recording = Activations(case.model, torch.randn(2, *case.shape))
    graph = NNGraph(recording)
    values = _values(graph, recording)
    expected = np.linalg.solve(matrix_of(graph, kind), values.T).T
    spectrum = graph.transform(recording, kind)
    np.testing.assert_allclose(_values(graph, spectrum), expected, atol=1e-9 * np.abs(expected).max())
    np.testing.assert_allclose(_values(graph, graph.inverse_transform(spectrum)), values, atol=1e-7)


class Dense(nn.Module):
    """Every convolution reads the outputs of all before it, side by side; at the end a strided residual block."""

    def __init__(self):
        super().__init__()
        self.grown = nn.ModuleList(nn.Conv2d(2 + 2 * k, 2, 3, padding=1) for k in range(4))
        self.a, self.b = nn.Conv2d(10, 4, 3, stride=2, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.down, self.last = nn.Conv2d(10, 4, 1, stride=2), nn.Linear(4, 2)

    def forward(self, x):
        for step in self.grown:
            x = torch.cat([x, step(x).relu()], 1)
        return self.last((self.b(self.a(x).relu()) + self.down(x)).mean((2, 3)))


def test_dense_and_residual_convolutions_are_products_at_any_size(monkeypatch):
    """No table larger than the largest axis squared is made: with such a limit the plan is still found."""
    monkeypatch.setattr(ax, "LIMIT", 40 * 40)
    monkeypatch.setattr(ax, "DENSE", 40 * 40)
    for size in (8, 40):
        recording = Activations(Dense(), torch.randn(1, 2, size, size))
        graph = NNGraph(recording)
        assert isinstance(graph.units.closure, PlannedClosure)
        spectrum = graph.transform(recording)
        if size == 8:
            with monkeypatch.context() as free:
                free.setattr(ax, "LIMIT", 10**7)
                W = matrix_of(NNGraph(recording), "standard")
            expected = np.linalg.solve(W, vector(recording))
            np.testing.assert_allclose(vector(spectrum), expected, atol=1e-9 * np.abs(expected).max())


WIDTHS = (2, 3, 5)


class Wired(nn.Module):
    """Step k adds what the steps of its wires give, brought to its width by a Linear, or as they are; some are pointwise."""

    def __init__(self, widths, wires):
        super().__init__()
        self.wires = wires
        self.joins = nn.ModuleDict()
        for k, wire in enumerate(wires):
            for source in wire:
                if widths[source] != widths[k + 1] or (source + k) % 3 == 0:
                    self.joins[f"{source}to{k}"] = nn.Linear(widths[source], widths[k + 1])
        self.steps = nn.ModuleList(nn.Tanh() if k % 2 else nn.Identity() for k in range(len(wires)))

    def forward(self, x):
        values = [x]
        for k, wire in enumerate(self.wires):
            parts = [
                self.joins[f"{s}to{k}"](values[s]) if f"{s}to{k}" in self.joins else values[s] for s in wire
            ]
            values.append(self.steps[k](sum(parts[1:], parts[0])))
        return values[-1]


@st.composite
def wired(draw):
    count = draw(st.integers(1, 6))
    widths = [draw(st.sampled_from(WIDTHS)) for _ in range(count + 1)]
    wires = [sorted(draw(st.sets(st.integers(0, k), min_size=1, max_size=3))) for k in range(count)]
    return Wired(widths, wires), widths[0]


@settings(max_examples=40, deadline=None)
@given(wired())
def test_random_networks_with_skips(made):
    network, width = made
    recording = Activations(network, torch.randn(2, width))
    graph = NNGraph(recording)
    values = rows(recording, graph)
    for kind in CAUSAL:
        expected = np.linalg.solve(matrix_of(graph, kind), values.T).T
        found = _values(graph, graph.transform(recording, kind))
        np.testing.assert_allclose(found, expected, atol=1e-8 * max(1, np.abs(expected).max()))
    kept = graph.units.closure.transposed(np.eye(graph.n_nodes))
    np.testing.assert_allclose(kept, matrix_of(graph, "standard"), atol=1e-9)
    assert true_growth(graph) <= graph.units.closure.growth() * (1 + 1e-12)


@pytest.mark.parametrize("kind", CAUSAL)
def test_shifts_commute_and_are_idempotent(kind):
    recording, graph = small(3)
    p, q = ("2", 0, 1, 0), ("5", 2)
    once = vector(graph.shift(recording, p, kind))
    twice = graph.shift(graph.shift(recording, p, kind), p, kind)
    np.testing.assert_allclose(vector(twice), once, atol=1e-8)
    one_way, other_way = (graph.shift(graph.shift(recording, a, kind), b, kind) for a, b in ((p, q), (q, p)))
    np.testing.assert_allclose(vector(one_way), vector(other_way), atol=1e-8)
    W = matrix_of(graph, kind)
    kept = np.diag(matrix_of(graph, "standard")[graph.node_id(p)])
    expected = rows(recording, graph) @ (W @ kept @ np.linalg.inv(W)).T
    np.testing.assert_allclose(rows(graph.shift(recording, p, kind), graph), expected, atol=1e-8)


@pytest.mark.parametrize("kind", CAUSAL)
def test_filters_are_sums_of_shifts(kind):
    recording, graph = small(2)
    h = {("input", 0, 1, 1): 2.0, ("2", 1, 0, 0): -0.5, ("5", 3): 1.5}
    expected = sum(value * rows(graph.shift(recording, q, kind), graph) for q, value in h.items())
    np.testing.assert_allclose(rows(graph.filter(recording, h, kind), graph), expected, atol=1e-8)
    whole = np.zeros(graph.n_nodes)
    whole[[graph.node_id(q) for q in h]] = list(h.values())
    np.testing.assert_allclose(rows(graph.filter(recording, whole, kind), graph), expected, atol=1e-8)


def test_the_laplacian_filter_is_a_function_of_the_frequencies():
    recording, graph = small(2)
    found = rows(graph.filter(recording, lambda f: 2 * f, "laplacian"), graph)
    np.testing.assert_allclose(found, rows(recording, graph) @ (2 * graph.laplacian().toarray()), atol=1e-8)
    with pytest.raises(TypeError, match="h: expected a function of the frequencies"):
        graph.filter(recording, {}, "laplacian")


@pytest.mark.parametrize("kind", TYPES)
def test_keeping_all_or_none_or_one(kind):
    recording, graph = small(2)
    keep = np.zeros(graph.n_nodes)
    assert not np.any(rows(graph.keep(recording, keep, kind), graph))
    np.testing.assert_allclose(
        rows(graph.keep(recording, keep + 1, kind), graph), rows(recording, graph), atol=1e-8
    )
    keep[7] = 1
    coefficient = _values(graph, graph.transform(recording, kind))[:, 7:8]
    expected = coefficient * vector(graph.basis(7, kind))
    np.testing.assert_allclose(rows(graph.keep(recording, keep, kind), graph), expected, atol=1e-9)
    with pytest.raises(ValueError, match="numbers a sample"):
        graph.keep(recording, keep[1:], kind)


@pytest.mark.parametrize("kind", TYPES)
def test_the_basis_is_the_column_of_the_matrix(kind):
    _, graph = small()
    node = ("2", 1, 0, 1)
    number = graph.node_id(node)
    column = graph.eigenvectors[1][:, number] if kind == "laplacian" else matrix_of(graph, kind)[:, number]
    np.testing.assert_allclose(vector(graph.basis(node, kind)), column, atol=1e-10)
    assert vector(graph.basis(number, kind)).tolist() == vector(graph.basis(node, kind)).tolist()
    with pytest.raises(IndexError, match="node: expected a number from 0"):
        graph.basis(10**6)


@pytest.mark.parametrize("kind", TYPES)
def test_every_sample_is_transformed(kind):
    recording, graph = small(3)
    spectrum = graph.transform(recording, kind)
    assert isinstance(spectrum, Spectrum)
    assert [t.shape for t in spectrum.layeractivations] == [t.shape for t in recording.layeractivations]
    assert {t.dtype for t in spectrum.layeractivations} == {torch.float64}
    assert spectrum.report.samples == 3
    for sample in range(3):
        one = graph.transform(recording.take([sample]), kind)
        np.testing.assert_allclose(rows(spectrum, graph)[sample], vector(one), atol=1e-9)
    assert recording["input"].output.dtype == torch.float32  # nothing of the recording was changed


@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind != "laplacian"])  # those are no layers' own
def test_energies(kind):
    recording, graph = small(2)
    spectrum = graph.transform(recording, kind)
    energies = graph.energy(spectrum)
    assert energies.layers == tuple(recording)
    squares = rows(spectrum, graph) ** 2
    np.testing.assert_allclose(energies.energy.sum(axis=1), squares.sum(axis=1))
    np.testing.assert_allclose(energies["input"], squares[:, :16].sum(axis=1))
    np.testing.assert_allclose(energies.share.sum(axis=1), 1)
    with pytest.raises(KeyError, match="no layer 'x'"):
        energies["x"]


def test_parseval():
    recording, graph = small(3)
    spectrum = rows(graph.transform(recording, "laplacian"), graph)
    np.testing.assert_allclose((spectrum**2).sum(axis=1), (rows(recording, graph) ** 2).sum(axis=1))
    spaces = graph.eigenspace_energy(recording)
    np.testing.assert_allclose(spaces.energy.sum(axis=1), (rows(recording, graph) ** 2).sum(axis=1))
    assert spaces.dimensions.sum() == graph.n_nodes


def test_a_spectrum_that_has_lost_all_precision_says_so():
    recording = Activations(layers(*[20] * 24), torch.randn(1, 20))
    report = NNGraph(recording).transform(recording).report
    assert report.digits == 0
    assert "all precision is lost" in report.warning
    assert "type='normalized' does not grow so" in report.warning
    for kind in TYPES[1:]:
        assert NNGraph(recording).transform(recording, kind).report.warning == ""


@pytest.mark.parametrize("kind", CAUSAL)
def test_the_largest_finite_values_pass_without_a_warning(kind):
    recording = Activations(
        nn.Sequential(nn.ReLU(), nn.ReLU()), torch.full((1, 2), 1e308, dtype=torch.double)
    )
    spectrum = NNGraph(recording).transform(recording, kind)
    np.testing.assert_array_equal(spectrum.to_vector(), [1e308, 1e308, 0, 0, 0, 0])


def test_the_report_of_a_weighted_spectrum_says_what_was_taken():
    class Own(nn.LSTM):
        def forward(self, x):
            return super().forward(x)

    network = nn.Sequential(nn.Conv1d(1, 2, 2), nn.MaxPool1d(2), Own(2, 3))
    recording = Activations(network, torch.randn(1, 1, 5))
    report = NNGraph(recording).transform(recording, "weighted").report
    assert report.notes[0].startswith("2 (Own): every unit is taken to read every unit")
    assert report.notes[1] == "not subtracted: what goes without known weights into 2"
    assert report.notes[2].startswith("max pooling has the weight 1 from the unit that is largest")


@pytest.mark.parametrize("kind", CAUSAL)
@pytest.mark.parametrize(
    "network", [layers(*[10] * 13, bias=False), layers(*[8] * 5), nn.Sequential(*[nn.ReLU()] * 60)]
)
def test_no_more_digits_are_promised_than_come_back(kind, network):
    torch.manual_seed(0)
    for weight in network.parameters():
        nn.init.normal_(weight, std=3)
    recording = Activations(network, torch.randn(1, 10 if len(network) > 9 else 8))
    graph = NNGraph(recording)
    spectrum = graph.transform(recording, kind)
    given, back = vector(recording), vector(graph.inverse_transform(spectrum))
    real = -np.log10(max(np.abs(back - given).max() / np.abs(given).max(), 1e-17))
    assert not spectrum.report.digits > real
    by_matrix = nw.Transformer.get_fourier_coefficients(recording, graph.get_transformer(kind), kind).report
    assert np.isnan(by_matrix.digits) == np.isnan(spectrum.report.digits) == (kind == "weighted")
    assert kind == "standard" or by_matrix.growth == spectrum.report.growth


def true_growth(graph):
    return np.abs(np.linalg.inv(closure(graph.adjacency_matrix().toarray()))).sum(axis=1).max()


@pytest.mark.parametrize("pointwise", [False, True])
@pytest.mark.parametrize("sizes", [(2, 3, 1), (4, 5, 3, 6, 2), (20,) * 5, (1, 1, 1), (2,) * 12])
def test_the_bound_of_the_growth_is_met_by_dense_networks(sizes, pointwise):
    network = [part for layer in layers(*sizes) for part in (layer, *[nn.ReLU()] * pointwise)]
    graph = NNGraph(Activations(nn.Sequential(*network), torch.randn(1, sizes[0])))
    assert graph.units.closure.growth() == pytest.approx(true_growth(graph))


def test_the_bound_of_the_growth_is_met_where_dense_layers_are_skipped():
    class Skipping(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = layers(5, 5, 5, 5, 5)

        def forward(self, x):
            for layer in self.layers:
                x = x + torch.relu(layer(x))
            return x

    graph = NNGraph(Activations(Skipping(), torch.randn(1, 5)))
    assert true_growth(graph) <= graph.units.closure.growth() <= 1.5 * true_growth(graph)


class Between(nn.Module):
    """Dense layers, and beside one of them what reads some of its units only."""

    def __init__(self, function, width):
        super().__init__()
        self.first, self.inside, self.last = nn.Linear(2, 6), nn.Tanh(), layers(6 + width, 5, 3)
        self.function = function

    def forward(self, x):
        x = self.first(x)
        return self.last(torch.cat([self.inside(self.function(x)), x], 1))


@pytest.mark.parametrize(
    ("function", "width"),
    [
        (lambda x: x[:, :2], 2),
        (lambda x: x[:, [0, 0, 0, 0, 0, 0, 0, 0]], 8),
        (lambda x: x[:, 1:] + x[:, :-1], 5),
        (lambda x: x + x.roll(1, 1), 6),
        (lambda x: x.unfold(1, 5, 1).sum(2), 2),
    ],
)
def test_the_bound_of_the_growth_is_kept_where_some_units_are_read(function, width):
    graph = NNGraph(Activations(Between(function, width), torch.randn(1, 2)))
    assert true_growth(graph) <= graph.units.closure.growth() * (1 + 1e-12)


def test_the_bound_of_the_growth_of_convolutions_is_kept():
    _, graph = small()
    assert true_growth(graph) <= graph.units.closure.growth() <= 4 * true_growth(graph)


def test_a_growth_beyond_the_largest_number_is_infinite_and_leaves_no_digits():
    graph = NNGraph(Activations(layers(*[100] * 200), torch.zeros(1, 100)))
    report = SpectrumReport("standard", graph.units.closure.growth())
    assert report.growth == np.inf
    assert report.digits == 0
    assert "all precision is lost" in report.warning


def test_the_names_and_defaults_of_the_seed():
    def parameters(function):
        return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]

    none = inspect.Parameter.empty
    assert parameters(NNGraph.transform)[1:3] == [("activations", none), ("type", "standard")]
    assert parameters(NNGraph.get_transformer)[1:] == [("type", "standard")]
    assert parameters(NNGraph.__init__)[1:3] == [("activations", None), ("INCL", True)]
    assert parameters(nw.Transformer.get_inv_fourier_matrix) == [("graph", none), ("type", "standard")]
    assert parameters(nw.Transformer.get_fourier_matrix) == [("graph", none), ("inv_F", none)]
    assert parameters(nw.Transformer.get_laplacian)[0] == ("graph", none)
    expected = [("activations", none), ("inv_F", None), ("type", "standard"), ("lu_piv", None)]
    assert parameters(nw.Transformer.get_fourier_coefficients) == expected


def test_an_unknown_type_lists_the_known():
    recording, graph = small()
    further = {
        graph.transform: {},
        graph.inverse_transform: {},
        graph.keep: {"keep": []},
        graph.filter: {"h": []},
    }
    for call, arguments in further.items():
        with pytest.raises(
            ValueError, match="'standard', 'laplacian', 'weighted', 'normalized', got 'fourier'"
        ):
            call(recording, type="fourier", **arguments)
    with pytest.raises(ValueError, match="'standard', 'weighted', 'normalized', got 'laplacian'"):
        graph.shift(recording, ("input", 0, 0, 0), "laplacian")
    with pytest.raises(ValueError, match="got 'x'"):
        graph.get_transformer("x")


def test_recordings_that_do_not_fit_are_refused():
    recording, graph = small()
    with pytest.raises(TypeError, match="activations: expected a recording, got list"):
        graph.transform([1.0, 2.0])
    other = Activations(layers(3, 2), torch.ones(1, 3))
    with pytest.raises(
        ValueError,
        match="a recording of the model that the graph is of, got one that differs in",
    ):
        graph.transform(other)
    wider = Activations(recording.network[:4], torch.randn(1, 1, 5, 5))
    narrow = NNGraph(Activations(recording.network[:4], torch.randn(1, 1, 4, 4)))
    with pytest.raises(ValueError, match=r"16 values a sample in 'input', .*, got shape \(1, 1, 5, 5\)"):
        narrow.transform(wider)
    with pytest.raises(ValueError, match="shapes_only=True"):
        graph.transform(Activations(recording.network, torch.randn(1, 1, 4, 4), shapes_only=True))
    with pytest.raises(ValueError, match="numbers, one a node"):
        graph.filter(recording, [1.0])
    with pytest.raises(KeyError, match="no layer 'conv'"):
        graph.shift(recording, ("conv", 0))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(bad):
    recording, graph = small()
    values = vector(recording)
    values[18] = bad
    with pytest.raises(ValueError, match=r"NaN or infinity in '0' \(1\)"):
        graph.transform(recording.to_activations(values))


def test_weights_that_were_changed_since_are_refused():
    recording, graph = small()
    with torch.no_grad():
        recording.network[5].weight += 1
    with pytest.raises(ValueError, match="'5': its weights do not give the recorded output"):
        graph.transform(recording, "weighted")


def test_weights_changed_between_two_transforms_are_refused():
    recording, graph = small()
    graph.transform(recording, "weighted")
    with torch.no_grad():
        recording.network[5].weight += 1
    with pytest.raises(ValueError, match="'5': its weights do not give"):
        graph.transform(recording, "weighted")


@pytest.mark.parametrize("kind", TYPES)
def test_a_graph_without_edges(kind):
    class Nothing(nn.Module):
        def forward(self, x):
            return None

    recording = Activations(nn.Sequential(Nothing()), torch.randn(2, 3))
    graph = NNGraph(recording)
    assert (graph.n_nodes, graph.n_edges, list(graph.edges)) == (3, 0, [])
    spectrum = graph.transform(recording, kind)
    np.testing.assert_allclose(
        np.sort(np.abs(vector(spectrum))), np.sort(np.abs(vector(recording))), atol=1e-12
    )
    np.testing.assert_allclose(vector(graph.inverse_transform(spectrum)), vector(recording), atol=1e-12)


def test_a_recording_of_shapes_alone_has_a_graph():
    graph = NNGraph(Activations(layers(4, 5, 3), torch.ones(1, 4), shapes_only=True))
    assert (graph.n_nodes, graph.n_edges) == (12, 35)
    recording = Activations(layers(4, 5, 3), torch.ones(2, 4))
    assert graph.transform(recording).report.samples == 2


def test_networkx_agrees():
    recording, graph = small()
    assert not graph.is_filled
    assert nx.is_directed_acyclic_graph(graph)
    assert graph.is_filled
    assert (graph.number_of_nodes(), graph.number_of_edges(), len(graph)) == (
        graph.n_nodes,
        graph.n_edges,
        graph.n_nodes,
    )
    node = ("2", 1, 0, 1)
    assert {*nx.ancestors(graph, node), node} == {
        graph.units.node(int(k)) for k in np.flatnonzero(matrix_of(graph, "standard")[graph.node_id(node)])
    }
    A = nx.to_numpy_array(graph, weight="weight").T
    np.testing.assert_allclose(A, graph.adjacency_matrix(weighted=True).toarray())
    assert [graph.node_id(node) for node in graph.nodes] == list(range(graph.n_nodes))
    assert (
        np.abs(
            laplacian.laplacian_of(graph.adjacency_matrix()).toarray()
            - nx.laplacian_matrix(graph.to_undirected(), weight=None).toarray()
        ).max()
        == 0
    )
    assert recording["input"].output is not None
