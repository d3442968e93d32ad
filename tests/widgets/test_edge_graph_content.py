"""The content holds together, and travels with the values it was made from."""

import numpy as np
import pytest
import torch
from graph_cases import awkward, random_graph, small

from nbwidgets_nn import EdgeBundle, EdgeGraphContent, UnitColumn
from nbwidgets_nn.color_range import MINUS_INFINITY, NOT_A_NUMBER, PLUS_INFINITY
from nbwidgets_nn.widgets._array_trait import pack

X, Y, W = np.ones((1, 3)), np.ones((1, 2)), np.ones((2, 3))


def bundle(**changes):
    return EdgeBundle(
        **{
            "name": "fc",
            "source": 0,
            "target": 1,
            "weight": W,
            "source_values": X,
            "target_values": Y,
            **changes,
        }
    )


def test_contributions_and_bias_sum_up_to_the_target():
    content = small()
    layer = content.bundles[0]
    for sample in (0, 1):
        into = layer.contributions(sample).reshape(2, 3).sum(axis=1) + layer.bias
        np.testing.assert_allclose(into, layer.target_values[sample])


def test_edges_with_ends_read_the_value_of_their_own_input():
    sparse = small().bundles[1]
    assert sparse.contributions(0).tolist() == [1.0, 0.5, -0.5]
    assert [ends.tolist() for ends in sparse.ends_of(np.array([1, 2]))] == [[1, 0], [0, 1]]


def test_dense_edges_are_numbered_output_by_output():
    dense = small().bundles[0]
    inputs, outputs = dense.ends_of(np.arange(6))
    assert inputs.tolist() == [0, 1, 2, 0, 1, 2]
    assert outputs.tolist() == [0, 0, 0, 1, 1, 1]
    assert (dense.edges, dense.total) == (6, 6)


def test_contributions_that_are_given_are_taken():
    given = np.arange(12.0).reshape(2, 2, 3)
    layer = bundle(source_values=np.ones((2, 3)), target_values=np.ones((2, 2)), contribution=given)
    assert layer.contributions(1).tolist() == [6, 7, 8, 9, 10, 11]


def test_a_column_has_its_own_name_among_its_aliases():
    assert UnitColumn("relu", X).aliases == ("relu",)
    assert UnitColumn("relu", X, aliases=("fc",)).aliases == ("fc", "relu")
    assert UnitColumn("fc", X, aliases=("fc", "relu")).aliases == ("fc", "relu")


@pytest.mark.parametrize("layer", ["fc1", "relu"])
def test_a_column_is_found_by_each_of_its_names(layer):
    assert small().column_of(layer).name == "relu"
    assert small().column_of("fc3") is None


@pytest.mark.parametrize(
    ("values", "low", "high", "diverging"),
    [
        ([[0.5, 2.0]], 0, 2, False),
        ([[-0.5, 2.0]], -2, 2, True),
        ([[-3.0, -1.0]], -3, 3, True),
        ([[0.0, 0.0]], 0, 1, False),
        ([[np.nan, np.nan]], 0, 1, False),
        ([[-np.inf, 2.0]], 0, 2, False),
    ],
)
def test_colours_of_nodes_start_at_zero_or_are_symmetric_about_it(values, low, high, diverging):
    span = UnitColumn("fc", values).range
    assert (span.low, span.high, span.diverging) == (low, high, diverging)


def test_nodes_and_tiles_of_a_column_wear_colours_of_one_table():
    column = UnitColumn("conv", [[1.0]], maps=[[[[3.0, -1.0]]]])
    assert column.range.diverging
    assert column.maps_range.diverging


