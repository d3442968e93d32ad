"""Steps as they would have been for other samples: sizes and constants that count the samples are replaced."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nbwidgets_nn.record.steps import Origin, Output, Step, map_arguments, steps_in

_WITH_SIZES = frozenset({"view", "reshape", "expand", "broadcast_to"})

_BY_ROW = frozenset(
    "add sub subtract rsub __rsub__ mul multiply div true_divide pow maximum minimum where masked_fill lerp "  # noqa: SIM905
    "cat concat concatenate bmm baddbmm __setitem__ gt ge lt le eq ne constant".split()
)
"""Functions that take row i of one argument with row i of another; and what a call was given as a constant."""


class OtherSamples:
    """Changes origins to those of other samples; a step that two of them share stays shared.

    Only the first axis is looked at. What the model worked out from the number of samples in another way stays as it was:
    whoever computes such steps again has to compare.

    Args:
        old: how many samples there were.
        new: how many there are.
        rows: which of the old ones these are; None where that is not known, as of samples that were not among them. Then
            only constants with equal rows are replaced.
    """

    def __init__(self, old: int, new: int, rows: np.ndarray | None = None) -> None:
        self._old, self._new, self._rows = old, new, rows
        self._made: dict[int, tuple[Origin, Origin]] = {}
        self._keywords: dict[int, dict[str, Any]] = {}

    def origins(self, origins: tuple[Origin | None, ...]) -> tuple[Origin | None, ...]:
        """Return the origins of other samples."""
        return tuple(None if origin is None else self.origin(origin) for origin in origins)

    def origin(self, origin: Origin) -> Origin:
        """Return one of them."""
        for node in steps_in(origin, self._made):
            if id(node) not in self._made:
                self._made[id(node)] = node, self._changed(node)
        return self._made[id(origin)][1]

    def _changed(self, node: Origin) -> Origin:
        shape = (self._size(node.shape[0]), *node.shape[1:]) if node.shape else ()
        if isinstance(node, Output):
            return replace(node, shape=shape)

        def one(value: Any) -> Any:
            if isinstance(value, Origin):
                return self._made[id(value)][1]
            return self._constant(value, node) if isinstance(value, Tensor) else value

        args = map_arguments(node.args, one)
        if node.name in _WITH_SIZES and node.shape and len(args) > 1:
            args = self._resized(args, node.shape[0])
        # Several results of one call are known by their common keywords.
        if id(node.kwargs) not in self._keywords:
            kwargs = map_arguments(node.kwargs, one)
            for key in kwargs.keys() & {"shape", "size"} if node.name in _WITH_SIZES and node.shape else ():
                kwargs[key] = self._resized((None, kwargs[key]), node.shape[0])[1]
            self._keywords[id(node.kwargs)] = kwargs
        return replace(node, args=args, kwargs=self._keywords[id(node.kwargs)], shape=shape)

    def _size(self, size: int) -> int:
        return size // self._old * self._new if size % self._old == 0 else size

    def _resized(self, args: tuple, first: int) -> tuple:
        """Return the arguments with another first size, if it is given as `first`."""
        tensor, sizes, *rest = args
        if isinstance(sizes, list | tuple) and sizes and sizes[0] == first:
            sizes = (self._size(first), *sizes[1:])
        elif isinstance(sizes, int) and sizes == first:
            sizes = self._size(first)
        return (tensor, sizes, *rest)

    def _constant(self, tensor: Tensor, step: Step) -> Tensor:
        counts = tensor.layout is torch.strided and tensor.ndim == len(step.shape) > 0
        if not counts or not len(tensor) == step.shape[0] == self._old > 1 or step.name not in _BY_ROW:
            return tensor
        if self._rows is not None:
            return tensor.detach().index_select(0, torch.from_numpy(self._rows).to(tensor.device))
        if not bool((tensor == tensor[:1]).all()):
            return tensor
        return tensor.detach()[:1].expand(self._new, *tensor.shape[1:])
