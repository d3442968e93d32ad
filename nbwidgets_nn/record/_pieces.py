"""The passes over the pieces of a batch, joined into the record of one pass over all of it."""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Sequence

import torch
from torch import Tensor

from nbwidgets_nn.record._inputs import INPUT
from nbwidgets_nn.record._other_samples import OtherSamples
from nbwidgets_nn.record._pass import END, Call
from nbwidgets_nn.record.errors import RecordingError

Shape = tuple[int, ...]


def join(passes: Sequence[list[Call]], lengths: Sequence[int]) -> list[Call]:
    """One list of calls from the calls of each piece; `lengths` are the samples in each piece.

    Tensors are concatenated along dim 0. What does not depend on the input (positions, say) is the same in every
    piece and is kept once. A tensor whose dim 0 does not grow with the samples cannot be joined: RecordingError.
    The lists are used up: a piece is given up as soon as it is joined, so that memory holds little more than the
    result.
    """
    if len(passes) == 1:
        return passes[0]
    names = [[call.name for call in calls] for calls in passes]
    if any(other != names[0] for other in names):
        raise RecordingError(
            "batch_size: the network does not run the same calls for every piece of the input; leave batch_size=None"
        )
    cut = _made_from_input(passes[0])
    tensors = _JoinedTensors()
    whole_batch = OtherSamples(lengths[0], sum(lengths))
    for position, first in enumerate(passes[0]):
        pieces = [calls[position] for calls in passes]
        whole = dataclasses.replace(first, origins=whole_batch.origins(first.origins))
        if first.packed:
            raise RecordingError(
                f"batch_size: {first.name!r} returned a packed sequence, which holds the samples of a time step side by "
                "side and cannot be joined; leave batch_size=None"
            )
        if first.name in cut:
            whole.output_shape = _join_shapes(first.name, "output", [c.output_shape for c in pieces], lengths)
            whole.output = tensors.join([c.output for c in pieces])
        if first.input_sources & cut:
            try:
                whole.input_shape = _join_shapes(
                    first.name, "input", [c.input_shape for c in pieces], lengths
                )
                whole.input = tensors.join([c.input for c in pieces])
            except RecordingError:
                if first.name != END:  # what the network returns need not be joined
                    raise
                whole.input = None
        for calls in passes:
            calls[position] = whole
    return passes[0]


def _made_from_input(calls: list[Call]) -> set[str | None]:
    """Names of the calls whose output differs from piece to piece; None (made out of sight) may."""
    names: set[str | None] = {INPUT, None}
    names |= {call.name for call in calls if call.module is None and call.output_shape}  # numbers are not cut
    for call in calls:
        if names & set(call.sources) or call.sources_unknown:
            names.add(call.name)
    return names


def _join_shapes(name: str, what: str, shapes: list[Shape | None], lengths: Sequence[int]) -> Shape | None:
    first = shapes[0]
    if first is None:
        return None
    rows = [shape[0] if shape else None for shape in shapes]
    for shape, length in zip(shapes, lengths, strict=True):
        same_kind = shape and first and shape[1:] == first[1:]
        if not same_kind or rows[0] % lengths[0] or shape[0] * lengths[0] != rows[0] * length:
            raise RecordingError(
                f"batch_size: the {what} of {name!r} has shape {shape} for {length} samples and {first} for "
                f"{lengths[0]}, so the pieces cannot be joined along dim 0; leave batch_size=None"
            )
    return (sum(rows), *first[1:])


class _JoinedTensors:
    """Concatenates pieces, once for all the records that share them."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref, Tensor]] = {}

    def join(self, pieces: list[Tensor | None]) -> Tensor | None:
        first = pieces[0]
        if first is None:
            return None
        known = self._known.get(id(first))
        if known is not None and known[0]() is first:
            return known[1]
        whole = torch.cat(pieces)
        self._known[id(first)] = (weakref.ref(first), whole)
        return whole
