"""The state that travels shows the values it was made from, in display order."""

import numpy as np
import pytest

from nbwidgets_nn import cluster_units, correlate
from nbwidgets_nn.color_range import MASKED, ColorRange
from nbwidgets_nn.widgets.heatmap_content import Columns, HeatmapContent, MatrixPanel


def test_rows_and_columns_stand_in_the_order_of_the_tree(content):
    state = content.to_state()
    order = content.dendrogram.order
    values = content.panels[0].values
    np.testing.assert_array_equal(state["matrices"][0]["values"], values[np.ix_(order, order)])
    assert state["units"].tolist() == list(order)


def test_small_matrices_travel_exactly_and_large_ones_say_their_error():
    small = MatrixPanel("a", "a", np.random.default_rng(0).normal(size=(8, 8)))
    large = MatrixPanel("b", "b", np.random.default_rng(0).normal(size=(520, 520)).astype(np.float32))
    order = np.arange(520)
    assert small.to_state(order[:8])["error"] == 0
    state = large.to_state(order)
    decoded = state["low"] + state["values"].astype(float) * (state["high"] - state["low"]) / 249
    assert state["coded"]
    assert 0 < np.abs(decoded - large.values).max() <= state["error"] * 1.001


def test_masked_cells_travel_as_their_mark(content):
    panel, order = content.panels[1], content.order
    state = panel.to_state(order)
    np.testing.assert_array_equal(state["mask"], np.ma.getmaskarray(panel.values)[order])
    np.testing.assert_array_equal(state["values"], panel.values.data[order])  # exact, also beside the mask
    large = MatrixPanel("b", "b", np.ma.array(np.zeros((520, 520)), mask=np.eye(520, dtype=bool)))
    state = large.to_state(np.arange(520))
    assert state["mask"] is None
    assert (state["values"] == MASKED).sum() == 520


def test_exact_value_is_found_by_display_position(content):
    order = content.order
    assert content.exact("correlation", 0, 2) == content.panels[0].values[order[0], order[2]]
    assert content.exact("marks", 1, 2) == content.panels[1].values[order[1], 2] or np.isnan(
        content.exact("marks", 1, 2)
    )


def test_subset_of_units_is_named_in_the_order_of_the_tree(content):
    subset = np.array([10, 20, 30, 40, 50, 60])
    named = HeatmapContent("fc", content.panels, content.dendrogram, unit_ids=subset)
    assert named.units.tolist() == subset[content.dendrogram.order].tolist()
    assert named.units.tolist() != subset.tolist()


def test_subset_of_units_keeps_their_own_indices():
    panel = MatrixPanel("a", "a", np.eye(3))
    content = HeatmapContent("fc", (panel,), unit_ids=np.array([4, 9, 30]))
    assert content.units.tolist() == [4, 9, 30]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_sums_are_those_of_the_cells_that_are_not_masked(dtype):
    rng = np.random.default_rng(0)
    values = np.ma.array(rng.integers(0, 100, (5, 4)).astype(dtype), mask=rng.random((5, 4)) < 0.3)
    panel = MatrixPanel("a", "a", values, columns=Columns("s", list("wxyz")), marginals=True)
    order = np.array([3, 0, 4, 1, 2])
    cells = {(i, j): values.data[i, j] for i, j in np.ndindex(5, 4) if not values.mask[i, j]}
    sums = panel.to_state(order)["marginals"]
    assert sums["rows"].tolist() == [sum(v for (i, _), v in cells.items() if i == row) for row in order]
    assert sums["columns"].tolist() == [sum(v for (_, j), v in cells.items() if j == k) for k in range(4)]
    assert sums["rows"].dtype == sums["columns"].dtype == np.float64


def test_sums_of_a_square_matrix_stand_in_display_order_both_ways():
    values = np.arange(9.0).reshape(3, 3)
    sums = MatrixPanel("a", "a", values, marginals=True).sums(np.array([2, 0, 1]))
    assert sums["rows"].tolist() == [21, 3, 12]
    assert sums["columns"].tolist() == [15, 9, 12]


