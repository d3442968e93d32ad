"""Whether two values are the same to the last bit and of the same types."""

import dataclasses
import struct

import numpy as np
import torch
from scipy import sparse
from torch import nn

from nbwidgets_nn.record._activation_functions import BoundFunction
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.steps import Step
from nbwidgets_nn.record.stored_module import StoredFunction, StoredModule


def assert_alike(old, new, where="obj", seen=None):
    """AssertionError naming the place where `new`, which was loaded, is not `old`."""
    seen = {} if seen is None else seen
    if id(old) in seen:  # what was shared is shared again
        assert seen[id(old)][1] is new, where
        return
    if isinstance(old, torch.Tensor | np.ndarray | nn.Module) or dataclasses.is_dataclass(old):
        seen[id(old)] = old, new
    if isinstance(old, nn.Module):
        assert_same_module(old, new, where)
    elif isinstance(old, Activations):
        assert vars(old).keys() == vars(new).keys(), where
        for name in vars(old):
            assert_alike(vars(old)[name], vars(new)[name], f"{where}.{name}", seen)
    elif callable(old) and type(old) is not BoundFunction:
        assert old == new or type(old) is type(new) or type(new) is StoredFunction, where
    else:
        assert type(old) is (torch.Tensor if type(new) is torch.Tensor else type(new)) or _is_parameter(
            old
        ), where
        _assert_same_parts(old, new, where, seen)


def assert_same_module(old, new, where):
    assert type(new) is StoredModule, where
    assert (
        new.original_name == getattr(old, "original_name", None)
        or "Parametrized" in repr(old)
        or (repr(new) == repr(old))
    ), where
    assert [(n, tuple(p.shape), p.dtype) for n, p in new.named_parameters()] == [
        (n, tuple(p.shape), p.dtype) for n, p in old.named_parameters()
    ], where


def _is_parameter(value):
    return isinstance(value, nn.Parameter)


def _assert_same_parts(old, new, where, seen):
    if isinstance(old, torch.Tensor):
        _assert_same_tensor(old, new, where)
    elif isinstance(old, np.ndarray | np.generic) or sparse.issparse(old):
        _assert_same_array(old, new, where, seen)
    elif isinstance(old, float | complex):
        assert struct.pack("dd", old.real, old.imag) == struct.pack("dd", new.real, new.imag), where
    elif isinstance(old, dict):
        assert list(old) == list(new), where
        for key in old:
            assert_alike(old[key], new[key], f"{where}.{key}", seen)
    elif dataclasses.is_dataclass(old):
        names = [field.name for field in dataclasses.fields(old)]
        # Behind a step stand all the steps before: a long chain is compared by its own facts.
        for name in names if type(old) is not Step else ("name", "pick", "shape"):
            assert_alike(getattr(old, name), getattr(new, name), f"{where}.{name}", seen)
    elif isinstance(old, list | tuple):
        assert len(old) == len(new), where
        for k, (left, right) in enumerate(zip(old, new, strict=True)):
            assert_alike(left, right, f"{where}[{k}]", seen)
        assert_alike(getattr(old, "__dict__", {}), getattr(new, "__dict__", {}), where, seen)
    else:
        assert old == new, where


def _assert_same_array(old, new, where, seen):
    if isinstance(old, np.ma.MaskedArray):
        assert_alike(old.data, new.data, f"{where}.data", seen)
        assert np.array_equal(np.ma.getmaskarray(old), np.ma.getmaskarray(new)), where
        assert repr(old.fill_value) == repr(new.fill_value), where
    elif sparse.issparse(old):
        assert (old.shape, old.format, old.dtype) == (new.shape, new.format, new.dtype), where
        assert (old != new).nnz == 0, where
    else:
        assert (old.dtype, old.shape, old.tobytes()) == (new.dtype, new.shape, new.tobytes()), where


def _assert_same_tensor(old, new, where):
    assert (old.shape, old.dtype, old.layout) == (new.shape, new.dtype, new.layout), where
    if old.is_meta or new.is_meta:
        assert new.is_meta, where
        return
    if old.layout is not torch.strided:
        old, new = old.to_dense(), new.to_dense()
    assert _bits(old) == _bits(new), where


def _bits(tensor):
    flat = (
        tensor.detach().resolve_conj().resolve_neg().reshape(-1).clone(memory_format=torch.contiguous_format)
    )
    return flat.view(torch.uint8).numpy().tobytes()
