"""Laplacian spectra: closed forms, few frequencies, bases that are the same each time, filters without a decomposition."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from graph_oracles import vector
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg
from torch import nn

from nbwidgets_nn.kernels.graph import chebyshev, laplacian
from nbwidgets_nn.kernels.nn_graph import NNGraph
from nbwidgets_nn.record.activations import Activations


def layered(*sizes, samples=1):
    torch.manual_seed(0)
    network = nn.Sequential(*(nn.Linear(a, b) for a, b in pairwise(sizes)))
    recording = Activations(network, torch.randn(samples, sizes[0]))
    return recording, NNGraph(recording)


def test_eigenvalues_of_the_theory():
    recording, graph = layered(4, 5, 3, 6)
    spaces = graph.eigenspace_energy(recording)
    found = dict(zip(spaces.frequencies.round(9), spaces.dimensions, strict=True))
    assert [found[value] for value in (5.0, 7.0, 11.0, 3.0)] == [3, 4, 2, 5]
    assert len(found) == 8


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 7), min_size=2, max_size=5))
def test_layered_networks_have_the_eigenvalues_of_the_closed_form(sizes):
    _, graph = layered(*sizes)
    np.testing.assert_allclose(graph.eigenvectors[0], laplacian.layered_eigenvalues(sizes), atol=1e-9)


def test_a_single_layer_has_the_frequency_0_alone():
    np.testing.assert_array_equal(laplacian.layered_eigenvalues([3]), 0)


def test_the_laplacian_by_its_definition():
    _, graph = layered(3, 4, 2)
    for weighted in (False, True):
        A = np.abs(graph.adjacency_matrix(weighted=weighted).toarray())
        A = A + A.T
        expected = np.diag(A.sum(axis=1)) - A
        np.testing.assert_allclose(graph.laplacian(weighted=weighted).toarray(), expected, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_basis_does_not_depend_on_how_it_was_computed(seed):
    _, graph = layered(4, 5, 3, 6)
    values, vectors = linalg.eigh(graph.laplacian().toarray())
    rng = np.random.default_rng(seed)
    turned = vectors.copy()
    for a, b in pairwise(laplacian.eigenspaces(values)):
        turned[:, a:b] = vectors[:, a:b] @ linalg.qr(rng.standard_normal((b - a, b - a)))[0]
    fixed = laplacian.fixed_basis(values, turned)
    np.testing.assert_allclose(fixed, laplacian.fixed_basis(values, vectors), atol=1e-9)
    np.testing.assert_allclose(fixed.T @ fixed, np.eye(len(fixed)), atol=1e-9)
    L = graph.laplacian().toarray()
    np.testing.assert_allclose(L @ fixed, fixed * values, atol=1e-9)


@pytest.mark.parametrize("driver", ["ev", "evd", "evr", "evx"])
@pytest.mark.parametrize("sizes", [(1, 1, 1), (2, 2, 2), (6, 6, 6), (2, 3, 1)])
def test_the_basis_does_not_hang_on_rounding_where_shares_are_simple_fractions(sizes, driver):
    """One of (1, -2, 1) is half as long as another, exactly."""
    _, graph = layered(*sizes)
    L = graph.laplacian().toarray()
    expected = laplacian.fixed_basis(*linalg.eigh(L))
    for seed in range(5):
        mixed = np.random.default_rng(seed).permutation(len(L))
        values, vectors = linalg.eigh(L[np.ix_(mixed, mixed)], driver=driver)
        found = laplacian.fixed_basis(values, vectors[np.argsort(mixed)])
        np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("which", ["lowest", "highest"])
@pytest.mark.parametrize("weighted", [False, True])
def test_few_frequencies_are_those_of_all(which, weighted):
    recording, graph = layered(9, 7, 8, 5, samples=3)
    whole = graph.laplacian_spectrum(recording, weighted=weighted)
    few = graph.laplacian_spectrum(recording, k=4, which=which, weighted=weighted)
    place = slice(0, 4) if which == "lowest" else slice(-4, None)
    np.testing.assert_allclose(few.frequencies, whole.frequencies[place], atol=1e-7)
    assert few.coefficients.shape == (3, 4)
    assert few.basis.shape == (graph.n_nodes, 4)
    assert few.eigenspaces.is_cut
    assert not whole.eigenspaces.is_cut
    if which == "lowest" and weighted:  # no space is cut through there
        np.testing.assert_allclose(few.eigenspaces.energy, whole.eigenspaces.energy[:, :4], atol=1e-6)


def test_the_operator_is_the_matrix():
    _, graph = layered(4, 5, 3)
    values = np.random.default_rng(0).standard_normal((2, 12))
    np.testing.assert_allclose(
        graph._apply_laplacian(values), values @ graph.laplacian().toarray(), atol=1e-12
    )


@pytest.mark.parametrize(("k", "which", "message"), [(0, "lowest", "k: expected 1 to"), (12, "lowest", "k: expected 1 to"), (2, "middle", "which: expected 'lowest' or 'highest', got 'middle'")])  # fmt: skip
def test_what_cannot_be_asked_for(k, which, message):
    recording, graph = layered(4, 5, 3)
    with pytest.raises(ValueError, match=message):
        graph.laplacian_spectrum(recording, k=k, which=which)


@pytest.mark.parametrize("weighted", [False, True])
def test_chebyshev_filters_come_near_the_exact_ones(weighted):
    recording, graph = layered(6, 5, 4, samples=2)
    L = graph.laplacian(weighted=weighted).toarray()
    values = np.stack([vector(recording.take([k])) for k in range(2)])
    smooth = graph.pass_filter(recording, response=lambda f: np.exp(-f / 3), order=40, weighted=weighted)
    found = np.stack([vector(smooth.take([k])) for k in range(2)])
    np.testing.assert_allclose(found, values @ linalg.expm(-L / 3), atol=1e-9)


def test_bands_add_up_to_the_signal_and_are_near_the_ideal_ones():
    recording, graph = layered(6, 5, 4)
    whole = graph.eigenvectors
    signal = vector(recording)
    edges = [0.0, 2.5, 5.5, np.inf]  # between the frequencies
    parts = [vector(graph.pass_filter(recording, low, high, order=2000)) for low, high in pairwise(edges)]
    np.testing.assert_allclose(sum(parts), signal, atol=1e-6)
    for part, (low, high) in zip(parts, pairwise(edges), strict=True):
        inside = (whole[0] >= low) & (whole[0] <= high)
        np.testing.assert_allclose(part, whole[1] @ (inside * (signal @ whole[1])), atol=1e-3)


def test_chebyshev_polynomials_are_exact_for_polynomials():
    L = np.diag([0.0, 1.0, 3.0])
    factors = chebyshev.chebyshev_coefficients(lambda x: 2 - x + x**3, 4.0, 5)
    found = chebyshev.filtered(lambda x: x @ L, np.ones((1, 3)), factors, 4.0)
    np.testing.assert_allclose(found, [[2, 2, 26]], atol=1e-12)


@pytest.mark.parametrize(("options", "message"), [({"order": 0}, "order: expected a whole number"), ({"low": 3, "high": 1}, "low: expected at most high, 1")])  # fmt: skip
def test_filters_that_are_none(options, message):
    recording, graph = layered(6, 5, 4)
    with pytest.raises(ValueError, match=message):
        graph.pass_filter(recording, **options)


ODD = [
    ("laplacian_spectrum", {"k": 2.5}, TypeError, "k: expected a whole number"),
    ("laplacian_spectrum", {"k": True}, TypeError, "k: expected a whole number"),
    ("laplacian_spectrum", {"k": "a"}, TypeError, "k: expected a whole number"),
    ("laplacian_spectrum", {"which": "mid"}, ValueError, "which: expected 'lowest' or 'highest'"),
    ("pass_filter", {"order": True}, TypeError, "order: expected a whole number"),
    ("pass_filter", {"response": lambda _: 1.0}, ValueError, "response: expected a function that returns 51"),
    ("pass_filter", {"response": lambda f: f * 1j}, TypeError, "response: expected real numbers"),
    ("pass_filter", {"response": lambda f: f * np.nan}, ValueError, "response: expected finite numbers"),
    ("pass_filter", {"low": "a"}, TypeError, "low: expected a number, got 'a'"),
    ("pass_filter", {"high": None}, TypeError, "high: expected a number, got None"),
    ("filter", {"h": "abc"}, TypeError, "h: expected real numbers"),
    ("filter", {"h": np.ones(15) * 1j}, TypeError, "h: expected real numbers"),
    ("filter", {"h": np.full(15, np.nan)}, ValueError, "h: expected finite numbers"),
    ("filter", {"h": {("0", 1): 1j}}, TypeError, "h: expected real numbers"),
    ("filter", {"h": np.sqrt}, TypeError, "h: expected 15 numbers, one a node, .* got a function"),
    ("filter", {"h": lambda _: 1.0, "type": "laplacian"}, ValueError, "h: expected a function that returns"),
    ("keep", {"keep": np.ones(15) * 1j}, TypeError, "keep: expected real numbers"),
    ("basis", {"node": ("0", True)}, KeyError, "got index"),
]


@pytest.mark.parametrize(("method", "options", "error", "message"), ODD)
def test_odd_arguments_are_named(method, options, error, message):
    recording, graph = layered(6, 5, 4)
    given = () if method == "basis" else (recording,)
    with pytest.raises(error, match=message):
        getattr(graph, method)(*given, **options)


def test_the_frequency_of_what_is_the_same_everywhere_is_zero_and_not_nearly_zero():
    recording = Activations(nn.Sequential(nn.Linear(5, 7), nn.Linear(7, 3)), torch.rand(1, 5))
    graph = NNGraph(recording)
    assert graph.laplacian_spectrum(recording).frequencies[0] == 0
    lowest = graph.laplacian_spectrum(recording, k=2).frequencies
    assert lowest[0] == 0
    assert lowest[1] > 1
