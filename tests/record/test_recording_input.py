"""What `input` and `network` may be, and the errors when they are something else."""

from collections import UserDict
from typing import NamedTuple

import numpy as np
import pytest
import torch
from models import Mlp, OneDict, Tokens, TwoInputs
from torch import Tensor, nn

from nbwidgets_nn.record.activations import Activations


class Pair(NamedTuple):
    left: Tensor
    right: Tensor


class TakesAnything(nn.Module):
    """Remembers how it was called."""

    def __init__(self):
        super().__init__()
        self.fc, self.seen = nn.Linear(2, 2), []

    def forward(self, *args, **kwargs):
        got = (tuple(type(arg).__name__ for arg in args), tuple(kwargs))
        self.fc(torch.ones(1, 2))
        raise LookupError(repr(got))


x, y = torch.ones(3, 2), torch.ones(3, 2)
CALLS = {
    "tensor": (x, ("Tensor",), ()),
    "tuple": ((x, y), ("Tensor", "Tensor"), ()),
    "tuple with other things": ((x, None, "cat"), ("Tensor", "NoneType", "str"), ()),
    "list": ([x, y], ("list",), ()),
    "named tuple": (Pair(x, y), ("Pair",), ()),
    "dict": ({"a": x, "b": 3}, (), ("a", "b")),
    "mapping": (UserDict(a=x), (), ("a",)),
    "dict without names": ({0: x}, ("dict",), ()),
    "array": (x.numpy(), ("Tensor",), ()),
    "arrays": ((x.numpy(), y.numpy()), ("Tensor", "Tensor"), ()),
}


@pytest.mark.parametrize(("given", "args", "kwargs"), CALLS.values(), ids=CALLS)
def test_how_the_network_is_called(given, args, kwargs):
    with pytest.raises(RuntimeError) as error:
        Activations(TakesAnything(), given)
    assert eval(error.value.__cause__.args[0]) == (args, kwargs)


def test_dict_keys_that_are_parameters_are_keywords_and_others_are_one_argument():
    ids = torch.zeros(2, 5, dtype=torch.long)
    by_keyword = Activations(Tokens(), {"attention_mask": torch.ones(2, 5), "input_ids": ids})
    assert by_keyword["head"].output_shape == (2, 5, 11)
    assert Activations(OneDict(), {"image": torch.ones(2, 6)})["fc"].output_shape == (2, 3)


def test_one_tensor_given_twice_stays_one():
    class Same(nn.Module):
        def forward(self, a, b):
            return a + 1 if a is b else None

    assert Activations(Same(), (x, x))["Same"].output is not None


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("network_dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_floating_arrays_take_the_dtype_of_the_network(dtype, network_dtype):
    array = np.arange(12, dtype=dtype).reshape(2, 6)[:, ::-1]
    rec = Activations(nn.Linear(6, 3).to(network_dtype), array)
    assert rec["input"].output.dtype == network_dtype
    assert rec["input"].output.tolist() == array.tolist()


def test_integer_arrays_stay_integers():
    rec = Activations(nn.Embedding(5, 2), np.array([[0, 4]]))
    assert rec["input"].output.dtype == torch.int64


NOT_A_NETWORK = [
    (lambda x: x, TypeError, "network: expected a torch.nn.Module, got function; wrap a function"),
    (Mlp, TypeError, r"network: expected a torch.nn.Module object, got the class Mlp; make one first: Mlp\("),
    (torch.ones(2), TypeError, "network: expected a torch.nn.Module, got Tensor"),
    (nn.LazyLinear(2), ValueError, "network: weight, bias: not initialised yet .*run network"),
]


@pytest.mark.parametrize(("network", "error", "message"), NOT_A_NETWORK)
def test_something_else_than_a_network(network, error, message):
    with pytest.raises(error, match=message):
        Activations(network, x)


NO_INPUT = [
    (torch.zeros(0, 6), ValueError, r"input: no samples in a tensor of shape \(0, 6\)"),
    (torch.zeros(3, 0), ValueError, r"input: no samples in a tensor of shape \(3, 0\)"),
    ((), TypeError, "input: expected a tensor, .* got an empty tuple"),
    ({}, TypeError, "got an empty dict"),
    ([1.0, 2.0], TypeError, "got a list without tensors"),
    (
        "cat",
        TypeError,
        "input: expected a tensor, an array, a tuple of tensors or a dict of tensors, got str",
    ),
    (None, TypeError, "got NoneType"),
    (np.array(["cat"]), TypeError, "input: expected numbers, got a NumPy array of dtype <U3"),
]


@pytest.mark.parametrize(("given", "error", "message"), NO_INPUT)
def test_something_else_than_input(given, error, message):
    with pytest.raises(error, match=message):
        Activations(Mlp(), given)


def test_a_misspelt_keyword_is_named_with_the_near_ones():
    ids = torch.zeros(2, 5, dtype=torch.long)
    message = "input: forward of Tokens has no parameter 'attention_masc'; did you mean attention_mask?"
    with pytest.raises(TypeError, match=message):
        Activations(Tokens(), {"input_ids": ids, "attention_masc": ids})


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, True, "all"])
def test_batch_size_must_be_a_positive_integer(batch_size):
    with pytest.raises((TypeError, ValueError), match="batch_size: expected"):
        Activations(Mlp(), torch.ones(3, 6), batch_size=batch_size)


def test_tensors_of_different_lengths_cannot_be_cut():
    with pytest.raises(
        ValueError, match=r"batch_size: the tensors of input have \[3, 4\] entries along dim 0"
    ):
        Activations(TwoInputs(), (torch.ones(3, 6), torch.ones(4, 3)), batch_size=2)


UNKNOWN = [
    ("fc11", "no layer 'fc11' was recorded; did you mean fc1"),
    ("FC2", "did you mean fc2?"),
    ("zzz", "the names are input, fc1, act1, fc2, act2, out"),
    (3, "no layer 3 was recorded; the names are"),
    ([], "no layer"),
]


@pytest.mark.parametrize(("name", "message"), UNKNOWN)
def test_an_unknown_layer_lists_the_near_names(name, message):
    with pytest.raises(KeyError) as error:
        Activations(Mlp(), torch.ones(3, 6))[name]
    assert message in str(error.value)


def test_a_layer_that_did_not_run_says_so():
    network = Mlp()
    network.spare = nn.Linear(2, 2)
    with pytest.raises(KeyError, match="has a module of this name, but it did not run"):
        Activations(network, torch.ones(3, 6))["spare"]


def test_names_are_iterated_counted_and_looked_up():
    rec = Activations(Mlp(), torch.ones(3, 6))
    assert list(rec) == rec.layernames
    assert len(rec) == 6
    assert "fc1" in rec
    assert "fc9" not in rec
    assert [] not in rec
