"""What is asked about which layer: everything that EI, EI_parts and sensitivity need, checked once.

A layer is the function from one set of units to the next: an affine map, a window's maximum, or the model's own computation
between two layers; then the activation; then bins.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.kernels.binned_activation import Activation, Steps, binned, default_range, known_activation
from nbwidgets_nn.kernels.sampled_information import Intervention
from nbwidgets_nn.record._state import unchanged
from nbwidgets_nn.record.affine import WEIGHTED, affine_map, fold, groups_of, window_of
from nbwidgets_nn.record.span import Span
from nbwidgets_nn.record.topology import find_node, recording_of

MOST_BINS = 2**15
OUTSIDE = ("clip", "drop")


@dataclass(frozen=True, eq=False)
class LayerQuestion:
    """One layer with its ranges and bins."""

    name: str
    inputs: int
    outputs: int
    activation: Callable[[Tensor], Tensor] | None
    in_range: tuple[float, float]
    in_bins: int
    out_range: tuple[float, float] | str
    out_bins: int | str
    outside: str
    device: torch.device
    batch_size: int
    weights: NDArray | None = None
    """(outputs, inputs); with `groups`, inputs are those of each output's own group."""
    bias: NDArray | None = None
    groups: int = 1
    window: bool = False
    """Is the layer the maximum of its inputs?"""
    span: Span | None = None
    notes: tuple[str, ...] = ()
    """What a reader should know about the function."""

    @cached_property
    def known(self) -> Activation | None:
        """What is known of the activation."""
        return known_activation(self.activation)

    @property
    def why_not_exact(self) -> str:
        """Say why there is no exact form; "" if there is one."""
        if self.span is not None:
            return f"{self.name} is no single Linear, convolution, pooling or batch norm that runs torch's own forward"
        if self.known is None:
            return f"the activation {_described(self.activation)} is not one of those known in full"
        return ""

    def whole(self) -> LayerQuestion:
        """Return the same layer with the inputs of all groups of a convolution beside each other."""
        if self.groups == 1:
            return self
        each = self.outputs // self.groups
        weights = np.zeros((self.outputs, self.inputs * self.groups))
        for group in range(self.groups):
            rows = slice(group * each, (group + 1) * each)
            weights[rows, group * self.inputs : (group + 1) * self.inputs] = self.weights[rows]
        return dataclasses.replace(self, weights=weights, inputs=self.inputs * self.groups, groups=1)

    def part(self, inputs: NDArray | None = None, outputs: NDArray | None = None) -> LayerQuestion:
        """Return an affine layer with some of its inputs and outputs only."""
        inputs = np.arange(self.inputs) if inputs is None else inputs
        outputs = np.arange(self.outputs) if outputs is None else outputs
        return dataclasses.replace(
            self,
            weights=self.weights[np.ix_(outputs, inputs)],
            bias=self.bias[outputs],
            inputs=len(inputs),
            outputs=len(outputs),
        )

    def true_range(self) -> tuple[NDArray, NDArray]:
        """Return the smallest and largest value of each output, of a layer that has an exact form."""
        low, high = self.in_range
        if self.window:
            ends = np.array([[low, high]])
        else:
            reach = np.abs(self.weights).sum(axis=1) * (high - low) / 2
            middle = self.bias + self.weights.sum(axis=1) * (high + low) / 2
            ends = np.stack([middle - reach, middle + reach], axis=1)
        turns = np.clip(np.array(self.known.turns), ends[:, :1], ends[:, 1:])
        values = self.known(np.concatenate([ends, turns], axis=1))
        return values.min(axis=1), values.max(axis=1)

    def intervention(
        self, run: Callable[[NDArray], NDArray], low: NDArray, high: NDArray, bins: NDArray
    ) -> Intervention:
        """Return what a sampler needs; `run` is from `running`, of this layer or the one that it is part of."""
        return Intervention(
            run=run,
            inputs=self.inputs,
            outputs=self.outputs,
            in_range=self.in_range,
            in_bins=self.in_bins,
            low=low,
            high=high,
            bins=bins,
            outside=self.outside,
        )

    def steps(self, low: NDArray, high: NDArray, bins: NDArray) -> list[Steps]:
        """Return the binned activation of every output; those with equal bins share one."""
        made: dict[tuple, Steps] = {}
        keys = list(zip(low.tolist(), high.tolist(), bins.tolist(), strict=True))
        for key in keys:
            if key not in made:
                made[key] = binned(self.known, *key)
        return [made[key] for key in keys]

    def _check_activation(self) -> None:
        """Refuse an activation that gives another output for the same input."""
        if self.known is not None:
            return
        shape = (self.outputs,) if self.span is None else self.span.out_shape
        trial = torch.linspace(-2, 2, 3 * self.outputs, dtype=torch.float64, device=self.device).reshape(
            3, *shape
        )
        if not torch.equal(*(self._activated(trial).nan_to_num() for _ in range(2))):
            came = f"{_described(self.activation)}, which is random even in eval mode"
            raise ValueError(
                expected("activation", "the same output for the same input, not one that is random", came)
            )

    @contextlib.contextmanager
    def running(self) -> Iterator[Callable[[NDArray], NDArray]]:
        """Give the layer as a function (n, inputs) -> (n, outputs) of float64 arrays.

        Meanwhile the activation is in eval mode and the model ready; afterwards both and all random numbers are as before.
        """
        if self.span is None and self.known is not None:
            yield lambda x: self._run(self._run_alone, x)  # touches nothing that is anybody's
            return
        module = self.activation if isinstance(self.activation, nn.Module) else nn.Identity()
        span = contextlib.nullcontext(self._run_alone) if self.span is None else self.span.running()
        with unchanged(module), span as function:
            self._check_activation()
            yield lambda x: self._run(function, x)

    def _run(self, function: Callable[[Tensor], Tensor], x: NDArray) -> NDArray:
        values = torch.from_numpy(x).to(self.device)
        pieces = (values,) if self.span is None else values.split(self.batch_size)
        shape = (self.outputs,) if self.span is None else self.span.out_shape
        outputs = [self._activated(function(piece).reshape(-1, *shape)) for piece in pieces]
        return torch.cat(outputs).reshape(len(x), self.outputs).cpu().numpy()

    def _run_alone(self, x: Tensor) -> Tensor:
        if self.window:
            return x.amax(dim=1, keepdim=True)
        weights, bias = (torch.from_numpy(array).to(x.device) for array in (self.weights, self.bias))
        return torch.addmm(bias, x, weights.T)

    def _activated(self, z: Tensor) -> Tensor:
        if self.activation is None:
            return z
        try:
            y = self.activation(z)
        except RuntimeError:  # an activation with float32 weights of its own; anything else is raised again
            y = self.activation(z.float())
        if not isinstance(y, Tensor) or y.shape != z.shape:
            came = f"shape {tuple(y.shape)}" if isinstance(y, Tensor) else type(y).__name__
            hint = "a function of each output alone, such as torch.sigmoid"
            raise ValueError(expected("activation", f"the shape it is given, {tuple(z.shape)}", came, hint))
        return y.double()


