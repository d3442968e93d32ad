"""Functions that only move values are run on the numbers of the units: whatever they do is found, not guessed."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nbwidgets_nn.kernels.function_names import JOINING, KEEPING_ORDER
from nbwidgets_nn.kernels.graph.gather_reach import gather_reach
from nbwidgets_nn.kernels.graph.laid import Found, Laid, Operands
from nbwidgets_nn.kernels.graph.product_reach import own
from nbwidgets_nn.kernels.graph.stages import Read, Uniform
from nbwidgets_nn.record._trees import tensors_in
from nbwidgets_nn.record.steps import Origin, Step, map_arguments


def moved(step: Step, operands: Operands, name: str) -> Found:
    """Run the function on the numbers of the units."""
    (_, source) = operands[0]
    same_order = name in KEEPING_ORDER and len(operands) == 1 and source.axis in (None, 0)
    if same_order and prod(source.full) == prod(step.shape):
        laid = _reshaped(source, step.shape)
        if laid is not None:
            return laid, [Read(own(laid.size), Uniform(own(laid.size)))]
    found = _of_one_sample(step, operands, name)
    if found is not None and max(source.samples for _, source in operands) > 1:
        _check_apart(step, operands, name, found[0])
    laid, index = found or _of_all_samples(step, operands, name)
    reads, offset = [], 0
    for _, source in operands:
        inside = (index > offset) & (index <= offset + source.size)
        reach = gather_reach(np.where(inside, index - offset - 1, -1), source.shape)
        reads.append(Read(reach, Uniform(reach)))
        offset += source.size
    return laid, reads


def _reshaped(source: Laid, shape: tuple[int, ...]) -> Laid | None:
    if source.axis is None:
        return Laid(shape, None)
    if not shape or shape[0] % source.samples:
        return None
    return Laid(shape, 0, shape[0] // source.samples)


def _of_one_sample(step: Step, operands: Operands, name: str) -> tuple[Laid, np.ndarray] | None:
    """Try it with one sample in place of all; None if the function does not run alike then."""
    ids, offset = {}, 1
    for origin, source in operands:
        ids[id(origin)] = torch.arange(offset, offset + source.size, dtype=torch.float64).reshape(
            source.shape
        )
        offset += source.size
    samples = max(source.samples for _, source in operands)
    try:
        found = _run(step, ids, name)
    except (RuntimeError, IndexError, ValueError, TypeError):
        return None
    shape = tuple(found.shape)
    if len(shape) != len(step.shape):
        return None
    different = [k for k, (a, b) in enumerate(zip(shape, step.shape, strict=True)) if a != b]
    if samples == 1:
        axis = None if different else _axis_of_one(step, operands, name)
        return (
            None
            if different
            else (Laid(step.shape, axis, 1 if axis is None else step.shape[axis]), _whole(found))
        )
    if len(different) != 1 or step.shape[different[0]] != samples * shape[different[0]]:
        return None
    axis = different[0]
    if axis > 0 and shape[axis] > 1:
        return None
    return Laid(step.shape, axis, shape[axis]), _whole(found)


def _axis_of_one(step: Step, operands: Operands, name: str) -> int | None:
    """Where there is one sample, the axis that is there only to count it is the one that a second would make longer."""
    counted = [source for _, source in operands if source.axis is not None and source.times == 1]
    if not counted:
        return None
    two = {id(origin): torch.zeros(_of_two(source), dtype=torch.float64) for origin, source in operands}
    try:
        shape = tuple(_run(step, two, name).shape)
    except (RuntimeError, IndexError, ValueError, TypeError):  # it holds sizes of the one sample
        first = any(source.axis == 0 for source in counted)
        return 0 if first and step.shape and step.shape[0] == 1 else None
    if len(shape) != len(step.shape):
        return None
    longer = [k for k, (a, b) in enumerate(zip(shape, step.shape, strict=True)) if a != b]
    return longer[0] if len(longer) == 1 and step.shape[longer[0]] == 1 else None


def _of_two(source: Laid) -> tuple[int, ...]:
    if source.axis is None or source.times > 1:
        return source.full
    return (*source.full[: source.axis], 2, *source.full[source.axis + 1 :])


def _of_all_samples(step: Step, operands: Operands, name: str) -> tuple[Laid, np.ndarray]:
    """Run it on the numbers of all samples, and look where those of the first one are."""
    return _laid_like(*_numbers_of_all(step, operands, name), max(source.samples for _, source in operands))


def _check_apart(step: Step, operands: Operands, name: str, laid: Laid) -> None:
    """Raise ValueError if with all samples a place of one has a value of another, as after a flip of dim 0."""
    sample, _ = _numbers_of_all(step, operands, name)
    if not _stands(sample, laid.axis, laid.samples):
        raise ValueError("it mixes the samples")


def _numbers_of_all(step: Step, operands: Operands, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return which sample's value is at each place, -1 for none, and the number of its unit."""
    ids, offset, starts = {}, 1, []
    for origin, source in operands:
        count = source.samples * source.size
        numbers = torch.arange(offset, offset + count, dtype=torch.float64)
        ids[id(origin)] = _laid_out(numbers, source)
        starts.append((offset, source))
        offset += count
    try:
        found = _whole(_run(step, ids, name))
    except (RuntimeError, IndexError, ValueError, TypeError) as error:
        raise ValueError(f"{name} did not run again ({error})") from error
    sample, index, place = np.full(found.shape, -1), np.zeros_like(found), 1
    for start, source in starts:
        inside = (found >= start) & (found < start + source.samples * source.size)
        of_sample, unit = np.divmod(found - start, max(source.size, 1))
        sample = np.where(inside & (source.axis is not None), of_sample, sample)
        index = np.where(inside, unit + place, index)
        place += source.size
    return sample, index


