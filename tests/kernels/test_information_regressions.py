"""Numbers and messages that were once wrong, each with a truth known from elsewhere."""

import numpy as np
import pytest
import torch
from torch import nn

import nbwidgets_nn as nw
from nbwidgets_nn.kernels import vector_information
from nbwidgets_nn.kernels._exact_bits import step_bits
from nbwidgets_nn.kernels.pairs_of_layer import UncertainResultWarning


def single(weights, activation=None, bias=None):
    weights = torch.as_tensor(np.asarray(weights), dtype=torch.float32)
    layer = nn.Linear(weights.shape[1], weights.shape[0], bias=bias is not None)
    layer.weight.data = weights
    if bias is not None:
        layer.bias.data = torch.tensor(bias)
    network = nn.Sequential(layer) if activation is None else nn.Sequential(layer, activation)
    return layer, nw.topology_of(network, torch.zeros(2, weights.shape[1]))


@pytest.fixture
def fewer_draws(monkeypatch):
    monkeypatch.setattr(vector_information, "MOST_DRAWS", 2**18)


@pytest.mark.filterwarnings("ignore::nbwidgets_nn.kernels.pairs_of_layer.UncertainResultWarning")
@pytest.mark.parametrize(("silent", "outputs", "bins"), [(3, 3, 32), (1, 4, 16)])
def test_inputs_without_weight_tell_nothing(fewer_draws, silent, outputs, bins):
    """However many cells the outputs have within one cell of such inputs: H(Y | X) is as large as H(Y)."""
    torch.manual_seed(0)
    weights = torch.randn(outputs, silent + 4)
    weights[:, :silent] = 0
    group = (tuple(range(silent)), tuple(range(outputs)))
    settings = {"in_range": (0, 1), "in_bins": bins, "out_bins": bins, "return_result": True}
    (found,) = nw.eis_between_groups(*single(weights, nn.Sigmoid()), [group], **settings)
    assert abs(found.value) < 0.1
    assert abs(found.value) < 4 * found.standard_error + 0.02


@pytest.mark.filterwarnings("ignore::nbwidgets_nn.kernels.pairs_of_layer.UncertainResultWarning")
def test_cells_that_need_many_draws_are_not_all_visited(fewer_draws):
    """2^16 input cells with thousands of output cells in each: a few draws in each gave 7.5 bits, the truth is 3.1."""
    torch.manual_seed(0)
    layer = nn.Linear(16, 3)
    topology = nw.topology_of(nn.Sequential(layer, nn.Tanh()), torch.zeros(1, 16))
    found = nw.ei(layer, topology, in_range=(-1, 1), in_bins=2, return_result=True)
    assert found.value < 4


def test_draws_alone_within_their_cell_are_doubted(fewer_draws):
    torch.manual_seed(0)
    layer, topology = single(torch.randn(32, 32), nn.Sigmoid())
    with pytest.warns(UncertainResultWarning, match="neither entropy is known"):
        nw.ei(layer, topology)


def test_stopping_before_the_threshold_is_said(monkeypatch):
    monkeypatch.setattr(vector_information, "MOST_DRAWS", 2**16)
    layer, topology = single([[1.0, 0.5], [0.3, 2.0]], nn.Sigmoid())
    with pytest.warns(UncertainResultWarning, match="before the standard error"):
        nw.ei(layer, topology, threshold=1e-5)


@pytest.mark.parametrize(("in_bins", "truth"), [(2, 0.1734), (8, 0.4503)])
def test_one_input_with_labels_in_many_runs(in_bins, truth):
    """Two GELUs of one input: the same pair of bins comes back three times."""
    layer, topology = single([[4.0], [4.0]], nn.GELU(), bias=[7.5, 3.0])
    found = nw.ei(layer, topology, in_range=(-3, 3), out_range=(-0.17, 0.07), in_bins=in_bins, out_bins=2)
    assert found == pytest.approx(truth, abs=1e-4)


def test_one_input_against_a_fine_grid():
    rng = np.random.default_rng(0)
    for _ in range(20):
        bins, runs = int(rng.integers(1, 9)), int(rng.integers(1, 12))
        places = np.sort(rng.uniform(0, bins, runs))
        labels = rng.integers(0, 3, runs + 1)
        x = (np.arange(400_000) + 0.5) * bins / 400_000
        joint = np.zeros((bins, 3))
        np.add.at(joint, (x.astype(int), labels[np.searchsorted(places, x)]), 1 / len(x))
        p = joint[joint > 0]
        outer = (joint.sum(1, keepdims=True) * joint.sum(0))[joint > 0]
        assert step_bits(places, labels, bins) == pytest.approx((p * np.log2(p / outer)).sum(), abs=1e-3)


def test_little_kept_probability_is_not_called_exact():
    """Of ten inputs' sum only 1e-13 reaches so far: its shares are rounding."""
    layer, topology = single(np.linspace(0.9, 1.1, 10)[None])
    end = layer.weight.sum().item()
    settings = {"in_range": (-1, 1), "in_bins": 4, "out_bins": 4, "outside": "drop", "return_result": True}
    found = nw.ei_parts(layer, topology, out_range=(0.95 * end, 0.951 * end), **settings)
    assert found.method == "sampled"
    clipped = nw.ei_parts(layer, topology, out_range=(0.2 * end, 0.6 * end), **settings)
    assert clipped.method == "exact"


def norm_network():
    torch.manual_seed(0)
    norm = nn.BatchNorm1d(7)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    return nn.Sequential(nn.Linear(5, 7), norm, nn.Sigmoid()).eval()


