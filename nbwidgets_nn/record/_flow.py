"""Following tensors through functions: whose output is inside which tensor.

Between the calls of modules a model uses functions (`torch.relu`, `+`, `view`, `torch.cat`). While `Flow` is active,
torch reports each of them, and the result inherits the sources of the arguments.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from nbwidgets_nn.record._activation_functions import ACTIVATIONS, Applied, applied
from nbwidgets_nn.record._copies import Copies, storage_of
from nbwidgets_nn.record._step_maker import (
    Function,
    before,
    constant,
    origins_of,
    writes_by_name,
    written_by,
)
from nbwidgets_nn.record._trees import tensors_in
from nbwidgets_nn.record.channel_axis import RESHAPES, axis_after, function_name
from nbwidgets_nn.record.steps import Origin


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

    origin: Origin | None = None
    """How it was computed from the calls; None where that is not known, and for what was computed from none."""


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
    is not mistaken for the first, and no tensor lives longer than in a plain forward pass, except for constants.

    Args:
        constants: tensors that are there before the pass; of those that are parameters no copies are made.
        on_activation: see above.
        copies: where copies of the other constants come from.
    """

    def __init__(
        self,
        constants: Iterable[Tensor],
        on_activation: Callable[[tuple[str, ...], Applied], None],
        copies: Copies | None = None,
    ) -> None:
        super().__init__()
        self.in_layer = False
        """Whether a layer is running, whose functions are no steps between calls."""
        self._copies = copies or Copies()
        self._overwritten: dict[int | None, _Times] = {}
        self._lasting: set[int | None] = set()
        self._labels: dict[int, _Entry] = {}
        self._written: dict[int, _Entry] = {}
        self._clock = 0
        self._on_activation = on_activation
        for tensor in constants:
            self.mark(tensor, CONSTANT)
            if isinstance(tensor, nn.Parameter):
                self._lasting.add(storage_of(tensor))
        self._lasting.discard(None)

    def mark(self, tensor: Tensor, label: Label) -> None:
        """Set the label of a tensor."""
        self._clock += 1
        self._labels[id(tensor)] = _Entry(weakref.ref(tensor), label, self._clock)

    def write(self, tensor: Tensor, label: Label) -> None:
        """Set the label of a tensor that was changed in place, and so changed its views and what it is a view of."""
        self._clock += 1
        storage = storage_of(tensor)
        computed = self._clock if label.sources else self._overwritten.get(storage, _NEVER).computed
        self._overwritten[storage] = _Times(self._clock, computed)
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
        label = self._unless_overwritten(tensor, entry)
        base = tensor._base  # noqa: SLF001
        written = None if base is None else _find(self._written, base)
        if written is None or written.time < entry.time:
            return label
        return _also_from(label, written.label)

    def origin(self, tensor: Tensor) -> Origin | None:
        """Return how a tensor was computed from the calls; None where that is not known."""
        held = self._hold(tensor)
        return constant(held) if isinstance(held, Tensor) else held

    def lose(self, tensor: Tensor) -> None:
        """Note that a tensor was changed, and that nobody knows how."""
        label = self.label(tensor)
        self.write(tensor, label._replace(sources=label.sources or UNSEEN.sources, outputs=(), origin=None))

    def _unless_overwritten(self, tensor: Tensor, entry: _Entry) -> Label:
        """Return the label; without an origin, if another tensor that shares the memory was written to since."""
        label = entry.label
        if not self._overwritten:
            return label
        times = self._overwritten.get(storage_of(tensor), _NEVER)
        if not label.sources:  # constants written over constants are still constant
            return label._replace(sources=UNSEEN.sources) if times.computed > entry.time else label
        return label._replace(origin=None) if times.any > entry.time else label

    def _hold(self, tensor: Tensor) -> Origin | Tensor | None:
        """Return what a step holds in place of the tensor."""
        label = self.label(tensor)
        if label.sources:
            return label.origin
        storage = storage_of(tensor)
        if storage in self._lasting and storage not in self._overwritten:
            return tensor
        if tensor.layout is torch.strided and not tensor.is_nested and 0 in tensor.stride():
            # Expanded: the copy is expanded as well, and takes no more memory.
            one = tuple(slice(0, 1) if stride == 0 else slice(None) for stride in tensor.stride())
            return tensor.detach()[one].clone().expand(tensor.shape)
        return self._copies.of(tensor)

    def __torch_function__(
        self, func: Callable, types: Iterable[type], args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        seen = None if self.in_layer else before(func, args, kwargs, self._hold)
        result = func(*args, **kwargs)
        self._follow(func, args, kwargs, result, seen)
        return result

    def _follow(
        self, function: Callable, args: tuple, kwargs: dict, result: Any, seen: Function | None
    ) -> None:
        name = function_name(function)
        if name == "data" and result is None:  # x.data = y
            self.write(args[0], _also_from(self.label(args[0]), self._label_of_result(name, args, kwargs)))
            return
        results = list(tensors_in(result)) if isinstance(result, Tensor | tuple | list) else []
        results = results or [args[0]] * (name == "__setitem__")
        written = [] if seen is None else written_by(seen, args, kwargs)
        if results:
            label = self._label_of_result(name, args, kwargs)
            origins: list[Origin | None] = [None] * len(results)
            if seen is not None and label.sources:
                origins = origins_of(seen, args, kwargs, result, self._hold)
            self._mark_results(function, args, kwargs, label, list(zip(results, origins, strict=True)))
        named = [kwargs.get("out"), *args[: writes_by_name(name, kwargs)]]
        for tensor in written:
            if all(tensor is not other for other in named):
                self.lose(tensor)

    def _mark_results(
        self,
        function: Callable,
        args: tuple,
        kwargs: dict,
        label: Label,
        results: list[tuple[Tensor, Origin | None]],
    ) -> None:
        name = function_name(function)
        if name.rstrip("_") in ACTIVATIONS:
            activation = applied(function, args, kwargs)
            self._on_activation(self._outputs(args), activation)
            label = label._replace(activation=activation)
        axis = self.label(args[0]).axis if args and isinstance(args[0], Tensor) else label.axis
        for tensor, origin in results:
            carried = label._replace(axis=axis_after(function, args, kwargs, axis, tensor), origin=origin)
            changed = args and tensor is args[0] and writes_by_name(name, kwargs)
            if changed or tensor is kwargs.get("out"):
                self.write(tensor, carried)
            else:
                self.mark(tensor, carried)
        if name == "_pack_padded_sequence":
            # The second result is how many sequences each step has: it comes from the lengths alone.
            self.mark(results[1][0], CONSTANT)

    def _label_of_result(self, name: str, args: tuple, kwargs: dict) -> Label:
        """Union of the labels of all tensors whose values are used."""
        if name.endswith("_like") or (name.startswith("new_") and name != "new_tensor"):
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


class _Times(NamedTuple):
    """When memory was written to last: at all, and with something computed from a call."""

    any: int
    computed: int


_NEVER = _Times(0, 0)


class _Entry(NamedTuple):
    tensor: weakref.ref
    label: Label
    time: int


def _find(table: dict[int, _Entry], tensor: Tensor) -> _Entry | None:
    entry = table.get(id(tensor))
    return entry if entry is not None and entry.tensor() is tensor else None


def _also_from(label: Label, other: Label) -> Label:
    return label._replace(sources=label.sources | other.sources, outputs=(), activation=None, origin=None)
