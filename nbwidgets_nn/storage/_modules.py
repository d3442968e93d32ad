"""A model as a file describes it, and whether a model at hand is that one."""

from __future__ import annotations

import zlib
from typing import Any

import torch
from torch import Tensor, nn

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.record._names import kind_of
from nbwidgets_nn.record.stored_module import StoredModule
from nbwidgets_nn.storage._archive import WrongFileError, pieces
from nbwidgets_nn.storage._tensors import on_cpu, without_values

KINDS = {"children": "_modules", "parameters": "_parameters", "buffers": "_buffers"}
"""What a module consists of, and where it holds each by name."""


class OtherModelError(ValueError):
    """The model at hand is not the one that was recorded."""


def facts_of_module(module: nn.Module) -> dict[str, Any]:
    """Return the module's class name, text, and what it consists of by name."""
    text = module.stored_text if isinstance(module, StoredModule) else module.extra_repr()
    return {
        "kind": kind_of(module),
        "text": text,
        **{name: _own(module, own) for name, own in KINDS.items()},
    }


def facts_of_weights(weights: Tensor) -> dict[str, Any]:
    """Return shape, dtype and a checksum of the values, but not the values."""
    return {"dtype": weights.dtype, "shape": list(weights.shape), "checksum": _checksum(weights)}


def stored_module(kind: str, text: str, **parts: dict[str, Any]) -> StoredModule:
    """Make the module that stands for one of which `facts_of_module` told."""
    made = StoredModule(str(kind), str(text))
    for name, own in KINDS.items():
        wanted = StoredModule if name == "children" else Tensor
        for key, part in parts[name].items():
            if not isinstance(key, str) or not (part is None or isinstance(part, wanted)):
                raise WrongFileError(f"a module with an odd part {key!r}")
            vars(made)[own][key] = part  # not add_module, which refuses names that an attribute of ours has
    return made


def stored_weights(dtype: torch.dtype, shape: list[int], checksum: int | None) -> Tensor:
    """Make the weights that stand for those of which `facts_of_weights` told: without values."""
    made = without_values(shape, dtype)
    made.stored_checksum = checksum
    return made


def same_parts(stored: nn.Module, model: nn.Module) -> dict[int, Any]:
    """Return the model's own module and weights for each stored one, by the stored one's id.

    OtherModelError if the model has other modules, or weights of other shape, dtype or values.
    """
    found: dict[int, tuple[Any, Any]] = {}
    _compare_modules(stored, model, "", found)
    return {key: own for key, (_, own) in found.items()}


def _compare_modules(
    stored: nn.Module, model: nn.Module, name: str, found: dict[int, tuple[Any, Any]]
) -> None:
    if _is_known(stored, model, name, found):
        return
    if kind_of(stored) != kind_of(model):
        raise _other(f"whose {name or 'class'} is {_a(kind_of(model))} and not {_a(kind_of(stored))}")
    for own in KINDS.values():
        left, right = _own(stored, own), _own(model, own)
        if left.keys() != right.keys():
            odd = min(left.keys() ^ right.keys())
            raise _other(f"that {'lacks' if odd in left else 'has in addition'} {_join(name, odd)}")
        for key, part in left.items():
            inner = _join(name, key)
            if (part is None) != (right[key] is None):
                raise _other(f"whose {inner} is {'there' if part is None else 'None'}")
            if part is not None:
                (_compare_modules if own == "_modules" else _compare_weights)(part, right[key], inner, found)


def _compare_weights(stored: Tensor, own: Tensor, name: str, found: dict[int, tuple[Any, Any]]) -> None:
    if _is_known(stored, own, name, found):
        return
    if (stored.shape, stored.dtype) != (own.shape, own.dtype):
        was = f"{tuple(stored.shape)} {stored.dtype}"
        raise _other(f"whose {name} is {tuple(own.shape)} {own.dtype} and not {was}")
    if stored.stored_checksum != _checksum(own):
        raise _other(f"whose {name} has other values")


def _is_known(stored: Any, own: Any, name: str, found: dict[int, tuple[Any, Any]]) -> bool:
    """Whether the two were compared before; OtherModelError if the stored one was shared and the model's is not."""
    known = found.setdefault(id(stored), (stored, None))[1]
    if known is not None and known is not own:
        raise _other(f"whose {name} is not shared")
    found[id(stored)] = stored, own
    return known is not None


def _own(module: nn.Module, kind: str) -> dict[str, Any]:
    return dict(getattr(module, kind).items())  # TorchScript's are no dicts


def _other(came: str) -> OtherModelError:
    hint = "the model as it was when the recording was saved"
    return OtherModelError(expected("network", "the model that was recorded", f"one {came}", hint))


def _a(kind: str) -> str:
    return f"{'an' if kind[:1] in 'AEIOU' else 'a'} {kind}"


def _join(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key


def _checksum(weights: Tensor) -> int | None:
    """Return a checksum of the values; None where there are none to read."""
    stored = getattr(weights, "stored_checksum", None)
    if stored is not None or weights.is_meta or weights.is_quantized or weights.layout is not torch.strided:
        return stored
    total = 0
    for piece in pieces(on_cpu(weights.detach())):
        total = zlib.crc32(piece, total)
    return total
