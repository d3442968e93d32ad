"""All eigenvectors of a Laplacian by its symmetry, against one problem of all nodes."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from graph_models import CASES
from graph_oracles import record, recorded_zoo
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, sparse
from torch import nn

from nbwidgets_nn.kernels.graph import copies, decomposition, laplacian
from nbwidgets_nn.kernels.graph.copies import copies_in
from nbwidgets_nn.kernels.graph.decomposition import decomposed
from nbwidgets_nn.kernels.nn_graph import NNGraph
from nbwidgets_nn.record.activations import Activations


def graph_of(network, *shape):
    return NNGraph(Activations(network, torch.zeros(1, *shape)))


def mlp(*sizes, pointwise=True):
    layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), *[nn.Identity()] * pointwise)]
    return graph_of(nn.Sequential(*layers), sizes[0])


def convolutional():
    network = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 4, 2), nn.ReLU(), nn.Flatten(), nn.Linear(16, 5)
    )  # fmt: skip
    return graph_of(network, 1, 8, 8)


def edges(L):
    A = -sparse.csr_array(L)
    A.setdiag(0)
    A.eliminate_zeros()
    return A


def check_swaps(A):
    """All copies that were found can change places."""
    A = A.toarray()
    for found in copies_in(sparse.csr_array(A)):
        assert len(found) > 1
        assert len(set(found.ravel())) == found.size
        for one, other in pairwise(found):
            swapped = np.arange(len(A))
            swapped[one], swapped[other] = other, one
            np.testing.assert_array_equal(A[np.ix_(swapped, swapped)], A)


def check(L):
    """The basis is one of eigenvectors, of the same spaces as those of one problem."""
    values, vectors = decomposed(L)
    dense = L.toarray()
    expected, of_one_problem = linalg.eigh(dense)
    scale = max(1.0, abs(dense).max())
    np.testing.assert_allclose(values, expected, atol=1e-9 * scale)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(len(dense)), atol=1e-10)
    for start, stop in pairwise(laplacian.eigenspaces(expected)):
        ours, theirs = vectors[:, start:stop], of_one_problem[:, start:stop]
        np.testing.assert_allclose(ours @ ours.T, theirs @ theirs.T, atol=1e-7)
    return values, vectors


@pytest.mark.parametrize(("name", "case"), recorded_zoo())
def test_the_zoo(name, case):
    L = NNGraph(record(case, samples=1)).laplacian()
    check_swaps(edges(L))
    check(L)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_kind_of_layer(case):
    L = graph_of(case.model, *case.shape).laplacian()
    check_swaps(edges(L))
    check(L)


@st.composite
def symmetric_graphs(draw):
    """Parts of up to 3 nodes, copied, joined wholly to other parts and to their own copies."""
    kinds = draw(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=4))
    nodes = [(kind, copy, k) for kind, (copies, size) in enumerate(kinds) for copy in range(copies) for k in range(size)]  # fmt: skip
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    types = sorted({(kind, k) for kind, _, k in nodes})
    whole = {(a, b): rng.random() < 0.4 for a in types for b in types if a < b}
    inside = {(a, b): rng.random() < 0.5 for a in types for b in types if a < b and a[0] == b[0]}
    A = np.zeros((len(nodes),) * 2)
    for i, (kind, copy, k) in enumerate(nodes):
        for j, (other, second, n) in enumerate(nodes):
            pair = tuple(sorted([(kind, k), (other, n)]))
            A[i, j] = whole.get(pair, False) or (copy == second and inside.get(pair, False))
    if draw(st.booleans()):
        mixed = rng.permutation(len(A))
        A = A[np.ix_(mixed, mixed)]
    return A


@settings(max_examples=80, deadline=None)
@given(symmetric_graphs())
def test_symmetric_graphs(A):
    check_swaps(A := sparse.csr_array(A))
    check(laplacian.laplacian_of(sparse.tril(A).tocsr()))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.floats(0, 1), st.integers(0, 1000))
def test_random_graphs(nodes, density, seed):
    rng = np.random.default_rng(seed)
    A = sparse.csr_array(np.tril(rng.random((nodes, nodes)) < density, -1).astype(float))
    L = laplacian.laplacian_of(A)
    check_swaps(edges(L))
    check(L)


@pytest.mark.parametrize("make", [lambda: mlp(5, 7, 4), lambda: mlp(4, 5, 3, 6, pointwise=False)])
def test_where_copies_and_quotient_share_no_frequency_the_basis_is_that_of_one_problem(make):
    L = make().laplacian()
    _, vectors = check(L)
    expected = laplacian.fixed_basis(*linalg.eigh(L.toarray()))
    np.testing.assert_allclose(vectors, expected, atol=1e-8)


def test_differences_come_before_what_all_copies_share():
    values, vectors = decomposed(
        mlp(2, 2, 2, pointwise=False).laplacian()
    )  # 2 is a frequency of the quotient, too
    np.testing.assert_allclose(values, [0, 2, 2, 2, 4, 6], atol=1e-12)
    expected = np.array([[1, -1, 0, 0, 0, 0], [0, 0, 0, 0, 1, -1], [1, 1, 0, 0, -1, -1]]).T
    np.testing.assert_allclose(vectors[:, 1:4], expected / np.linalg.norm(expected, axis=0), atol=1e-12)


@pytest.mark.parametrize(("make", "largest"), [(lambda: mlp(60, 50, 40), 5), (lambda: mlp(30, 20, 30, pointwise=False), 3), (convolutional, 158)])  # fmt: skip
def test_the_largest_problem_is_that_of_the_quotient(make, largest, monkeypatch):
    solved = []
    solve = decomposition._eigenvectors
    monkeypatch.setattr(
        decomposition, "_eigenvectors", lambda matrix: solved.append(len(matrix)) or solve(matrix)
    )
    graph = make()
    assert graph.n_nodes > largest
    assert len(graph.eigenvectors[0]) == graph.n_nodes
    assert max(solved) == largest


def test_equal_frequencies_stay_in_the_order_of_the_parts():
    np.testing.assert_array_equal(decomposition._order(np.array([1 + 1e-14, 1, 1 - 1e-14, 0])), [3, 0, 1, 2])


def test_numbers_that_are_wrong_make_no_copies_that_are_none(monkeypatch):
    monkeypatch.setattr(copies, "_cells", lambda A: np.zeros(A.shape[0], int))
    paths = np.zeros((9, 9))
    for a, b in [(0, 1), (1, 2), (3, 4), (3, 5), (6, 7), (7, 8)]:  # the second has its middle first
        paths[a, b] = paths[b, a] = 1
    check_swaps(sparse.csr_array(paths))
    assert [found.tolist() for found in copies_in(sparse.csr_array(paths))] == [[[0, 1, 2], [6, 7, 8]]]


def test_weights_make_one_problem_of_all_nodes():
    torch.manual_seed(0)
    graph = mlp(3, 4, 2)
    check(graph.laplacian(weighted=True))


def test_what_takes_long_says_how_long(monkeypatch, capsys):
    monkeypatch.setattr(decomposition, "_LONG", 0.0)
    decomposed(mlp(3, 4, 2).laplacian())
    assert "eigenvectors of 15 nodes, about 0 s" in capsys.readouterr().err


def test_memory_is_checked_before_all_frequencies_are_computed(monkeypatch):
    monkeypatch.setattr("nbwidgets_nn.kernels._memory.free_memory", lambda _: 1000)
    with pytest.raises(ValueError, match=r"12 eigenvectors of 12 nodes, .* Try: graph.laplacian_spectrum.*k=50.*pass_filter"):  # fmt: skip
        decomposed(sparse.csr_array(np.eye(12)))


def test_memory_is_checked_for_what_symmetry_leaves(monkeypatch):
    L = sparse.csr_array(laplacian.laplacian_of(sparse.csr_array(np.eye(12, k=-1))))  # a path has no copies
    monkeypatch.setattr("nbwidgets_nn.kernels._memory.free_memory", lambda _: 20 * 12**2)
    with pytest.raises(ValueError, match="12 eigenvectors of 12 nodes"):
        decomposed(L)
    decomposed(mlp(6, 6, pointwise=False).laplacian())