def _laid_like(sample: np.ndarray, index: np.ndarray, samples: int) -> tuple[Laid, np.ndarray]:
    """Find the axis along which the samples stand one after the other; ValueError if there is none."""
    shape = sample.shape
    for axis, count in enumerate(shape):
        if count % samples or (axis and count != samples):
            continue
        if _stands(sample, axis, samples):
            times = count // samples
            return Laid(shape, axis, times), index[(slice(None),) * axis + (slice(0, times),)]
    raise ValueError("it mixes the samples")


def _stands(sample: np.ndarray, axis: int, samples: int) -> bool:
    """Whether the samples stand along the axis, one after the other."""
    count = sample.shape[axis]
    line = [1] * sample.ndim
    line[axis] = -1
    owner = (np.arange(count) // (count // samples)).reshape(line)
    return bool(((sample == owner) | (sample == -1)).all())


def _laid_out(numbers: Tensor, source: Laid) -> Tensor:
    if source.axis is None:
        return numbers.reshape(source.full)
    return numbers.reshape(source.samples, *source.shape).movedim(0, source.axis).reshape(source.full)


def _run(step: Step, ids: dict[int, Tensor], name: str) -> Tensor:
    def given(value: Any) -> Any:
        return ids[id(value)] if isinstance(value, Origin) else value

    def filled(value: Any) -> Any:
        constant = name in JOINING and isinstance(value, Tensor)
        return torch.zeros(value.shape, dtype=torch.float64) if constant else given(value)

    args, kwargs = map_arguments(step.args, filled), map_arguments(step.kwargs, filled)
    if name == "setitem":
        value = args[2] if isinstance(args[2], Tensor) else 0.0
        args = (args[0], map_arguments(step.args[1], given), value)
    if name == "pad":
        args, kwargs = _padding_with_zeros(args, kwargs)
    with torch.no_grad():
        found = step.function(*args, **kwargs)
    return found if step.pick is None else list(tensors_in(found))[step.pick]


def _padding_with_zeros(args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    if len(args) > 3:
        return (*args[:3], 0.0), kwargs
    return args, {key: 0.0 if key == "value" else value for key, value in kwargs.items()}


def _whole(found: Tensor) -> np.ndarray:
    return found.detach().cpu().numpy().astype(np.int64)
