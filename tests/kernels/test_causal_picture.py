"""Degeneracy, Phi and the report: differences of what they are made of, with their errors, a row for every layer."""

import math

import pytest
import torch
from models import ZOO
from torch import nn

import nbwidgets_nn as nw
from nbwidgets_nn.information_results import Bits

BINS = {"in_bins": 8, "out_bins": 8}


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Sigmoid(), nn.Linear(3, 4), nn.Sigmoid(), nn.Linear(4, 2), nn.Tanh())
    network[1].weight.data *= 6
    return network


@pytest.fixture
def topology(network):
    return nw.topology_of(network, torch.zeros(1, 3))


def test_degeneracy_is_sensitivity_less_ei_parts(network, topology):
    layer = network[1]
    expected = nw.sensitivity(layer, topology, **BINS) - nw.ei_parts(layer, topology, **BINS)
    assert nw.degeneracy(layer, topology, **BINS) == pytest.approx(expected, abs=1e-12)


def test_degeneracy_against_the_vector_ei_has_its_error(network, topology):
    layer = network[1]
    whole = nw.ei(layer, topology, **BINS, return_result=True)
    found = nw.degeneracy(layer, topology, against="ei", return_result=True, **BINS)
    assert found.value == pytest.approx(nw.sensitivity(layer, topology, **BINS) - whole.value)
    assert found.error == whole.standard_error > 0


def test_phi_is_ei_less_ei_parts(network, topology):
    layer = network[3]
    whole, parts = (f(layer, topology, **BINS, return_result=True) for f in (nw.ei, nw.ei_parts))
    found = nw.phi_feedforward(layer, topology, return_result=True, **BINS)
    assert (found.value, found.error) == (pytest.approx(whole.value - parts.value), whole.standard_error)


def test_unknown_choice(network, topology):
    with pytest.raises(ValueError, match='against: expected "ei_parts" or "ei", got \'phi\''):
        nw.degeneracy(network[1], topology, against="phi")


def test_report_has_a_row_for_every_layer_with_weights(network):
    report = nw.ei_report(network, torch.zeros(1, 3), **BINS)
    assert [(row.layer, row.inputs, row.outputs) for row in report] == [("1", 3, 4), ("3", 4, 2)]
    topology = nw.topology_of(network, torch.zeros(1, 3))
    for row in report:
        alone, parts = (f(row.layer, topology, **BINS) for f in (nw.sensitivity, nw.ei_parts))
        assert (row.sensitivity.value, row.ei_parts.value) == (alone, parts)
        assert row.degeneracy.value == pytest.approx(alone - parts)
        assert row.phi.value == pytest.approx(row.ei.value - parts)
        assert row.phi.error == row.ei.error > 0
    assert report["3"] is report.rows[1]
    with pytest.raises(KeyError, match="no row for layer 'fc'; there are 1, 3"):
        report["fc"]


def test_report_of_a_topology_and_of_chosen_layers(network, topology):
    report = nw.ei_report(topology, layers=["3"], **BINS)
    assert [row.layer for row in report] == ["3"]
    assert str(report["3"].ei_parts) == str(nw.ei_report(network, torch.zeros(1, 3), **BINS)["3"].ei_parts)


def test_batch_norm_belongs_to_its_layer():
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Sigmoid()).eval()
    report = nw.ei_report(network, torch.zeros(2, 3), **BINS)
    assert [row.layer for row in report] == ["0"]


def test_vector_ei_out_of_reach_is_not_a_number(network):
    wide = nn.Sequential(nn.Linear(32, 32), nn.Sigmoid())
    torch.nn.init.normal_(wide[0].weight, std=3.0)
    row = nw.ei_report(wide, torch.zeros(1, 32))["0"]
    assert math.isnan(row.ei.value)
    assert math.isnan(row.phi.value)
    assert str(row.ei) == "–"
    assert "too many cells" in row.ei.note
    assert not math.isnan(row.degeneracy.value)


def test_range_of_the_input_is_that_of_the_first_layer_only():
    network = nn.Sequential(nn.Linear(3, 4), nn.Sigmoid(), nn.Linear(4, 2), nn.Tanh())
    report = nw.ei_report(network, torch.zeros(1, 3), vector=False, input_range=(0, 1), **BINS)
    topology = nw.topology_of(network, torch.zeros(1, 3))
    assert report["0"].ei_parts.value == nw.ei_parts("0", topology, in_range=(0, 1), **BINS)
    assert report["2"].ei_parts.value == nw.ei_parts("2", topology, **BINS)


def test_vector_ei_can_be_left_out(network):
    row = nw.ei_report(network, torch.zeros(1, 3), vector=False, **BINS)["1"]
    assert math.isnan(row.ei.value)
    assert "vector=False" in row.phi.note
    assert row.degeneracy.error == 0


def test_outputs_beyond_their_range_are_said():
    network = nn.Sequential(nn.Linear(2, 2, bias=False))
    network[0].weight.data.fill_(1.0)
    row = nw.ei_report(network, torch.zeros(1, 2), **BINS)["0"]
    assert row.note == "25.0% of the outputs beyond their range, clipped"


def test_layer_that_cannot_be_measured_is_skipped_with_the_reason_and_chosen_raises(network):
    network[3].weight.data[0, 0] = math.nan
    report = nw.ei_report(network, torch.zeros(1, 3), **BINS)
    assert [row.layer for row in report] == ["1"]
    ((layer, reason),) = report.skipped
    assert layer == "3"
    assert "NaN" in reason
    assert "NaN" in str(report)
    with pytest.raises(ValueError, match="finite weights"):
        nw.ei_report(network, torch.zeros(1, 3), layers=["3"], **BINS)


@pytest.mark.parametrize(("make", "make_input"), [row[1:] for row in ZOO], ids=[row[0] for row in ZOO])
def test_every_model_has_a_report(make, make_input):
    torch.manual_seed(0)
    report = nw.ei_report(make(), make_input(), in_bins=2, out_bins=2, threshold=0.5)
    for row in report:
        assert row.degeneracy.value == pytest.approx(row.sensitivity.value - row.ei_parts.value)
    assert all(reason for _, reason in report.skipped)


def test_table_in_a_notebook(network):
    html = nw.ei_report(network, torch.zeros(1, 3), **BINS)._repr_html_()
    assert html.count("<tr>") == 3
    assert "<caption>bits; 8 input bins, 8 output bins" in html
    assert "3 → 4" in html


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        (Bits(2.0, 0.5), "2.0 ± 0.5"),
        (Bits(1234.5678, 12.0), "1235 ± 12"),
        (Bits(0.123456, 0.00123), "0.123 ± 0.001"),
        (Bits(1.0), "1.0000"),
        (Bits(math.nan, math.nan), "–"),
    ],
)
def test_bits_in_words(bits, text):
    assert str(bits) == text
