"""The seed's part of `Activations`: layers as lists, and the way to a vector and back."""

import numpy as np
import pytest
import torch
from models import ZOO, Mlp
from torch import nn

from nbwidgets_nn.record.activations import Activations


def doubles(values):
    return torch.tensor(values, dtype=torch.float64)


DENSE = [case for case in ZOO if case.name not in ("no tensor", "complex and sparse")]


def test_the_seeds_lists_are_aligned_and_begin_with_the_input():
    x = torch.randn(1, 6)
    rec = Activations(Mlp(), x)
    assert len(rec.layernames) == len(rec.layerdescriptions) == len(rec.layeractivations)
    assert (rec.layernames[0], rec.layerdescriptions[0]) == ("input", "input")
    assert torch.equal(rec.layeractivations[0], x)


def test_a_vector_is_a_list_of_all_activations_in_order():
    rec = Activations(nn.Sequential(nn.Linear(2, 1), nn.ReLU()), torch.tensor([[3.0, 4.0]]))
    expected = [3.0, 4.0, rec["0"].output.item(), rec["1"].output.item()]
    assert rec.to_vector() == expected
    assert isinstance(rec.to_vector(), list)


@pytest.mark.parametrize("kind", [list, np.array, doubles], ids=["list", "array", "tensor"])
@pytest.mark.parametrize("case", DENSE, ids=lambda case: case.name)
def test_round_trip(case, kind):
    rec = Activations(case.make(), case.make_input())
    signal = kind(rec.to_vector())
    back = rec.to_activations(signal)
    assert back.layernames == rec.layernames
    for one, other in zip(back.layeractivations, rec.layeractivations, strict=True):
        assert one.dtype == other.dtype
        assert torch.equal(one, other)


def test_a_signal_is_neither_aliased_nor_written_to_the_original():
    rec = Activations(nn.Linear(2, 1), torch.ones(1, 2))
    signal = torch.zeros(3)
    made = rec.to_activations(signal)
    signal += 7
    assert made.to_vector() == [0, 0, 0]
    assert rec["input"].output.tolist() == [[1, 1]]
    assert made["Linear"].input is None
    assert made.network is rec.network


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        (torch.int64, [1.0, 2.0], torch.int64),
        (torch.int64, [1.5, 2.0], torch.float64),
        (torch.bool, [1.0, 0.0], torch.bool),
        (torch.bool, [2.0, 0.0], torch.float64),
        (torch.float16, [1.1, 2.0], torch.float16),
        (torch.float16, [1e6, 2.0], torch.float64),
        (torch.float32, [1.1, float("inf")], torch.float32),
        (torch.float32, [1j, 2.0], torch.complex128),
        (torch.complex64, [1.0, 2.0], torch.complex64),
    ],
)
def test_a_layer_keeps_its_dtype_where_that_can_hold_the_values(dtype, values, expected):
    rec = Activations(nn.Sequential(nn.Identity()), torch.zeros(1, 2, dtype=dtype))
    made = rec.to_activations(np.array(values * 2))
    assert made["0"].output.dtype == expected
    torch.testing.assert_close(made["0"].output, torch.tensor([values], dtype=expected))


@pytest.mark.parametrize("signal", [[], [1.0], np.zeros(100)])
def test_the_length_is_checked(signal):
    rec = Activations(nn.Linear(2, 1), torch.ones(1, 2))
    with pytest.raises(
        ValueError, match=rf"signal: expected 3 values \(input 2, Linear 1\), got {len(signal)}"
    ):
        rec.to_activations(signal)


def test_calls_without_a_tensor_are_left_out():
    case = next(case for case in ZOO if case.name == "no tensor")
    rec = Activations(case.make(), case.make_input())
    assert rec.layeractivations[rec.layernames.index("nothing")] is None
    assert len(rec.to_vector()) == 7 * (6 + 2)
    assert rec.to_activations(rec.to_vector())["nothing"].output is None


def test_a_recording_of_shapes_has_no_vector():
    rec = Activations(nn.Linear(2, 1), torch.ones(1, 2), shapes_only=True)
    for use in (rec.to_vector, lambda: rec.to_activations([0, 0, 0])):
        with pytest.raises(ValueError, match="no values: the model was recorded with shapes_only=True"):
            use()