def test_the_state_holds_what_came():
    content = small(title="Edges of net", how="2 of 9 samples")
    state = content.to_state()
    assert (state["title"], state["how"], state["message"]) == ("Edges of net", "2 of 9 samples", "")
    assert state["samples"] == ["sample 7 · cat", "sample 9 · dog"]
    relu, out = state["columns"][1:]
    assert relu["aliases"] == ["fc1", "relu"]
    assert relu["order"].tolist() == [1, 0]
    assert (relu["low"], relu["high"], relu["diverging"], relu["maps"]) == (0, 3.5, False, None)
    assert out["labels"] == ["cat", "dog"]
    dense, sparse = state["bundles"]
    assert dense["weight"].dtype == np.float32
    np.testing.assert_array_equal(dense["weight"], content.bundles[0].weight)
    assert dense["ends"] is None
    assert sparse["ends"].tolist() == [[0, 0], [1, 0], [0, 1]]
    assert (sparse["inputs"], sparse["outputs"], sparse["total"], sparse["bias"]) == (2, 2, 4, None)
    assert sparse["note"] == "3 of 4 edges: largest |weight|"
    assert state["colors"]["dark"]["diverging"].shape == (250, 3)
    pack(state)  # every array can travel


def test_maps_travel_as_codes_with_marks_of_their_own():
    maps = awkward().to_state()["columns"][1]["maps"]
    assert maps["codes"].shape == (1, 2, 2, 2)
    assert maps["codes"][0, 0, 1, 0] == NOT_A_NUMBER
    assert maps["codes"][0, 1, 1].tolist() == [PLUS_INFINITY, MINUS_INFINITY]
    assert (maps["low"], maps["high"]) == (-2, 2)
    assert 0 < maps["error"] < 0.01


def test_what_is_not_finite_is_kept():
    layer = awkward().bundles[0]
    np.testing.assert_array_equal(
        layer.contributions(0), np.float32([np.nan, np.inf, 3, np.nan, np.nan, 0.5])
    )


def test_tensors_arrays_and_lists_are_the_same():
    for make in (torch.tensor, np.array, lambda value: value):
        column = UnitColumn("fc", make([[0.5, 2.0]]), order=make([1, 0]))
        assert column.values.tolist() == [[0.5, 2.0]]
        assert column.places.tolist() == [1, 0]


def test_values_beyond_single_precision_become_infinite_without_a_warning():
    assert UnitColumn("fc", [[1e300, -1e300]]).values.tolist() == [[np.inf, -np.inf]]


def test_nothing_given_is_changed():
    weight, x = W.copy(), X.copy()
    bundle(weight=weight, source_values=x).contributions(0)[:] = 7
    assert (weight == W).all()
    assert (x == X).all()


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"values": [1.0, 2.0]}, ValueError, r"values of column 'fc': expected \(samples, units\)"),
        ({"values": np.ones((1, 0))}, ValueError, "values of column 'fc': .* with at least 1 unit"),
        ({"values": [["a"]]}, TypeError, "values of column 'fc': expected a tensor or an array of numbers"),
        ({"values": [[1j]]}, TypeError, "values of column 'fc': expected real numbers"),
        ({"order": [0, 0]}, ValueError, r"order of column 'fc': expected every unit .* got \[0, 0\]"),
        ({"order": [0]}, ValueError, "order of column 'fc'"),
        ({"order": [0.0, 1.0]}, TypeError, "order of column 'fc': expected whole numbers"),
        ({"labels": ["a"]}, ValueError, "labels of column 'fc': expected one for each of 2 units, got 1"),
        ({"maps": np.ones((1, 2, 4))}, ValueError, r"maps of column 'fc': .* got shape \(1, 2, 4\)"),
        ({"maps": np.ones((1, 3, 4, 4))}, ValueError, "maps of column 'fc'"),
        ({"maps": np.ones((1, 2, 0, 4))}, ValueError, "maps of column 'fc'"),
    ],
)
def test_bad_columns_are_refused_by_the_name_of_the_argument(changes, error, says):
    with pytest.raises(error, match=says):
        UnitColumn(**{"name": "fc", "values": [[1.0, 2.0]], **changes})


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"weight": W.T}, ValueError, r"weight of bundle 'fc': .* = \(2, 3\), got shape \(3, 2\)"),
        ({"source_values": [1.0]}, ValueError, "source_values of bundle 'fc': expected"),
        ({"target_values": np.ones((2, 2))}, ValueError, "target_values of bundle 'fc'"),
        ({"contribution": np.ones((1, 6))}, ValueError, "contribution of bundle 'fc'"),
        ({"bias": np.ones(3)}, ValueError, r"bias of bundle 'fc': expected \(outputs,\) = \(2,\)"),
        ({"total": 5}, ValueError, "total of bundle 'fc': expected at least the 6 edges given, got 5"),
        ({"ends": [[0, 0]]}, ValueError, r"weight of bundle 'fc': expected \(edges,\), as ends are given"),
        ({"weight": [1.0], "ends": [[0, 0, 0]]}, ValueError, r"ends of bundle 'fc': expected \(edges, 2\)"),
        (
            {"weight": [1.0], "ends": [[3, 0]]},
            ValueError,
            r"inputs below 3 and outputs below 2, got \[3, 0\]",
        ),
        ({"weight": [1.0], "ends": [[0, -1]]}, ValueError, r"ends of bundle 'fc': .* got \[0, -1\]"),
        ({"weight": [1.0], "ends": [[0.0, 0.0]]}, TypeError, "ends of bundle 'fc': expected whole numbers"),
        ({"weight": [1.0], "ends": [[2**40, 0]]}, ValueError, "ends of bundle 'fc': expected numbers below"),
    ],
)
def test_bad_bundles_are_refused_by_the_name_of_the_argument(changes, error, says):
    with pytest.raises(error, match=says):
        bundle(**changes)


