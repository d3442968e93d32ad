"""What people may write for a selection, and what it becomes."""

import numpy as np
import pytest

from nbwidgets_nn.widgets.selection import Selection


@pytest.mark.parametrize(
    ("written", "units"),
    [
        ([3, 17], ("conv1:3", "conv1:17")),
        (("conv1:3", "17"), ("conv1:3", "conv1:17")),
        (np.array([3, 3]), ("conv1:3",)),
        (5, ("conv1:5",)),
        ("5", ("conv1:5",)),
        ([True, False, True], ("conv1:0", "conv1:2")),
        (None, ()),
        ([], ()),
        ({"layer": "conv1", "units": ["conv1:2"], "source": "view-1"}, ("conv1:2",)),
    ],
)
def test_reads_names_indices_and_dicts(written, units):
    assert Selection.of(written, "conv1").units == units


def test_units_of_another_layer_select_that_layer():
    assert Selection.of(["relu:1:4"], "conv1") == Selection("relu:1", ("relu:1:4",))


def test_state_round_trip():
    selection = Selection("fc", ("fc:1", "fc:2"), source="view-9")
    assert Selection.of(selection.to_state(), "other") == selection


@pytest.mark.parametrize(
    ("written", "error", "message"),
    [
        (["fc:1", "conv:2"], ValueError, "one layer, but 'conv:2' is not in 'fc'"),
        ([-1], ValueError, "start at 0, but -1 came"),
        (["fc"], ValueError, "named like \"conv1:17\", but 'fc' came"),
        (
            {"layer": "conv1", "units": ["relu:3"]},
            ValueError,
            "layer 'conv1' are named like \"conv1:17\"; 'relu:3' came",
        ),
        ({"layer": "conv1", "units": ["conv1:²"]}, ValueError, "are named like"),
        ([1.5], TypeError, "indices like 17, or None; float came"),
    ],
)
def test_bad_selection_says_what_may_be_written(written, error, message):
    with pytest.raises(error, match=message):
        Selection.of(written, "conv1")
