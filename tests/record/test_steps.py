"""The functions between recorded calls, computed again."""

import pytest
import torch
from models import ZOO

from nbwidgets_nn import Activations
from nbwidgets_nn.record.steps import outputs_in, replay

# What none of the functions of torch has made.
OUT_OF_SIGHT = {
    "in place through a view": {"c"},
    "through numpy": {"b"},
    "cell loop": set(),
}


def recorded_in(recording):
    def value(output):
        assert output.index == 0
        assert output.shape == recording[output.layer].output_shape
        return recording[output.layer].output

    return value


def same(one, other):
    if one.layout is not torch.strided:
        one, other = one.to_dense(), other.to_dense()
    assert one.dtype == other.dtype
    assert one.shape == other.shape
    assert torch.equal(one.nan_to_num(), other.nan_to_num())


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_steps_give_the_recorded_inputs_bit_for_bit(case):
    recording = Activations(case.make(), case.make_input())
    for layer in map(recording.__getitem__, recording):
        if layer.module is None:
            continue
        assert (layer.origin is None) == (layer.name in OUT_OF_SIGHT.get(case.name, ())), layer.name
        if layer.origin is None or any(leaf.index for leaf in outputs_in(layer.origin)):
            continue
        assert {leaf.layer for leaf in outputs_in(layer.origin)} <= set(layer.fed_by)
        same(replay(layer.origin, recorded_in(recording)), layer.input)
