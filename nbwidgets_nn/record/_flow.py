"""Following tensors through functions: whose output is inside which tensor.

Between the calls of modules a model uses functions (`torch.relu`, `+`, `view`, `torch.cat`). While `Flow` is active,
torch reports each of them, and the result inherits the sources of the arguments.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from nbwidgets_nn.record._activation_functions import ACTIVATIONS, Applied, applied
from nbwidgets_nn.record._trees import tensors_in
from nbwidgets_nn.record.channel_axis import RESHAPES, axis_after, function_name


class Label(NamedTuple):
    """What is known about one tensor."""

    sources: frozenset[str | None] = frozenset()
    """Names of the calls that it was computed from; None stands for something computed out of sight."""

    outputs: tuple[str, ...] = ()
    """Names of the calls whose output it still is, apart from its shape and type."""

    axis: int | None = None
    """The axis that counts channels."""

    activation: nn.Module | Applied | None = None
    """The activation that made its values, pooled or chosen among since at most."""


CONSTANT = Label()
UNSEEN = Label(sources=frozenset({None}))

SAME_VALUES = RESHAPES.union(
    [
        "permute",
        "transpose",
        "swapaxes",
        "swapdims",
        "movedim",
        "moveaxis",
        "squeeze",
        "unsqueeze",
        "T",
        "mT",
        "t",
    ],
    [
        "contiguous",
        "clone",
        "detach",
        "data",
        "to",
        "float",
        "half",
        "bfloat16",
        "double",
        "type_as",
        "cpu",
        "cuda",
    ],
    ["dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"],
)
"""Functions after which a tensor is still the output of the same layer (in eval mode, for dropout)."""

SAME_RANGE = SAME_VALUES.union(
    ["__getitem__", "select", "narrow", "index_select", "chunk", "split", "unbind", "expand", "repeat"],
    ["mean", "amax", "amin"],
    [
        f"{kind}_pool{d}d{indices}"
        for kind in ("max", "avg", "adaptive_max", "adaptive_avg")
        for d in (1, 2, 3)
        for indices in ("", "_with_indices")
    ],
)
"""Functions whose result stays in the range of the argument, so that the activation before them still sets it."""

ONLY_SHAPE_OF_SECOND = frozenset({"view_as", "reshape_as", "expand_as", "type_as"})
OVERWRITING = frozenset({"copy_", "zero_", "fill_", "set_", "uniform_", "normal_", "bernoulli_", "random_"})


class Flow(TorchFunctionMode):
    """Labels on tensors, carried on by every function of torch while the mode is active.

    `on_activation(names, function)` is called when an activation function is applied to a tensor that still is the
    output of the calls `names`; `names` is empty when it is applied to something else.

    Labels are kept by the tensor's id with a weak reference beside it: an id that is used again by another tensor
    is not mistaken for the first, and no tensor lives longer than in a plain forward pass.
    """

    def __init__(
        self, constants: Iterable[Tensor], on_activation: Callable[[tuple[str, ...], Applied], None]
    ) -> None:
        super().__init__()
        self.paused = False
        self._labels: dict[int, _Entry] = {}
        self._written: dict[int, _Entry] = {}
        self._clock = 0
        self._on_activation = on_activation
        for tensor in constants:
            self.mark(tensor, CONSTANT)

    def mark(self, tensor: Tensor, label: Label) -> None:
        """Set the label of a tensor."""
        self._clock += 1
        self._labels[id(tensor)] = _Entry(weakref.ref(tensor), label, self._clock)

    def write(self, tensor: Tensor, label: Label) -> None:
        """Set the label of a tensor that was changed in place, and so changed its views and what it is a view of."""
        self.mark(tensor, label)
        self._written[id(tensor)] = self._labels[id(tensor)]
        base = tensor._base  # noqa: SLF001 - torch has no public name for the tensor behind a view
        if base is not None:
            # Only the label of the base itself: its other views may show other elements.
            self.mark(base, _also_from(self.label(base), label))

    def label(self, tensor: Tensor) -> Label:
        """Return the label of a tensor, with what was written since into the tensor that it is a view of."""
        entry = _find(self._labels, tensor)
        if entry is None:
            return UNSEEN
        base = tensor._base  # noqa: SLF001
        written = None if base is None else _find(self._written, base)
        if written is None or written.time < entry.time:
            return entry.label
        return _also_from(entry.label, written.label)

    def __torch_function__(
        self, func: Callable, types: Iterable[type], args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if not self.paused:
            self._follow(func, args, kwargs, result)
        return result

    def _follow(self, function: Callable, args: tuple, kwargs: dict, result: Any) -> None:
        name = function_name(function)
        if name == "__setitem__":
            self.write(args[0], self._label_of_result(name, args, kwargs))
            return
        if not isinstance(result, Tensor | tuple | list):
            return
        results = list(tensors_in(result))
        if not results:
            return
        label = self._label_of_result(name, args, kwargs)
        if name.rstrip("_") in ACTIVATIONS:
            activation = applied(function, args, kwargs)
            self._on_activation(self._outputs(args), activation)
            label = label._replace(activation=activation)
        axis = self.label(args[0]).axis if args and isinstance(args[0], Tensor) else label.axis
        for tensor in results:
            carried = label._replace(axis=axis_after(function, args, kwargs, axis, tensor))
            changed = args and tensor is args[0] and (name.endswith("_") or kwargs.get("inplace"))
            if changed or tensor is kwargs.get("out"):
                self.write(tensor, carried)
            else:
                self.mark(tensor, carried)
        if name == "_pack_padded_sequence":
            # The second result is how many sequences each step has: it comes from the lengths alone.
            self.mark(results[1], CONSTANT)

    def _label_of_result(self, name: str, args: tuple, kwargs: dict) -> Label:
        """Union of the labels of all tensors whose values are used."""
        if name.endswith("_like") or name.startswith("new_"):
            return CONSTANT
        if name in ONLY_SHAPE_OF_SECOND:
            args, kwargs = args[:1], {}
        elif name in OVERWRITING:
            args = args[1:]
        labels = [self.label(tensor) for tensor in tensors_in(args)]
        labels += [
            self.label(tensor)
            for key, value in kwargs.items()
            if key != "out"
            for tensor in tensors_in(value)
        ]
        sources = frozenset().union(*(label.sources for label in labels))
        axis = next((label.axis for label in labels if label.axis is not None), None)
        outputs = self._outputs(args) if name in SAME_VALUES else ()
        activation = self._first(args).activation if name in SAME_RANGE else None
        return Label(sources, outputs, axis, activation)

    def _outputs(self, args: tuple) -> tuple[str, ...]:
        return self._first(args).outputs

    def _first(self, args: tuple) -> Label:
        return self.label(args[0]) if args and isinstance(args[0], Tensor) else CONSTANT


class _Entry(NamedTuple):
    tensor: weakref.ref
    label: Label
    time: int


def _find(table: dict[int, _Entry], tensor: Tensor) -> _Entry | None:
    entry = table.get(id(tensor))
    return entry if entry is not None and entry.tensor() is tensor else None


def _also_from(label: Label, other: Label) -> Label:
    return label._replace(sources=label.sources | other.sources, outputs=(), activation=None)
