"""The prosper_nn functions: their signatures, their results against NumPy, and none of their faults."""

import inspect

import numpy as np
import pytest
import torch
from torch import nn

import nbwidgets_nn as nw


@pytest.fixture
def net():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Net()


class Net(nn.Module):
    """Top-level modules by name, one of them a container, with dropout that must stay quiet."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(8, 5)
        self.block = nn.Sequential(nn.Tanh(), nn.Dropout(0.5), nn.Linear(5, 4))
        self.out = nn.Linear(4, 1)

    def forward(self, x):
        return self.out(self.block(torch.relu(self.hidden(x))))


@pytest.fixture
def X():
    return torch.randn(60, 8, generator=torch.Generator().manual_seed(1))


def test_unpacks_into_matrix_strongest_and_pair(X):
    corr_matrix, max_corr, ind_neurons = nw.hl_size_analysis(X, print_values=False)
    expected = np.corrcoef(X.numpy(), rowvar=False)
    np.testing.assert_allclose(corr_matrix.numpy(), expected, atol=1e-6)
    off = np.abs(expected - np.eye(8))
    assert tuple(ind_neurons.tolist()) == tuple(np.unravel_index(off.argmax(), off.shape))
    assert float(max_corr) == pytest.approx(expected[tuple(ind_neurons.tolist())], abs=1e-6)


@pytest.mark.parametrize(
    "convert", [lambda x: x, lambda x: x.numpy(), lambda x: x.double()], ids=["tensor", "array", "double"]
)
def test_types_come_back_as_they_went_in(X, convert):
    result = nw.hl_size_analysis(convert(X), print_values=False)
    assert all(isinstance(part, type(convert(X))) for part in result)


@pytest.mark.parametrize("where", [{"name_layer": "hidden"}, {"index_layer": 1}])
def test_sequential_analyses_the_named_layer(net, X, where):
    result = nw.hl_size_analysis_Sequential(net, X, print_values=False, **where)
    expected = np.corrcoef(net.hidden(X).detach().numpy(), rowvar=False)
    np.testing.assert_allclose(result.corr_matrix.numpy(), expected, atol=1e-5)


def test_index_is_the_one_in_the_list_of_modules_and_containers_work(net, X):
    index = list(net.modules()).index(net.block)
    result = nw.hl_size_analysis_Sequential(net, X, index_layer=index, print_values=False)
    net.eval()
    expected = np.corrcoef(net.block(torch.relu(net.hidden(X))).detach().numpy(), rowvar=False)
    np.testing.assert_allclose(result.corr_matrix.numpy(), expected, atol=1e-5)


def test_convolutional_output_counts_positions_as_samples():
    conv = nn.Conv2d(1, 3, 3)
    images = torch.randn(10, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    result = nw.hl_size_analysis_Sequential(conv, images, index_layer=0, print_values=False)
    expected = np.corrcoef(conv(images).detach().movedim(1, -1).reshape(-1, 3).numpy(), rowvar=False)
    np.testing.assert_allclose(result.corr_matrix.numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("where", ["0", "1", "2", "3"])
def test_axis_of_pointwise_layers_and_containers_is_followed(where):
    net = nn.Sequential(
        nn.Conv1d(4, 3, 2), nn.ReLU(), nn.MaxPool1d(2), nn.Sequential(nn.Conv1d(3, 3, 1), nn.GELU())
    )
    x = torch.randn(50, 4, 9, generator=torch.Generator().manual_seed(0))
    result = nw.hl_size_analysis_Sequential(net, x, name_layer=where, print_values=False)
    output = net[: int(where) + 1](x).detach()
    expected = np.corrcoef(output.movedim(1, -1).reshape(-1, 3).numpy(), rowvar=False)
    np.testing.assert_allclose(result.corr_matrix.numpy(), expected, atol=1e-5)


def test_container_has_the_axis_of_its_last_call():
    """The convolution and the Linear after it give the same shape, with their channels on different axes."""
    net = nn.Sequential(nn.Sequential(nn.Conv1d(4, 3, 1), nn.Linear(9, 9)))
    x = torch.randn(50, 4, 9, generator=torch.Generator().manual_seed(0))
    result = nw.hl_size_analysis_Sequential(net, x, name_layer="0", print_values=False)
    expected = np.corrcoef(net(x).detach().reshape(-1, 9).numpy(), rowvar=False)
    np.testing.assert_allclose(result.corr_matrix.numpy(), expected, atol=1e-5)


def test_unit_with_nan_is_named(X, capsys):
    X[3, 5] = torch.nan
    nw.hl_size_analysis(X)
    assert "neurons with NaN or infinity, left out: [5]" in capsys.readouterr().out


def test_prints_layer_strongest_pair_and_chance(net, X, capsys):
    nw.hl_size_analysis_Sequential(net, X, name_layer="hidden")
    text = capsys.readouterr().out
    assert "layer 'hidden': Linear, output (60, 5)" in text
    assert "strongest correlation" in text
    assert "by chance alone" in text


def test_print_values_false_prints_nothing(X, capsys):
    nw.hl_size_analysis(X, print_values=False)
    assert capsys.readouterr().out == ""


def test_dead_unit_leaves_the_others_alone(X):
    X[:, 2] = 0
    result = nw.hl_size_analysis(X, print_values=False)
    assert result.correlation.constant.tolist() == [2]
    assert np.isfinite(float(result.max_corr))


def test_ties_of_both_signs_are_listed():
    x = torch.tensor([0.0, 1.0, 3.0, 2.0])
    result = nw.hl_size_analysis(torch.stack([x, -x, 2 * x], dim=1), print_values=False)
    assert result.correlation.pairs == ((0, 1), (0, 2), (1, 2))


def test_single_unit_has_no_pair():
    result = nw.hl_size_analysis(torch.arange(5.0)[:, None], print_values=False)
    assert np.isnan(float(result.max_corr))
    assert len(result.ind_neurons) == 0


def test_callers_tensor_and_model_are_left_alone(net, X):
    before, hooks = X.clone(), net.hidden._forward_hooks.copy()
    nw.hl_size_analysis_Sequential(net, X.requires_grad_(), name_layer="hidden", print_values=False)
    assert torch.equal(X, before)
    assert net.training
    assert net.hidden._forward_hooks == hooks


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda n, x: nw.hl_size_analysis(x[:1]), ValueError, "at least 2 samples"),
        (
            lambda n, x: nw.hl_size_analysis(x, min_absolute_corr=2),
            ValueError,
            r"min_absolute_corr must be in \[0, 1\]",
        ),
        (lambda n, x: nw.hl_size_analysis_Sequential(n, x), ValueError, "either .*: neither came"),
        (lambda n, x: nw.hl_size_analysis_Sequential(n, x, 1, "hidden"), ValueError, "either .*: both came"),
        (
            lambda n, x: nw.hl_size_analysis_Sequential(n, x, name_layer="hiden"),
            KeyError,
            "did you mean hidden",
        ),
        (lambda n, x: nw.hl_size_analysis_Sequential(n, x, index_layer=99), IndexError, r"must be in 0\.\."),
    ],
)
def test_bad_input_is_named(net, X, call, error, message):
    with pytest.raises(error, match=message):
        call(net, X)


def test_signatures_are_the_seeds():
    names = list(inspect.signature(nw.hl_size_analysis).parameters)
    assert names == ["output_layer", "min_absolute_corr", "print_values", "xlabel", "ylabel", "title"]
    names = list(inspect.signature(nw.hl_size_analysis_Sequential).parameters)
    assert names[:5] == ["loaded_model", "model_input", "index_layer", "name_layer", "min_absolute_corr"]