def test_batch_norm_over_positions_is_not_folded():
    network = norm_network()
    flat = nw.topology_of(network, torch.zeros(2, 5))
    positions = nw.topology_of(network, torch.zeros(2, 7, 5))
    settings = {"in_bins": 4, "out_bins": 4, "return_result": True}
    assert nw.ei_parts(network[0], flat, **settings).method == "exact"
    assert nw.ei_parts(network[0], positions, samples=500, **settings).layer == "0 → 1"


def test_batch_norm_behind_pooling_is_left_out_and_said():
    network = nn.Sequential(nn.Conv2d(1, 3, 2), nn.MaxPool2d(2), nn.BatchNorm2d(3), nn.ReLU()).eval()
    topology = nw.topology_of(network, torch.zeros(1, 1, 7, 7))
    found = nw.ei_parts(network[1], topology, in_bins=4, out_bins=4, return_result=True)
    assert (found.method, found.matrix.shape) == ("exact", (4, 1))
    assert "the batch norm '2' behind it is left out" in found.notes


def test_batch_norm_as_the_start_of_its_own_layer():
    network = norm_network()
    topology = nw.topology_of(network, torch.zeros(2, 5))
    with pytest.raises(
        ValueError, match=r"in_layer: expected a layer before `layer`, .* the batch norm behind '0'"
    ):
        nw.ei_parts(network[0], topology, in_layer=network[1])


def test_exact_pairs_beside_a_sampled_vector():
    layer, topology = single([[1.0, 0.5], [0.3, 2.0]], nn.Sigmoid())
    settings = {"in_bins": 4, "out_bins": 4, "return_result": True}
    whole, parts = nw.vector_and_pairwise_ei(layer, topology, method="exact", **settings)
    assert (parts.method, parts.samples) == ("exact", 0)
    assert whole.samples > 0


def test_outputs_without_weights_count_among_those_outside():
    layer, topology = single([[1.0], [0.0], [0.0]], None, bias=[0.0, 50.0, 0.0])
    assert nw.ei(layer, topology, return_result=True).outside_share == pytest.approx(1 / 3)


def test_nothing_exact_is_not_called_exact():
    layer, topology = single([[1.0, 1e-12]])
    found = nw.ei_parts(layer, topology, in_bins=8, out_bins=8, return_result=True)
    assert found.method == "sampled"
    assert "1 of 1 outputs cannot be known to 1e-06 bits" in found.notes[0]
    # The pair's own error, not that of the column.
    one = nw.eis_between_groups(layer, topology, [((1,), (0,))], in_bins=8, out_bins=8, return_result=True)[0]
    assert one.standard_error == one.matrix_error.item() == found.matrix_error[1, 0]


def test_single_pair_of_a_window_is_exact():
    pool = nn.MaxPool2d(2)
    topology = nw.topology_of(nn.Sequential(pool), torch.zeros(1, 1, 4, 4))
    (found,) = nw.eis_between_groups(pool, topology, [((2,), (0,))], return_result=True)
    assert found.method == "exact"
    assert found.value == nw.ei_parts_matrix(pool, topology)[2, 0]


def test_draws_that_are_too_few_are_said():
    layer, topology = single([[1.0, 0.5], [0.3, 2.0]], nn.Sigmoid())
    with pytest.warns(UncertainResultWarning, match="50 draws for tables of 4,096 cells are too few"):
        nw.ei_parts(layer, topology, samples=50)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"in_bins": 1}, "in_bins: expected 2 to"),
        ({"out_bins": 0}, "out_bins: expected 2 to"),
        ({"input_range": (0, np.inf)}, "input_range: expected finite"),
        ({"input_range": "ab"}, "input_range: expected two numbers"),
        ({"outside": "ignore"}, "outside: expected"),
        ({"seed": -1}, "seed: expected"),
        ({"threshold": 0}, "threshold: expected"),
    ],
)
def test_report_names_its_own_arguments(settings, message):
    with pytest.raises(ValueError, match=message):
        nw.ei_report(nn.Linear(2, 2), torch.zeros(1, 2), **settings)


def test_report_of_a_topology_takes_no_input():
    _, topology = single([[1.0]])
    with pytest.raises(ValueError, match="input: expected nothing beside a topology"):
        nw.ei_report(topology, torch.zeros(1, 1))


def test_report_has_a_row_for_a_layer_with_a_hook_of_the_users():
    network = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid())
    network[0].register_forward_hook(lambda module, args, output: output * 2)
    report = nw.ei_report(network, torch.zeros(1, 2), vector=False, in_bins=2, out_bins=2, threshold=0.5)
    assert [row.layer for row in report] == ["0"]


@pytest.mark.filterwarnings("ignore::nbwidgets_nn.kernels.pairs_of_layer.UncertainResultWarning")
def test_report_shows_doubts_where_they_can_be_read(fewer_draws):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(16, 12), nn.ReLU())
    report = nw.ei_report(network, torch.zeros(1, 16), in_bins=8, out_bins=8)
    assert "fell alone" in report["0"].note or "too many cells" in report["0"].note


def test_dynamic_range_as_an_array_does_not_confuse_the_check():
    layer, topology = single([[1.0]], nn.Sigmoid())
    assert nw.sensitivity(layer, topology, out_range=np.array([0.0, 1.0]), in_bins=4, out_bins=4) > 0


@pytest.mark.parametrize("function", [nw.ei, nw.ei_parts, nw.sensitivity])
def test_tables_larger_than_memory_are_refused(function):
    with pytest.raises(ValueError, match=r"bins: expected at most .* cells in a table"):
        function(*single([[1.0, 0.5]], nn.Sigmoid()), in_bins=2**15, out_bins=2**15)