def ask(  # the seeds' parameters, checked
    layer: nn.Module | str,
    topology: nx.DiGraph,
    *,
    in_layer: nn.Module | str | None,
    in_range: Any,
    in_bins: Any,
    out_range: Any,
    out_bins: Any,
    activation: Any,
    device: Any,
    batch_size: Any,
    outside: Any,
) -> LayerQuestion:
    """Check the arguments that all functions of seed 002 share and return what they ask about."""
    end = find_node(topology, layer)
    start = end if in_layer is None else find_node(topology, in_layer, "in_layer")
    norm, left_out = _norm_behind(topology, end)
    if norm is not None and norm == start != end:
        came = f"{topology.nodes[start]['name']!r}, the batch norm behind {topology.nodes[end]['name']!r}"
        raise ValueError(expected("in_layer", "a layer before `layer`, or `layer` itself", came))
    end = end if norm is None or left_out else norm
    first, last = topology.nodes[start], topology.nodes[end]
    if activation is None:
        activation = (
            recording_of(topology)[last["name"]].activation if left_out else last["output"]["activation"]
        )
    elif not callable(activation):
        raise TypeError(
            expected("activation", "a module or a function", type(activation).__name__, "torch.sigmoid")
        )
    if in_range is None:
        in_range = _default("in_range", first["input"]["activation"], f"before {first['name']!r}")
    if out_range is None:
        out_range = _default("out_range", activation, f"behind {last['name']!r}")
    question = LayerQuestion(
        name=first["name"],
        inputs=0,
        outputs=0,
        activation=activation,
        in_range=check_range("in_range", in_range),
        in_bins=check_bins("in_bins", in_bins),
        out_range=out_range if _is_dynamic(out_range) else check_range("out_range", out_range),
        out_bins=out_bins if _is_dynamic(out_bins) else check_bins("out_bins", out_bins),
        outside=_checked_choice("outside", outside, OUTSIDE),
        device=_checked_device(device),
        batch_size=_checked_count("batch_size", batch_size),
        notes=(left_out,) if left_out else (),
    )
    return _with_function(question, topology, start, end)


