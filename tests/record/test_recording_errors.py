"""A network that raises is reported with the calls that had run and the one that failed."""

import pytest
import torch
from models import Interrupted, Raises, RaisesBetween
from torch import nn

from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.errors import RecordingError, listing
from nbwidgets_nn.record.module_output import module_output

X = torch.randn(7, 6)


def test_the_layer_that_failed_and_those_that_had_run_are_named():
    with pytest.raises(RecordingError) as caught:
        Activations(Raises(), X)
    error = caught.value
    assert isinstance(error, RuntimeError)
    assert error.calls == ("first", "relu")
    assert error.failed == "body.0"
    message = str(error)
    assert message.startswith(
        "Raises raised in 'body.0' (Linear), given a tensor of shape (7, 5): RuntimeError: mat1"
    )
    assert message.endswith("Calls that had run: first, relu")
    assert "mat1 and mat2" in str(error.__cause__)


def test_an_error_between_layers_names_the_module_whose_forward_it_was():
    with pytest.raises(
        RecordingError, match=r"in the forward of 'RaisesBetween'.*ValueError: this model"
    ) as caught:
        Activations(RaisesBetween(), X)
    assert caught.value.calls == ("first",)
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_wrong_number_of_arguments():
    with pytest.raises(RecordingError, match="takes 2 positional arguments"):
        Activations(nn.Linear(6, 2), (X, X))


def test_an_error_in_a_later_piece_is_reported_as_well():
    class Fussy(nn.Linear):
        def forward(self, x):
            if x.max() > 5:
                raise ArithmeticError("too much")
            return super().forward(x)

    given = torch.zeros(6, 6)
    given[5] = 9
    with pytest.raises(RecordingError, match="too much"):
        Activations(Fussy(6, 2), given, batch_size=2)


def test_the_stop_button_is_not_an_error_of_the_recording():
    with pytest.raises(KeyboardInterrupt):
        Activations(Interrupted(), X)


def test_module_output_reports_too():
    network = Raises()
    with pytest.raises(
        RecordingError, match=r"Raises raised while 'first' .* was recorded: RuntimeError: mat1"
    ) as caught:
        module_output(network, X, network.first)
    assert caught.value.__cause__ is not None


def test_a_long_list_of_calls_is_shortened():
    names = tuple(f"layer{i}" for i in range(40))
    assert listing(names) == (
        "layer0, layer1, layer2, layer3, layer4, layer5, ... (40 in all) ..., "
        "layer34, layer35, layer36, layer37, layer38, layer39"
    )
    assert listing(()) == "none"


@pytest.mark.parametrize("given", [lambda x: x, lambda x: [x, x]])
def test_a_missing_input_says_how_several_are_given(given):
    class Sum(nn.Module):
        def forward(self, x, y):
            return x + y

    with pytest.raises(RecordingError, match=r"Try: several inputs as a tuple, \(x, y\)"):
        Activations(Sum(), given(torch.ones(2, 3)))
    assert Activations(Sum(), (torch.ones(2, 3), torch.ones(2, 3))).returned is not None
