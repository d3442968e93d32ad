"""Functions of values at the same place, sums and products with constants among them, behind broadcasting."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from nbwidgets_nn.kernels.function_names import LINEAR, PRODUCTS
from nbwidgets_nn.kernels.graph.gather_reach import gather_reach
from nbwidgets_nn.kernels.graph.laid import Found, Laid, Operands, of_first_sample
from nbwidgets_nn.kernels.graph.product_reach import Reach, own
from nbwidgets_nn.kernels.graph.stages import Read, Uniform, Weights
from nbwidgets_nn.record.steps import Origin, Step


def elementwise(step: Step, operands: Operands, name: str) -> Found:
    """Every value of the result reads the values at its place, behind broadcasting."""
    laid = _broadcast(step.shape, operands)
    reads = []
    for origin, source in operands:
        if _broadcast_shape(source.full, step.shape) is None:
            raise ValueError(f"its argument of shape {source.full} is not at the places of its result")
        reach = _broadcasting(source, laid)
        reads.append(Read(reach, _factor(step, origin, laid, reach, name, len(operands))))
    return laid, reads


def _broadcast(shape: tuple[int, ...], operands: Operands) -> Laid:
    """Say how the result lies; ValueError where the samples of two operands lie along different axes."""
    laid = [source for _, source in operands if source.axis is not None]
    if not laid:
        return Laid(shape, None)
    axes = {source.axis + len(shape) - len(source.full) for source in laid if source.samples > 1}
    if len(axes) > 1:
        raise ValueError("it mixes the samples")
    axis = axes.pop() if axes else laid[0].axis + len(shape) - len(laid[0].full)
    return Laid(shape, axis, shape[axis] // max(source.samples for source in laid))


def _broadcast_shape(shape: tuple[int, ...], result: tuple[int, ...]) -> tuple[int, ...] | None:
    ours = (1,) * (len(result) - len(shape)) + shape
    fits = len(shape) <= len(result) and all(a in (1, b) for a, b in zip(ours, result, strict=True))
    return ours if fits else None


def _broadcasting(source: Laid, laid: Laid) -> Reach:
    if source.shape == laid.shape or source.size == laid.size == 1:
        return own(laid.size)
    ids = np.arange(source.size).reshape(source.shape)
    return gather_reach(np.broadcast_to(ids, laid.shape), source.shape)


def _factor(step: Step, origin: Origin, laid: Laid, reach: Reach, name: str, operands: int) -> Weights | None:
    """Return the weight that the value at a place has in a sum or a product with a constant; pointwise functions: 1."""
    if name in ("where", "masked_fill"):
        return _chosen(step, origin, laid, reach, name, operands)
    first, second = (_at_place(step, place) is origin for place in (0, 1))
    if not (first or second) or (name not in LINEAR and operands > 1):
        return None  # two recorded values are multiplied with each other: neither is the other's weight
    if name in LINEAR:
        alpha = float(step.kwargs.get("alpha", 1))
        weights = (-alpha, 1.0) if name == "rsub" else (1.0, LINEAR[name] * alpha)
        return Uniform(reach, first * weights[0] + second * weights[1])
    if name not in PRODUCTS:
        return Uniform(reach, -1.0 if name in ("neg", "negative") else 1.0)
    return None if first and second else _multiplied(step, laid, reach, name, is_first=first)


def _at_place(step: Step, place: int) -> Any:
    """Return the first or second argument, however it was given."""
    return step.args[place] if place < len(step.args) else step.kwargs.get(("input", "other")[place])


def _chosen(step: Step, origin: Origin, laid: Laid, reach: Reach, name: str, operands: int) -> Uniform | None:
    """Return the weight 1 where a constant mask takes the value, and 0 where it takes another one."""
    args = (*step.args, *step.kwargs.values())
    mask, yes, no = args if len(args) == 3 else (None, *args, None, None)[:3]
    if name == "masked_fill":
        mask, yes, no = yes, no, mask
    elif isinstance(yes, Tensor) and yes.dtype == torch.bool and not isinstance(mask, Tensor):
        mask, yes = yes, mask  # called as a method of the value
    if not isinstance(mask, Tensor):
        return Uniform(reach) if operands == 1 else None
    taken = _constant(mask.bool(), laid)
    return Uniform(reach, (yes is origin) * taken + (no is origin) * (1 - taken))


def _multiplied(step: Step, laid: Laid, reach: Reach, name: str, *, is_first: bool) -> Uniform:
    other = _at_place(step, int(is_first))
    if not isinstance(other, Tensor | float | int) or (name not in ("mul", "multiply") and not is_first):
        return Uniform(reach)  # a constant divided by a value is no product, but a function of each value
    constant = _constant(other, laid)
    if name in ("mul", "multiply"):
        return Uniform(reach, constant)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Uniform(reach, 1 / np.asarray(constant))


def _constant(value: Tensor | float, laid: Laid) -> float | np.ndarray:
    if not isinstance(value, Tensor):
        return float(value)
    if value.numel() == 1:
        return float(value.detach())
    whole = value.detach().cpu().double().broadcast_to(laid.full)
    return of_first_sample(whole, laid).reshape(-1).numpy()
