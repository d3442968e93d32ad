"""Tensors inside the nested values that models take and return.

A value is a tensor, or a mapping, tuple, list, named tuple or dataclass of values. Anything else is a leaf
without a tensor: it is passed on as it is.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor


def parts(value: Any) -> list[tuple[str, Any]]:
    """Return the named parts of a container, `[('["logits"]', tensor), ...]`; empty for anything else."""
    if isinstance(value, Mapping):
        return [(f"[{key!r}]", item) for key, item in value.items()]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return [(f".{name}", item) for name, item in zip(value._fields, value, strict=True)]
    if isinstance(value, list | tuple):
        return [(f"[{index}]", item) for index, item in enumerate(value)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(f".{field.name}", getattr(value, field.name)) for field in dataclasses.fields(value)]
    return []


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Every tensor inside `value`, in order.

    >>> import torch
    >>> [tuple(t.shape) for t in tensors_in({"a": torch.zeros(2), "b": (None, torch.zeros(3))})]
    [(2,), (3,)]
    """
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):  # without the names of the parts, which take time
        for item in value:
            yield from tensors_in(item)
    elif value is not None and not isinstance(value, bool | int | float | str):
        for _, item in parts(value):
            yield from tensors_in(item)


def first_tensor(value: Any, path: str = "") -> tuple[Tensor, str] | None:
    """Return the first tensor inside `value` and how it is reached: `(tensor, '[0]')`; None if there is none."""
    if isinstance(value, Tensor):
        return value, path
    for name, item in parts(value):
        found = first_tensor(item, path + name)
        if found is not None:
            return found
    return None


def map_tensors(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Return a copy of `value` with every tensor replaced by `change(tensor)`; other leaves are kept as they are.

    >>> import torch
    >>> map_tensors([torch.tensor(1), "mask"], lambda t: t + 1)
    [tensor(2), 'mask']
    """
    if isinstance(value, Tensor):
        return change(value)
    if not parts(value):
        return value
    if isinstance(value, Mapping):
        return _like_mapping(value, {key: map_tensors(item, change) for key, item in value.items()})
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(map_tensors(item, change) for item in value))
    if isinstance(value, list | tuple):
        return type(value)(map_tensors(item, change) for item in value)
    changed = copy.copy(value)
    for field in dataclasses.fields(value):
        # Not dataclasses.replace: it runs __post_init__ and refuses fields with init=False.
        object.__setattr__(changed, field.name, map_tensors(getattr(value, field.name), change))
    return changed


def _like_mapping(original: Mapping, items: dict) -> Any:
    """`items` in the class of `original`, whose own copy keeps attributes that a constructor would lose."""
    if type(original) is dict:
        return items
    changed = copy.copy(original)
    for key, item in items.items():
        changed[key] = item
    return changed
