"""Vector EI of a layer: exact parts where the layer falls apart into simple ones, nested sampling for the rest."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.information_results import EffectiveInformation
from nbwidgets_nn.kernels._exact_bits import step_bits
from nbwidgets_nn.kernels.binned_activation import Steps
from nbwidgets_nn.kernels.exact_sensitivity import exact_sensitivity
from nbwidgets_nn.kernels.layer_question import LayerQuestion
from nbwidgets_nn.kernels.pairs_of_layer import Sampling, UncertainResultWarning, output_bins, settings
from nbwidgets_nn.kernels.vector_information import TRUSTED, VectorEstimate, sample_vector

Bins = tuple[NDArray, NDArray, NDArray]

_MANY_DROPPED = 0.9


def vector_of_layer(
    question: LayerQuestion,
    sampling: Sampling,
    inputs: Sequence[int] | None = None,
    outputs: Sequence[int] | None = None,
) -> EffectiveInformation:
    """Return I(X; Y) of all inputs and all outputs, or of groups of them while the other inputs are random."""
    question = question.whole()
    with question.running() as run:
        bins = output_bins(question, sampling, run)
        exact, rest = _split(question, bins, sampling, inputs, outputs)
        if rest and sampling.method == "exact":
            what = "a layer in which no output depends on two inputs"
            raise ValueError(expected("method", what, "one in which some do", 'method="auto"'))
        found = [_sampled(part, run, sampling, k) for k, part in enumerate(rest)]
    return _result(question, bins, sampling, exact, found)


Part = tuple[LayerQuestion, Bins, tuple[Sequence[int] | None, Sequence[int] | None]]


def _sampled(part: Part, run: Callable[[NDArray], NDArray], sampling: Sampling, k: int) -> VectorEstimate:
    question, bins, group = part
    # A part of an affine layer is a layer of its own, with fewer inputs; anything else is the whole layer.
    with contextlib.nullcontext(run) if question.span else question.running() as its_run:
        return sample_vector(
            question.intervention(its_run, *bins),
            *group,
            samples=sampling.samples,
            threshold=sampling.threshold,
            estimator=sampling.estimator,
            seed=sampling.seed + k,
            progress=sampling.progress,
        )


def _split(
    question: LayerQuestion,
    bins: Bins,
    sampling: Sampling,
    inputs: Sequence[int] | None,
    outputs: Sequence[int] | None,
) -> tuple[list[tuple[float, float]], list[Part]]:
    """Return bits and the mean number of outputs outside for the parts that are known exactly, and the parts to sample."""
    whole = [(question, bins, (inputs, outputs))]
    grouped = inputs is not None or outputs is not None
    if question.why_not_exact or question.window or sampling.wanted or grouped:
        return [], whole
    parts = list(components(question.weights))
    if question.outside == "drop" and len(bins[0]) > 1:
        return [], whole  # what one output drops is dropped for all of them
    exact, rest = [_of_constants(question, bins)], []
    for of, to in parts:
        part, its_bins = question.part(of, to), tuple(array[to] for array in bins)
        if len(of) > 1:
            rest.append((part, its_bins, (None, None)))
        else:
            exact.append(_of_one_input(part, part.steps(*its_bins)))
    return exact, rest


def _of_constants(question: LayerQuestion, bins: Bins) -> tuple[float, float]:
    """Return 0 bits, and how many of the outputs without any weight lie outside their range."""
    never = ~question.weights.any(axis=1)
    values = question.known(question.bias[never])
    low, high, _ = (array[never] for array in bins)
    return 0.0, float(((values < low) | (values > high)).sum())


def components(weights: NDArray) -> Iterator[tuple[NDArray, NDArray]]:
    """Yield inputs and outputs of the independent parts of a layer: no weight joins two of them.

    Their vector EI adds up. Inputs and outputs without any weight are in no part: they tell nothing.

    >>> [(of.tolist(), to.tolist()) for of, to in components(np.array([[1.0, 2.0, 0.0], [0.0, 0.0, 3.0]]))]
    [([0, 1], [0]), ([2], [1])]
    """
    outputs, inputs = weights.shape
    to, of = np.nonzero(weights)
    graph = coo_array((np.ones(len(of)), (of, inputs + to)), shape=(inputs + outputs,) * 2)
    count, label = connected_components(graph, directed=False)
    for part in range(count):
        members = np.flatnonzero(label == part)
        if len(members) > 1:
            yield members[members < inputs], members[members >= inputs] - inputs


def _of_one_input(part: LayerQuestion, steps: Sequence[Steps]) -> tuple[float, float]:
    """Return the bits between one input and all its outputs, a step function of it, and the mean number outside."""
    arguments = (part.in_range, part.in_bins)
    each = exact_sensitivity(part.weights, part.bias, steps, *arguments, outside=part.outside)
    beyond = float(each.outside.sum())
    if len(steps) == 1:
        return float(each.matrix[0, 0]), beyond
    low, high = part.in_range
    lines = list(zip(steps, part.weights[:, 0], part.bias, strict=True))
    crossings = np.concatenate([(one.breaks - b) / w for one, w, b in lines])
    x = np.unique(crossings[(crossings > low) & (crossings < high)])
    middles = (np.append(low, x) + np.append(x, high)) / 2
    cells = [
        one.placed("clip")[np.searchsorted(one.breaks, b + w * middles, side="right")] for one, w, b in lines
    ]
    _, labels = np.unique(np.stack(cells, axis=1), axis=0, return_inverse=True)
    places = (x - low) * (part.in_bins / (high - low))
    return step_bits(places, labels.ravel(), part.in_bins), beyond


def _result(
    question: LayerQuestion,
    bins: Bins,
    sampling: Sampling,
    exact: list[tuple[float, float]],
    found: list[VectorEstimate],
) -> EffectiveInformation:
    doubts = [note for one in found for note in _doubts(one)]
    if doubts:
        warnings.warn(f"{question.name}: {'; '.join(doubts)}", UncertainResultWarning, stacklevel=4)
    known = sum(bits > 0 for bits, _ in exact)
    method = "exact" if not found else "nested sampling"
    if found and all(one.enumerated for one in found):
        method = "nested sampling of every input cell"
    if found and known:
        method = f"exact for {known} of {known + len(found)} independent parts, {method}"
    return EffectiveInformation(
        quantity="EI",
        layer=question.name,
        value=sum(bits for bits, _ in exact) + sum(one.value for one in found),
        standard_error=math.hypot(*(one.standard_error for one in found)),
        error_bound=0.0,
        matrix=None,
        matrix_error=None,
        method=method,
        samples=sum(one.samples for one in found),
        estimator=sampling.estimator if found else "",
        plugin_bias=sum(one.plugin_bias for one in found),
        seed=sampling.seed if found else None,
        **settings(question, bins),
        outside_share=_outside(question, exact, found),
        coverage=float(min([1.0] + [min(one.coverage, one.coverage_inside) for one in found])),
        notes=tuple(dict.fromkeys((*question.notes, *doubts))),
    )


def _outside(question: LayerQuestion, exact: list[tuple[float, float]], found: list[VectorEstimate]) -> float:
    asked = sum(one.outputs for one in found) if not exact else question.outputs
    return (sum(count for _, count in exact) + sum(one.outside * one.outputs for one in found)) / asked


def _doubts(found: VectorEstimate) -> Iterator[str]:
    hint = "take fewer bins or more samples"
    alone, alone_inside = 1 - found.coverage, 1 - found.coverage_inside
    many, many_inside = alone > 1 - TRUSTED, alone_inside > 1 - TRUSTED
    if many and many_inside:
        yield (
            f"{alone:.0%} of the draws fell alone in their output cell, and {alone_inside:.0%} did within their input "
            f"cell: neither entropy is known, and EI is not; {hint}"
        )
    elif many:
        yield f"{alone:.0%} of the draws fell alone in their output cell: EI is probably higher; {hint}"
    elif many_inside:
        yield f"within input cells {alone_inside:.0%} of the draws fell alone in their output cell: EI is probably lower; {hint}"
    if found.dropped > _MANY_DROPPED:
        yield f'{found.dropped:.1%} of the draws were dropped, as some output lay outside its range; outside="clip" keeps them'
    if found.stopped_early:
        yield f"stopped at {found.samples:,} draws, before the standard error was what was asked for"
