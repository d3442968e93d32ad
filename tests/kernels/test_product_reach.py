"""Products of small tables against the whole table."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbwidgets_nn.kernels.graph import axis_reach as ax
from nbwidgets_nn.kernels.graph import product_reach as pr
from nbwidgets_nn.kernels.graph.axis_reach import NoProduct
from nbwidgets_nn.kernels.graph.composed_reach import compose

SIZES = (1, 2, 4, 6, 8, 12)
seeds = st.integers(0, 2**32 - 1)


def axis(rng, rows, cols):
    kind = rng.integers(4)
    if kind == 0 and rows == cols:
        return ax.each(rows)
    if kind == 1:
        return ax.every(rows, cols)
    if kind == 2:
        return ax.every(rows, cols, rng.random(cols) < 0.6)
    return ax.some(rng.random((rows, cols)) < 0.4)


def factors(rng, size):
    found = []
    while size > 1:
        found.append(int(rng.choice([d for d in range(2, size + 1) if size % d == 0])))
        size //= found[-1]
    if rng.random() < 0.3:
        found.insert(rng.integers(len(found) + 1), 1)
    return found or [1]


def reach(rng, rows, cols):
    sizes = factors(rng, rows), factors(rng, cols)
    count = max(map(len, sizes))
    for side in sizes:
        while len(side) < count:
            side.insert(rng.integers(len(side) + 1), 1)
    order = [int(k) for k in (rng.permutation(count) if rng.random() < 0.4 else range(count))]
    axes = [None] * count
    for place, k in enumerate(order):
        axes[k] = axis(rng, sizes[0][k], sizes[1][place])
    return pr.Reach(tuple(axes), tuple(order))


def whole(made):
    """Write the table out by Kronecker products, and put the columns in their order."""
    table = np.ones((1, 1), bool)
    for part in made.axes:
        matrix = part.matrix()
        table = np.kron(table, matrix if isinstance(matrix, np.ndarray) else matrix.toarray())
    columns = np.arange(table.shape[1]).reshape([part.cols for part in made.axes])
    return table[:, columns.transpose(made.order).ravel()]


@settings(max_examples=300, deadline=None)
@given(seeds)
def test_composition_is_the_product_of_the_tables(seed):
    rng = np.random.default_rng(seed)
    a, b, c = (int(rng.choice(SIZES)) for _ in range(3))
    outer, inner = reach(rng, a, b), reach(rng, b, c)
    found = compose(outer, inner)
    assert np.array_equal(whole(found), (whole(outer).astype(int) @ whole(inner).astype(int)) > 0)


@settings(max_examples=300, deadline=None)
@given(seeds)
def test_sums_over_unions_count_every_unit_once(seed):
    rng = np.random.default_rng(seed)
    rows, cols = (int(rng.choice(SIZES)) for _ in range(2))
    terms = [reach(rng, rows, cols) for _ in range(3)]
    either = np.logical_or.reduce([whole(term) for term in terms])
    kept = pr.union(terms)
    x, y = rng.standard_normal((2, cols)), rng.standard_normal((2, rows))
    assert bool(kept) == either.any()
    if kept:
        np.testing.assert_allclose(pr.union_sums(kept, x), x @ either.T, atol=1e-12)
        np.testing.assert_allclose(pr.union_spread(kept, y), y @ either, atol=1e-12)


@settings(max_examples=200, deadline=None)
@given(seeds)
def test_one_reach(seed):
    rng = np.random.default_rng(seed)
    rows, cols = (int(rng.choice(SIZES)) for _ in range(2))
    one, other = reach(rng, rows, cols), reach(rng, rows, cols)
    assert np.array_equal(whole(pr.flat(one)), whole(one))
    assert np.array_equal(whole(pr.meet(one, other)), whole(one) & whole(other))
    assert pr.contains(one, other) == (whole(one) | ~whole(other)).all()
    assert one.longest == whole(one).sum(axis=1).max()
    assert one.is_empty == (not whole(one).any())


def test_sparse_tables_do_what_arrays_do(monkeypatch):
    monkeypatch.setattr(ax, "DENSE", 8)
    for seed in range(150):
        test_composition_is_the_product_of_the_tables.hypothesis.inner_test(seed)
        test_sums_over_unions_count_every_unit_once.hypothesis.inner_test(seed)
        test_one_reach.hypothesis.inner_test(seed)


def test_a_table_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(ax, "DENSE", 8)
    monkeypatch.setattr(ax, "LIMIT", 20)
    table = ax.some(np.random.default_rng(0).random((6, 6)) < 0.9)
    with pytest.raises(NoProduct, match="entries"):
        ax.kron(table, table)


def test_a_union_of_many_products_is_refused():
    rng = np.random.default_rng(0)
    terms = [
        pr.Reach((ax.some(rng.random((9, 9)) < 0.7), ax.some(rng.random((9, 9)) < 0.7))) for _ in range(8)
    ]
    with pytest.raises(NoProduct, match=r"a union of . products"):
        pr.union(terms)


@pytest.mark.parametrize("few", [0, 3, 32])
@pytest.mark.parametrize("density", [0.0, 0.1, 0.4, 1.0])
def test_tables_are_composed_alike_whether_their_rows_read_few_or_many(few, density, monkeypatch):
    monkeypatch.setattr(ax, "FEW", few)
    rng = np.random.default_rng(0)
    outer, inner = (ax.AxisReach(*size, table=rng.random(size) < density) for size in ((7, 20), (20, 9)))
    found = ax.compose(outer, inner).matrix()
    np.testing.assert_array_equal(found, (outer.table.astype(int) @ inner.table.astype(int)) > 0)
    assert (outer.taps is None) == (outer.table.sum(axis=1).max() > few)