def _with_function(question: LayerQuestion, topology: nx.DiGraph, start: Any, end: Any) -> LayerQuestion:
    first = topology.nodes[start]
    module = first["module"]
    alone = start == end
    affine = affine_map(module) if alone or _folds(topology, start, end) else None
    if affine is not None and not alone:
        norm = affine_map(topology.nodes[end]["module"])
        affine = norm and fold(affine, norm)
    if affine is not None:
        weights, bias = (tensor.numpy() for tensor in affine)
        _check_finite(weights, bias, first["name"])
        outputs, inputs = weights.shape
        return dataclasses.replace(
            question, inputs=inputs, outputs=outputs, weights=weights, bias=bias, groups=groups_of(module)
        )
    window = window_of(module) if alone else None
    if window is not None:
        return dataclasses.replace(question, inputs=window, outputs=1, window=True)
    span = Span(topology, start, end)
    notes = (*question.notes, *span.notes)
    return dataclasses.replace(
        question, name=span.name, inputs=span.inputs, outputs=span.outputs, span=span, notes=notes
    )


def _norm_behind(topology: nx.DiGraph, node: Any) -> tuple[Any, str]:
    """Return the batch norm that belongs to a layer, and if it cannot be measured with it, what to say about that."""
    data = topology.nodes[node]
    if data["norm"] is None:
        return None, ""
    norm = next(
        other for other in topology.successors(node) if topology.nodes[other]["module"] is data["norm"]
    )
    if isinstance(data["module"], WEIGHTED):
        return norm, ""
    # A window is measured as one channel, and the norm treats every channel in another way.
    return norm, f"the batch norm {topology.nodes[norm]['name']!r} behind it is left out"


def _folds(topology: nx.DiGraph, start: Any, end: Any) -> bool:
    """Whether `end` is the batch norm of `start` and scales its outputs one by one."""
    data = topology.nodes[start]
    if _norm_behind(topology, start) != (end, ""):
        return False
    # On (samples, positions, features) a batch norm scales positions.
    return not isinstance(data["module"], nn.Linear) or len(data["output"]["shape"]) == 2


def _default(name: str, activation: Any, where: str) -> tuple[float, float]:
    found = default_range(activation)
    if found is None:
        what = f"the range of {_described(activation)} {where}, which is not known"
        raise ValueError(expected(name, what, "None", f"{name}=(low, high)"))
    return found


def _described(activation: Any) -> str:
    return (
        repr(activation)
        if isinstance(activation, nn.Module)
        else getattr(activation, "__name__", repr(activation))
    )


def _is_dynamic(value: Any) -> bool:
    return isinstance(value, str) and value == "dynamic"


def check_range(name: str, value: Any) -> tuple[float, float]:
    """Return a range as two floats; ValueError that names the argument if it is none."""
    if _is_dynamic(value):
        hint = (
            "the input is an intervention, so its range is chosen, not found; only out_range can be dynamic"
        )
        raise ValueError(expected(name, "(low, high)", '"dynamic"', hint))
    try:
        low, high = (float(end) for end in value)
    except (TypeError, ValueError):
        raise ValueError(expected(name, "two numbers (low, high)", repr(value))) from None
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(expected(name, "finite numbers: H^max is uniform", repr(value), "(-10, 10)"))
    if not math.isfinite(high - low):
        raise ValueError(expected(name, "a width that a number can hold", repr(value), "(-10, 10)"))
    if low >= high:
        raise ValueError(
            expected(name, "low < high", repr(value), f"{name}=({high:g}, {low:g})" if high < low else "")
        )
    return low, high


def check_bins(name: str, value: Any) -> int:
    """Return a number of bins; TypeError or ValueError that names the argument if it is none."""
    bins = _checked_count(name, value, least=-(2**63))
    if not 2 <= bins <= MOST_BINS:
        raise ValueError(
            expected(name, f"2 to {MOST_BINS:,} bins", repr(value), "one bin tells nothing; 64 is usual")
        )
    return bins


def _checked_count(name: str, value: Any, least: int = 1) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(expected(name, "a whole number", repr(value)))
    if value.__index__() < least:
        raise ValueError(expected(name, f"at least {least}", repr(value)))
    return value.__index__()


def _checked_device(value: Any) -> torch.device:
    try:
        return torch.empty(0, device=value).device
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(expected("device", "one that is here", f"{value!r}: {reason}", '"cpu"')) from error


def _checked_choice(name: str, value: Any, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ValueError(expected(name, " or ".join(map(repr, choices)), repr(value)))
    return value


def _check_finite(weights: NDArray, bias: NDArray, name: str) -> None:
    bad = [k for k in range(len(bias)) if not (np.isfinite(weights[k]).all() and np.isfinite(bias[k]))]
    if bad:
        came = f"NaN or infinity in the weights of {name!r} (outputs {', '.join(map(str, bad[:5]))}{' …' * (len(bad) > 5)})"
        raise ValueError(expected("layer", "finite weights", came, "torch.nan_to_num, or train it again"))