def test_a_line_with_no_cell_or_with_nan_has_no_sum():
    values = np.ma.array(
        [[1.0, 2.0], [np.nan, 1.0], [np.inf, 1.0], [3.0, 4.0]], mask=[[0, 0], [0, 0], [0, 0], [1, 1]]
    )
    panel = MatrixPanel("a", "a", values, columns=Columns("s", ["x", "y"]), marginals=True)
    sums = panel.sums(np.arange(4))
    np.testing.assert_array_equal(sums["rows"], [3, np.nan, np.inf, np.nan])
    np.testing.assert_array_equal(sums["columns"], [np.nan, 4])


def test_sums_of_a_large_matrix_are_exact_although_its_cells_travel_as_codes():
    values = np.random.default_rng(0).random((520, 520)).astype(np.float32)
    state = MatrixPanel("a", "a", values, marginals=True).to_state(np.arange(520))
    assert state["coded"]
    np.testing.assert_array_equal(state["marginals"]["rows"], values.sum(axis=1, dtype=np.float64))


def test_without_marginals_nothing_is_summed():
    assert MatrixPanel("a", "a", np.eye(2)).to_state(np.arange(2))["marginals"] is None


@pytest.mark.parametrize(
    ("values", "low", "high", "diverging"),
    [
        ([[0.5, 2.0]], 0.0, 2.0, False),
        ([[0.5, 0.5]], 0.0, 0.5, False),
        ([[-1.0, 2.0]], -2.0, 2.0, True),
        ([[-1.0, -2.0]], -2.0, -1.0, False),
    ],
)
def test_amounts_with_sums_are_coloured_from_zero(values, low, high, diverging):
    panel = MatrixPanel("a", "a", np.array(values), columns=Columns("s", ["x", "y"]), marginals=True)
    assert panel.range == ColorRange(low, high, diverging=diverging)
    fixed = ColorRange(-5.0, 5.0, diverging=True)
    assert MatrixPanel("a", "a", np.eye(2), span=fixed, marginals=True).range is fixed


@pytest.mark.parametrize("names", [["0", "a"], ["-1", "0"], ["01", "1"], ["1.0", "2"], ["", "1"], ["²", "1"]])
def test_columns_of_a_layer_are_named_by_their_indices(names):
    with pytest.raises(ValueError, match=r"units of layer 'conv2' must be named by their indices, .* but '"):
        Columns("units of conv2", names, layer="conv2")
    Columns("no units", names)


def test_columns_of_a_layer_are_different_units():
    with pytest.raises(ValueError, match="units of layer 'conv2' must differ"):
        Columns("units of conv2", ["3", "3"], layer="conv2")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: MatrixPanel("a", "a", np.zeros(3)),
            r"'a' must be a filled 2-D array, but shape \(3,\) came",
        ),
        (lambda: MatrixPanel("a", "a", np.zeros((2, 3))), "not square needs columns"),
        (
            lambda: MatrixPanel("a", "a", np.zeros((2, 3)), columns=Columns("s", ["x"])),
            "names 1 columns, but values have 3",
        ),
        (
            lambda: HeatmapContent(
                "fc", (MatrixPanel("a", "a", np.eye(2)), MatrixPanel("b", "b", np.eye(3)))
            ),
            r"same units, but they have \[2, 3\] rows",
        ),
    ],
)
def test_shapes_that_do_not_fit_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_clusters_are_told_by_unit_of_the_layer():
    X = np.random.default_rng(0).normal(size=(50, 6))
    X[:, 4] = X[:, 1] + 0.01 * X[:, 4]
    tree = cluster_units(correlate(X))
    panel = MatrixPanel("r", "r", np.eye(6))
    whole = HeatmapContent("fc", (panel,), tree).clusters(0.5)
    assert whole == {"layer": "fc", "labels": tree.labels(0.5).tolist()}
    some = HeatmapContent("fc", (panel,), tree, unit_ids=[9, 2, 3, 5, 7, 0]).clusters(0.5)["labels"]
    assert [some[k] for k in (9, 2, 3, 5, 7, 0)] == whole["labels"]
    assert [some[k] for k in (1, 4, 6, 8)] == [0] * 4
    assert HeatmapContent("fc", (panel,)).clusters(0.5) == {}
