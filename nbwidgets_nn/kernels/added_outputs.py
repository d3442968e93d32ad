"""Additions between calls, such as skip connections, as edges: told by the steps that the recording knows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from nbwidgets_nn.kernels.edge_blocks import EdgeBlock, sum_block
from nbwidgets_nn.kernels.source_units import SourceUnits
from nbwidgets_nn.kernels.sums_in_steps import Term, sums_in
from nbwidgets_nn.record._activation_functions import ACTIVATIONS
from nbwidgets_nn.record._names import new_name
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.channel_axis import RESHAPES
from nbwidgets_nn.record.steps import Origin, Output, Step, parts_of, replay, steps_in

POINTWISE = (ACTIVATIONS - {"softmax", "softmin", "log_softmax", "gumbel_softmax", "glu"}).union(
    [
        "add",
        "sub",
        "subtract",
        "mul",
        "multiply",
        "div",
        "true_divide",
        "neg",
        "negative",
        "abs",
        "exp",
        "sqrt",
        "pow",
    ],
    [
        "clone",
        "detach",
        "data",
        "contiguous",
        "to",
        "float",
        "double",
        "half",
        "bfloat16",
        "type_as",
        "dropout",
    ],
)
"""Functions whose result has a unit for each unit of the argument, if it has its shape."""


@dataclass(frozen=True, eq=False)
class Addition:
    """The edges of one addition, as `Edges`: from the units of each addend, one addend after the other, to the sums."""

    step: Step
    """The function that gave the sum."""

    terms: tuple[Term, ...]
    addends: tuple[SourceUnits, ...]
    """Whose units each addend has; the layer is "" where that is not known, and "constant" for what is computed from no call."""

    bias: float
    """The sum of the numbers that were added."""

    shape: tuple[int, ...]
    """(rows, ...) of the sum."""

    dtype: torch.dtype
    device: torch.device
    value_of: Callable[[Origin | Tensor], Tensor]
    sum_of: Callable[[], Tensor]

    @property
    def row_shape(self) -> tuple[int, ...]:
        """One row a sample."""
        return self.shape[:1]

    @property
    def target_shape(self) -> tuple[int, ...]:
        """How the units of the sum lie."""
        return self.shape[1:]

    @property
    def source_shape(self) -> tuple[int, ...]:
        """The addends, then how the units of each lie."""
        return (len(self.terms), *self.shape[1:])

    @cached_property
    def target(self) -> Tensor:
        """(rows, n_out), computed when first asked for."""
        return self.sum_of().reshape(self.shape[0], -1)

    def source(self) -> Tensor:
        """(rows, n_in): the values as added, before their weights."""
        values = [self.value_of(term.value).broadcast_to(self.shape) for term in self.terms]
        return torch.cat([value.reshape(self.shape[0], -1) for value in values], dim=1)

    def block(self) -> EdgeBlock:
        """Weight 1 for what is added and -1 for what is subtracted, if no other factor (`alpha`) was given."""
        like = torch.ones((), dtype=self.dtype, device=self.device)
        block = sum_block(math.prod(self.shape[1:]), len(self.terms), like)
        kernel = like.new_tensor([term.weight for term in self.terms]).view(block.kernel.shape)
        return replace(block, kernel=kernel, bias=like.new_full((1,), self.bias) if self.bias else None)


@dataclass(frozen=True)
class Additions:
    """The additions of a recording."""

    by_name: dict[str, Addition]
    before: dict[str | None, tuple[str, ...]]
    """Names of those on the way to each call, the outermost first; behind None to what the model returns."""

    calls: dict[str, list[str | None]]
    """The same the other way round: of each, the calls on whose way it lies."""

    skipped: dict[str, str]
    """Why others are not there: by the name of the outermost that a call would have had."""


def added_outputs(recording: Activations, wanted: Iterable[str] | None = None) -> Additions:
    """Return the additions of two or more computed tensors between calls, each once, and on whose way they lie.

    They are named after the first call on whose way they lie, "fc.add", "fc.add:1", ..., the outermost first; behind the last
    call "output.add". A sum of sums is one addition: ``a + b - c`` has three addends, with weights 1, 1 and -1. What another
    call was given before is an addend as it is, even if it is a sum: the additions behind it are that call's.

    Args:
        recording: with tensors.
        wanted: compute no more than is needed for these names; None for all.
    """
    found = Additions({}, {}, {}, {})
    earlier: dict[int, str] = {}
    names: dict[int, str] = {}
    used = set(recording)
    for call, origin, value in _ways(recording):
        first = new_name("output.add" if call is None else f"{call}.add", used)
        sums: dict[str, tuple[Step, list[Term]]] = {}
        on_way: list[str] = []
        for step, terms in sums_in(origin, earlier):
            if id(step) in earlier:
                on_way += found.before[earlier[id(step)]]
                continue
            if id(step) not in names:
                names[id(step)] = name = new_name(first, used)
                used.add(name)
                sums[name] = step, terms
            on_way.append(names[id(step)])
        found.before[call] = tuple(dict.fromkeys(on_way))
        for name in found.before[call]:
            found.calls.setdefault(name, []).append(call)
        if sums and (wanted is None or not sums.keys().isdisjoint(wanted)):
            try:
                found.by_name.update(_additions(_Values(recording, origin, value, earlier), sums))
            except ValueError as error:
                found.skipped[first] = str(error)
        if call is not None and isinstance(origin, Step):
            earlier.setdefault(id(origin), call)
    return found


def _ways(recording: Activations) -> Iterator[tuple[str | None, Origin, Tensor | None]]:
    """Yield each call, how its input came about and that input; and last what the model returns, for None."""
    for layer in map(recording.__getitem__, recording):
        if layer.origin is not None and layer.input is not None:
            yield layer.name, layer.origin, layer.input
    if recording.origin is not None:
        yield None, recording.origin, recording.returned


def _additions(values: _Values, sums: dict[str, tuple[Step, list[Term]]]) -> dict[str, Addition]:
    nodes = {id(step): step for step, _ in sums.values()}
    nodes |= {
        id(t.value): t.value for _, terms in sums.values() for t in terms if isinstance(t.value, Origin)
    }
    facts = dict(zip(nodes, values.facts(list(nodes.values())), strict=True))
    return {name: _addition(values, step, terms, facts) for name, (step, terms) in sums.items()}


def _addition(values: _Values, step: Step, terms: list[Term], facts: dict[int, _Facts]) -> Addition:
    shape, dtype, device, layout = facts[id(step)]
    parts = tuple(term for term in terms if not isinstance(term.value, int | float))
    dtypes = [t.value.dtype if isinstance(t.value, Tensor) else facts[id(t.value)].dtype for t in parts]
    if dtype.is_complex or torch.bool in dtypes or layout is not torch.strided or not shape:
        raise ValueError("what is added are complex or truth values, single numbers or a sparse tensor")
    return Addition(
        step,
        parts,
        tuple(values.units(term.value, shape, facts) for term in parts),
        sum(term.weight * term.value for term in terms if isinstance(term.value, int | float)),
        shape,
        dtype if dtype.is_floating_point else torch.float32,
        device,
        values.of,
        lambda: values.of(step),
    )


class _Facts(NamedTuple):
    shape: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device
    layout: torch.layout


class _Values:
    """Tensors behind steps: recorded where they are, computed again otherwise."""

    def __init__(
        self, recording: Activations, origin: Origin, value: Tensor | None, earlier: dict[int, str]
    ) -> None:
        self._recording, self._origin, self._value = recording, origin, value
        # Of all earlier inputs those that this one is made from.
        self._known = {
            id(node): earlier[id(node)] for node in steps_in(origin, earlier) if id(node) in earlier
        }

    def facts(self, nodes: list[Origin]) -> list[_Facts]:
        """Compute everything once; ValueError if that fails, or if the end of it is not what was recorded."""
        if self._value is None:
            raise ValueError("what the model returned is not recorded, or its samples are not known")
        every = Step("all", lambda *tensors: tensors, (self._origin, *nodes), {}, None, ())
        try:
            whole, *tensors = replay(every, self._given, self._known)
        except (RuntimeError, IndexError) as error:
            raise ValueError(f"the functions before it do not run on what was recorded: {error}") from error
        if not _same(whole, self._value):
            raise ValueError(
                "what was recorded is not what the functions before it give: weights have changed since, say"
            )
        return [_Facts(tuple(t.shape), t.dtype, t.device, t.layout) for t in tensors]

    def of(self, node: Origin | Tensor) -> Tensor:
        if isinstance(node, Tensor):
            return node.detach()
        return self._value if node is self._origin else replay(node, self._given, self._known)

    def units(self, node: Origin | Tensor, shape: tuple[int, ...], facts: dict[int, _Facts]) -> SourceUnits:
        """Say whose units the addend has, through functions that work on each alone."""
        if isinstance(node, Tensor):
            order = torch.arange(math.prod(shape[1:]))
            return SourceUnits("constant", shape[1:], order, is_constant=True)
        added, inputs = node, ""
        while isinstance(node, Step):
            inputs = inputs or self._known.get(id(node), "")
            before = _same_units(node)
            if before is None:
                break
            node = before
        like = added.shape[1:]
        rows = facts[id(added)].shape
        if added.shape != rows or len(rows) != len(shape) or added.shape[:1] != node.shape[:1]:
            return SourceUnits()
        order = torch.arange(math.prod(like)).view(like).broadcast_to(shape[1:]).flatten()
        if isinstance(node, Output):
            return SourceUnits(node.layer, node.shape[1:], order)
        return SourceUnits(f"input of {inputs}", like, order) if inputs else SourceUnits()

    def _given(self, output: Origin) -> Tensor:
        if isinstance(output, Step):
            return self._recording[self._known[id(output)]].input
        tensor = self._recording[output.layer].output
        if output.index:
            raise ValueError(f"it takes a further output of {output.layer}, and only the first is recorded")
        if tensor is None:
            raise ValueError(f"{output.layer} has no values: {self._recording[output.layer].note}")
        return tensor


def _same_units(step: Step) -> Origin | None:
    """Return what the step was computed from, if it has its units."""
    parts = {id(part): part for part in parts_of(step)}
    if len(parts) != 1:
        return None
    part = next(iter(parts.values()))
    same = step.name in POINTWISE and step.shape == part.shape
    reshaped = (
        step.name in RESHAPES
        and step.shape[:1] == part.shape[:1]
        and math.prod(step.shape) == math.prod(part.shape)
    )
    return part if same or reshaped else None


def _same(found: Tensor, x: Tensor) -> bool:
    if found.shape != x.shape or found.layout is not x.layout:
        return False
    if x.layout is not torch.strided:
        found, x = found.to_dense(), x.to_dense()
    return bool(((found == x) | (found.isnan() & x.isnan())).all())
