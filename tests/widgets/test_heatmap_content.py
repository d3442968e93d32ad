"""The state that travels shows the values it was made from, in display order."""

import numpy as np
import pytest

from nbwidgets_nn.color_range import MASKED
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