def columns(*values):
    return tuple(UnitColumn(f"c{k}", value) for k, value in enumerate(values))


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({}, ValueError, "columns: expected at least one, or a message"),
        ({"columns": columns(np.ones((0, 3)))}, ValueError, "samples: expected at least one"),
        ({"columns": (X,), "samples": ("a",)}, TypeError, "columns: expected UnitColumn each, got ndarray"),
        (
            {"columns": columns(X, Y), "bundles": (W,), "samples": ("a",)},
            TypeError,
            "bundles: expected EdgeBundle",
        ),
        ({"columns": columns(X), "samples": "a"}, TypeError, "samples: expected a sequence of names"),
        (
            {"columns": columns(X), "samples": ("a", "b")},
            ValueError,
            "values of column 'c0': expected a row for each of 2",
        ),
        (
            {"columns": (UnitColumn("a", X), UnitColumn("b", Y, ("a",))), "samples": ("s",)},
            ValueError,
            "columns: expected every layer in one column, got 'a' twice",
        ),
        (
            {"columns": columns(X, Y), "bundles": (bundle(target=2),), "samples": ("s",)},
            ValueError,
            "source and target of bundle 'fc': expected two of the 2 columns, .* got 0 and 2",
        ),
        (
            {"columns": columns(Y, X), "bundles": (bundle(source=1, target=0),), "samples": ("s",)},
            ValueError,
            "in the order of the data, got 1 and 0",
        ),
        (
            {"columns": columns(Y, Y), "bundles": (bundle(),), "samples": ("s",)},
            ValueError,
            "source_values of bundle 'fc': expected the 2 units of column 'c0', got 3",
        ),
        (
            {"columns": columns(X, X), "bundles": (bundle(),), "samples": ("s",)},
            ValueError,
            "target_values of bundle 'fc': expected the 3 units of column 'c1', got 2",
        ),
        (
            {
                "columns": columns(X, Y),
                "bundles": (bundle(source_values=np.ones((2, 3)), target_values=np.ones((2, 2))),),
                "samples": ("s",),
            },
            ValueError,
            "source_values of bundle 'fc': expected a row for each of 1 samples, got 2 rows",
        ),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(given, error, says):
    with pytest.raises(error, match=says):
        EdgeGraphContent(**given)


def test_a_message_may_stand_alone():
    content = EdgeGraphContent(message="The network has no weights.")
    assert content.to_state()["message"] == "The network has no weights."
    assert (content.edges, content.total) == (0, 0)


def test_edges_are_counted_over_all_bundles():
    assert (small().edges, small().total) == (9, 10)
    assert random_graph([5, 4, 3]).edges == 32
