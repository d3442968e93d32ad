"""EI_parts and sensitivity of a layer: exact where they can be, sampled where not, with everything said about it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn._arrays import expected
from nbwidgets_nn._progress import Progress
from nbwidgets_nn.information_results import EffectiveInformation
from nbwidgets_nn.kernels.exact_parts import MOST_ERROR, ExactPairs, exact_parts
from nbwidgets_nn.kernels.exact_sensitivity import exact_sensitivity
from nbwidgets_nn.kernels.exact_window import exact_window
from nbwidgets_nn.kernels.information import check_estimator
from nbwidgets_nn.kernels.intervention import check_table
from nbwidgets_nn.kernels.layer_question import MOST_BINS, LayerQuestion
from nbwidgets_nn.kernels.sampled_information import (
    Intervention,
    PairEstimate,
    observed_range,
    sample_parts,
    sample_sensitivity,
)

METHODS = ("auto", "exact", "sample")
_RANGE_DRAWS = 10_000


class UncertainResultWarning(UserWarning):
    """A number was returned that is less certain than was asked for; `return_result=True` tells how much."""


@dataclass(frozen=True)
class Sampling:
    """How to sample where sampling is needed."""

    samples: int | None = None
    threshold: float = 0.05
    estimator: str = "adjusted"
    extrapolate: bool = False
    seed: int = 0
    progress: Progress = False
    method: str = "auto"

    def __post_init__(self) -> None:
        check_estimator(self.estimator)
        if self.method not in METHODS:
            raise ValueError(expected("method", f"one of {', '.join(map(repr, METHODS))}", repr(self.method)))
        if self.method == "exact" and (self.samples is not None or self.extrapolate):
            came = f"samples={self.samples}" if self.samples is not None else "extrapolate=True"
            raise ValueError(expected("method", '"sample" or "auto" with draws', f'"exact" with {came}'))
        if self.samples is not None and not (
            hasattr(self.samples, "__index__") and self.samples.__index__() >= 2
        ):
            raise ValueError(expected("samples", "a whole number of at least 2, or None", repr(self.samples)))
        if not (isinstance(self.threshold, Real) and self.threshold > 0):
            raise ValueError(expected("threshold", "a number above 0", repr(self.threshold), "0.05"))
        if isinstance(self.seed, bool) or not (
            hasattr(self.seed, "__index__") and self.seed.__index__() >= 0
        ):
            raise ValueError(expected("seed", "a whole number from 0", repr(self.seed), "0"))

    @property
    def wanted(self) -> bool:
        """Whether the caller asked for draws."""
        return self.method == "sample" or self.samples is not None or self.extrapolate


def pairs_of_layer(question: LayerQuestion, sampling: Sampling, *, alone: bool) -> EffectiveInformation:
    """Return the information of every pair: all inputs random (EI_parts), or one at a time (`alone`, sensitivity)."""
    if sampling.method == "exact" and question.why_not_exact:
        hint = 'method="auto", which samples'
        raise ValueError(expected("method", "a layer with an exact form", question.why_not_exact, hint))
    with question.running() as run:
        bins = output_bins(question, sampling, run)
        if question.why_not_exact or sampling.wanted:
            found = _sampled(question.intervention(run, *bins), sampling, alone=alone)
            return _result(question, bins, sampling, alone, None, found)
        exact = _exact(question, bins, sampling, alone=alone)
        if not len(exact.unknown):
            return _result(question, bins, sampling, alone, exact, None)
        if sampling.method == "exact":
            came = f"{len(exact.unknown)} of {question.outputs} outputs whose series ends too slowly"
            raise ValueError(expected("method", f"pairs known to {MOST_ERROR:g} bits", came, 'method="auto"'))
        rest = question.part(outputs=exact.unknown)
        with rest.running() as run_rest:
            left = rest.intervention(run_rest, *(array[exact.unknown] for array in bins))
            found = _sampled(left, sampling, alone=alone)
        return _result(question, bins, sampling, alone, exact, found)


def output_bins(
    question: LayerQuestion, sampling: Sampling, run: Callable[[NDArray], NDArray]
) -> tuple[NDArray, NDArray, NDArray]:
    """Return low, high and number of bins of every output, "dynamic" ones found.

    A dynamic range is from the smallest to the largest value that the output can have under the intervention, where
    that is known, and that it had in the draws, where not. Dynamic bins are as wide as the input's, and as many as
    cover the range.
    """
    outputs = question.outputs
    width = (question.in_range[1] - question.in_range[0]) / question.in_bins
    if question.out_range != "dynamic":
        low, high = (np.full(outputs, end, float) for end in question.out_range)
    elif not question.why_not_exact:
        low, high = question.true_range()
    else:
        guess = question.intervention(run, np.zeros(outputs), np.ones(outputs), np.full(outputs, 2))
        low, high = observed_range(guess, sampling.samples or _RANGE_DRAWS, sampling.seed)
    # An output that never moves still needs a bin of some width.
    high = np.where(high > low, high, low + width)
    if question.out_bins != "dynamic":
        check_table(question.in_bins, question.out_bins, question.out_bins)
        return low, high, np.full(outputs, question.out_bins, np.int64)
    # A range of a whole number of widths needs no further bin because of rounding.
    bins = np.maximum(np.ceil((high - low) / width - 1e-9), 1).astype(np.int64)
    if bins.max() > MOST_BINS:
        came = f'"dynamic", which asks for {bins.max():,}: outputs reach that much farther than inputs'
        raise ValueError(expected("out_bins", f"at most {MOST_BINS:,} bins", came, "a number, such as 64"))
    check_table(question.in_bins, int(bins.min()), int(bins.max()))
    return low, low + bins * width, bins


def _exact(
    question: LayerQuestion, bins: tuple[NDArray, NDArray, NDArray], sampling: Sampling, *, alone: bool
) -> ExactPairs:
    steps = question.steps(*bins)
    if question.window:
        return exact_window(
            question.inputs,
            steps[0],
            question.in_range,
            question.in_bins,
            outside=question.outside,
            alone=alone,
        )
    arguments = (question.weights, question.bias, steps, question.in_range, question.in_bins)
    if alone:
        return exact_sensitivity(*arguments, outside=question.outside)
    return exact_parts(*arguments, outside=question.outside, progress=sampling.progress)


def _sampled(intervention: Intervention, sampling: Sampling, *, alone: bool) -> PairEstimate:
    sample = sample_sensitivity if alone else sample_parts
    return sample(
        intervention,
        samples=sampling.samples,
        threshold=sampling.threshold,
        estimator=sampling.estimator,
        extrapolate=sampling.extrapolate,
        seed=sampling.seed,
        progress=sampling.progress,
    )


def _result(
    question: LayerQuestion,
    bins: tuple[NDArray, NDArray, NDArray],
    sampling: Sampling,
    alone: bool,
    exact: ExactPairs | None,
    found: PairEstimate | None,
) -> EffectiveInformation:
    notes = list(question.notes)
    if exact is None:
        matrix, errors, total, beyond, method = (
            found.matrix,
            found.pair_error,
            found.total,
            found.outside,
            "sampled",
        )
        notes += [f"sampled, because {question.why_not_exact}"] * (
            bool(question.why_not_exact) and sampling.method == "auto"
        )
    else:
        matrix, errors = exact.matrix.copy(), np.zeros_like(exact.matrix)
        total, beyond, method = np.nansum(matrix), exact.outside.mean(), "exact"
    if exact and found:
        matrix[:, exact.unknown], errors[:, exact.unknown] = found.matrix, found.pair_error
        share = f"{len(exact.unknown)} of {question.outputs} outputs"
        method = "sampled" if len(exact.unknown) == question.outputs else f"exact, {share} sampled"
        notes.append(
            f"{share} cannot be known to {MOST_ERROR:g} bits from series or closed form, so they were sampled"
        )
        total += found.total
        beyond = (exact.outside.sum() + found.outside * len(exact.unknown)) / question.outputs
    cells = question.in_bins * int(bins[2].max())
    if found and found.samples < cells:
        notes.append(
            f"{found.samples:,} draws for tables of {cells:,} cells are too few: pairs that depend come out wrong; "
            "take more draws or fewer bins"
        )
        warnings.warn(f"{question.name}: {notes[-1]}", UncertainResultWarning, stacklevel=4)
    if found and found.stopped_early:
        notes.append(
            f"stopped at {found.samples:,} draws, before the value was settled to {sampling.threshold:g} of itself"
        )
        warnings.warn(f"{question.name}: {notes[-1]}", UncertainResultWarning, stacklevel=4)
    return EffectiveInformation(
        quantity="sensitivity" if alone else "EI_parts",
        layer=question.name,
        value=float(total),
        standard_error=found.standard_error if found else 0.0,
        error_bound=exact.error_bound if exact else 0.0,
        matrix=matrix,
        matrix_error=errors,
        method=method,
        samples=found.samples if found else 0,
        estimator=_estimator(sampling) if found else "",
        plugin_bias=found.plugin_bias if found else 0.0,
        seed=sampling.seed if found else None,
        **settings(question, bins),
        outside_share=float(beyond),
        notes=tuple(notes),
    )


def _estimator(sampling: Sampling) -> str:
    return "plugin, extrapolated" if sampling.extrapolate else sampling.estimator


def settings(question: LayerQuestion, bins: tuple[NDArray, NDArray, NDArray]) -> dict:
    """Return the part of a result that repeats the question."""
    low, high, count = bins
    return {
        "in_range": question.in_range,
        "in_bins": question.in_bins,
        "out_low": low,
        "out_high": high,
        "out_bins": count,
        "outside": question.outside,
    }
