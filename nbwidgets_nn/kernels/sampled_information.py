"""EI_parts and sensitivity by drawing: for every span of a model that has no closed form.

Inputs are set at random, outputs are binned, and every pair (input A, output B) gets the mutual information of its
table of counts. Of a draw only the bin numbers are kept, one byte a unit up to 256 bins; a table lives for one pair.
Cost on two cores: the function itself, a third of a nanosecond a pair and draw, and 10 to 20 microseconds a pair of
64 x 64 bins. Memory: draws x (inputs + outputs) bytes.

The errors are those of the jackknife: what leaving out each single draw would change. For the sum over all pairs it
is what each draw contributes to all of them at once, since pairs share their draws. Where the first order vanishes, as
for independent units, the jackknife finds twice the plain histogram's variance (Efron and Stein 1981, Ann. Statist.
9:586); the second order, known from the numbers of occupied cells, is therefore put right. Where many outputs are
alike the error comes out too large, by up to a quarter.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nbwidgets_nn._arrays import expected
from nbwidgets_nn._progress import Progress, steps
from nbwidgets_nn.kernels._extrapolation import second_order_gain
from nbwidgets_nn.kernels.information import check_estimator
from nbwidgets_nn.kernels.intervention import Intervention, observed_range

if TYPE_CHECKING:
    from nbwidgets_nn.kernels._pair_draws import Draws, PairTotals

__all__ = ["Intervention", "PairEstimate", "observed_range", "sample_parts", "sample_sensitivity"]

_FIRST_SAMPLES = 5_000  # only to compare with: the first number of draws that can be enough is twice that
_MOST_SAMPLES = 2**20
_MOST_BYTES = 2**30  # of bin numbers, when the number of draws is ours to choose
_LITTLE = 0.001  # bits a pair: below that a relative error means nothing
_BITS = 1 / np.log(2)
_GAIN = {"adjusted": 1.5, "grassberger": 1.5, "miller-madow": 1.0, "plugin": 1.0}
"""Variance where the first order vanishes, over that of the plain histogram. Of a well filled cell's n ln n it is 1/2
after what is linear in n; Grassberger's terms add 1/4 because they differ for odd and even n."""


@dataclass(frozen=True, eq=False)
class PairEstimate:
    """Bits of every pair from random draws, with errors."""

    matrix: np.ndarray = field(repr=False)
    """(inputs, outputs) bits. Corrected estimates of pairs near 0 are above or below it: they can be negative."""
    pair_error: np.ndarray = field(repr=False)
    """(inputs, outputs) standard errors; errors of different pairs are not independent of each other."""
    total: float
    """Sum of the matrix, in bits."""
    standard_error: float
    """Of the total."""
    samples: int
    """Draws; for the sensitivity, of each input."""
    plugin_bias: float
    """Bits by which the total of the plain histogram would be too high, to first order."""
    grassberger_bias: float
    """Bits by which the total of "grassberger" is above that of "adjusted"; 0 with the other estimators."""
    outside: float
    """Share of all outputs, over all draws, that lay beyond their range."""
    stopped_early: bool
    """No more draws were allowed although the error was above the threshold."""


def sample_parts(
    question: Intervention,
    *,
    samples: int | None = None,
    threshold: float = 0.05,
    estimator: str = "adjusted",
    extrapolate: bool = False,
    seed: int = 0,
    progress: Progress = False,
    chunk: int | None = None,
) -> PairEstimate:
    """Estimate I(A; B) of every pair while all inputs are drawn at random: its total is EI_parts.

    `samples`: number of draws. None: 10,000, doubled until the standard error of the total, and its change since half
    the draws, are at most `threshold` of the total (or of 0.001 bits a pair, if that is more); at most a million draws
    or a gigabyte.
    `estimator`: see `information`. `extrapolate`: instead, take the plain histogram of 1/8, 1/4, 1/2 and all of the
    draws and fit C + a/N + b/N^2; the value is C; at least 8 draws. `chunk`: most rows given to the function at a time;
    it changes nothing but rounding inside the function. `progress`: see `nbwidgets_nn._progress`; each round of draws
    reports anew. An exception raised there, or an interrupt, ends all threads before it is passed on.

    An output that fills one bin only, or is never in its range with outside="drop", has exactly 0 bits.
    Raises ValueError for NaN or the wrong shape from the function and for arguments out of range.

    >>> identity = Intervention(lambda x: x, 2, 2, (0, 1), 8, np.zeros(2), np.ones(2), np.full(2, 8))
    >>> found = sample_parts(identity, samples=20_000)
    >>> np.abs(found.matrix - [[3, 0], [0, 3]]).max() < 0.01
    np.True_
    """
    options = _Options(samples, threshold, estimator, extrapolate, seed, chunk)
    return _estimate(_Together(question, options), options, progress)


def sample_sensitivity(
    question: Intervention,
    *,
    samples: int | None = None,
    threshold: float = 0.05,
    estimator: str = "adjusted",
    extrapolate: bool = False,
    seed: int = 0,
    progress: Progress = False,
    chunk: int | None = None,
) -> PairEstimate:
    """Estimate I(A; B) of every pair while input A alone is drawn at random and the others are 0.

    The function runs once for every input and draw. Arguments, errors and degenerate cases are those of
    `sample_parts`; `samples` is the number of draws of each input.

    >>> add = Intervention(lambda x: x.sum(1, keepdims=True), 3, 1, (0, 1), 8, [0], [1], [8])
    >>> print(f"{sample_sensitivity(add, samples=20_000).total:.2f}")
    9.00
    """
    options = _Options(samples, threshold, estimator, extrapolate, seed, chunk)
    return _estimate(_OneByOne(question, options), options, progress)


@dataclass(frozen=True)
class _Options:
    samples: int | None
    threshold: float
    estimator: str
    extrapolate: bool
    seed: int
    chunk: int | None

    def __post_init__(self) -> None:
        least = 8 if self.extrapolate else 1
        if self.samples is not None:
            _check_whole("samples", self.samples, least)
        if self.chunk is not None:
            _check_whole("chunk", self.chunk, 1)
        _check_whole("seed", self.seed, 0)
        if not self.threshold > 0:
            raise ValueError(expected("threshold", "a share above 0", repr(self.threshold), "0.05"))
        check_estimator(self.estimator)

    def rounds(self, bytes_a_draw: int) -> list[int]:
        """List the numbers of draws to try, one after the other."""
        if self.samples is not None:
            return [int(self.samples)]
        most = max(_FIRST_SAMPLES, min(_MOST_SAMPLES, _MOST_BYTES // bytes_a_draw))
        return [_FIRST_SAMPLES << k for k in range((most // _FIRST_SAMPLES).bit_length())]


class _Together:
    """Rounds in which all inputs are random; a round keeps the draws of those before it."""

    name = "EI_parts"

    def __init__(self, question: Intervention, options: _Options) -> None:
        from nbwidgets_nn.kernels import _pair_draws  # noqa: PLC0415 - imports numba

        self.question = question
        self.bytes_a_draw = (question.inputs + question.outputs) * np.dtype(question.number_type).itemsize
        self._draws = _pair_draws.Draws(question, options.seed, options.chunk)

    def steps(self, samples: int, totals: PairTotals) -> int:
        return self._draws.steps(samples) + totals.steps(self.question.inputs)

    def parity_noise(self) -> float:
        """Give draws x standard deviation, in nats, of what pairs of one unit share: G(n) of its row or column sums.

        It is up or down by 1/2 for each bin, in the entropy of the unit, which every pair of that unit has.
        """
        inputs, outputs = self.question.inputs, self.question.outputs
        bins = inputs**2 * self.question.bins.sum() + outputs**2 * inputs * self.question.in_bins
        return 0.5 * float(bins) ** 0.5

    def work(self, samples: int, totals: PairTotals) -> Iterator[None]:
        yield from self._draws.grow(samples)
        totals.outside = self._draws.outside / (samples * self.question.outputs)
        yield from totals.add(slice(None), self._draws.columns())


class _OneByOne:
    """Rounds in which one input after the other is random. Only the draws of one input are kept at a time."""

    name = "sensitivity"

    def __init__(self, question: Intervention, options: _Options) -> None:
        self.question = question
        self.bytes_a_draw = (1 + question.outputs) * np.dtype(question.number_type).itemsize
        self._options = options

    def steps(self, samples: int, totals: PairTotals) -> int:
        return self.question.inputs * (self._draws(0).steps(samples) + totals.steps(1))

    def parity_noise(self) -> float:
        """Give the same as for all inputs together. Here pairs of one output have draws of their own."""
        return 0.5 * self.question.outputs * (self.question.inputs * self.question.in_bins) ** 0.5

    def work(self, samples: int, totals: PairTotals) -> Iterator[None]:
        outside = 0
        for unit in range(self.question.inputs):
            draws = self._draws(unit)
            yield from draws.grow(samples)
            yield from totals.add(slice(unit, unit + 1), draws.columns())
            outside += draws.outside
        totals.outside = outside / (samples * self.question.outputs * self.question.inputs)

    def _draws(self, unit: int) -> Draws:
        from nbwidgets_nn.kernels import _pair_draws  # noqa: PLC0415 - imports numba

        return _pair_draws.Draws(self.question, self._options.seed, self._options.chunk, alone=unit)


def _estimate(source: _Together | _OneByOne, options: _Options, progress: Progress) -> PairEstimate:
    from nbwidgets_nn.kernels import _pair_draws  # noqa: PLC0415 - imports numba

    question, before = source.question, np.inf
    for samples in options.rounds(source.bytes_a_draw):
        totals = _pair_draws.PairTotals(question, samples, options.estimator, extrapolate=options.extrapolate)
        what = f"{source.name}, {samples:,} draws"
        # Closed here: an exception from `progress` would leave the threads to the garbage collector.
        with closing(source.work(samples, totals)) as work:
            for _ in steps(work, source.steps(samples, totals), progress, what, "step"):
                pass
        found = _in_bits(source, totals, samples, options)
        goal = options.threshold * max(found.total, _LITTLE * found.matrix.size)
        # What half the draws gave tells how much bias may be left, which the standard error does not know.
        if options.samples is not None or max(found.standard_error, abs(found.total - before)) <= goal:
            return found
        before = found.total
    return replace(found, stopped_early=True)


def _in_bits(
    source: _Together | _OneByOne, totals: PairTotals, samples: int, options: _Options
) -> PairEstimate:
    gain = second_order_gain() if options.extrapolate else _GAIN[options.estimator]
    information, jackknife, second_order = np.moveaxis(totals.results, 1, 0)
    plugin_excess, grassberger_excess = totals.sums * _BITS
    has_parity = options.estimator == "grassberger" and not options.extrapolate
    shared = source.parity_noise() / samples * _BITS if has_parity else 0.0
    matrix = information * _BITS
    if options.estimator == "plugin" and not options.extrapolate:
        matrix = np.maximum(matrix, 0.0)  # only rounding can have taken it below
    return PairEstimate(
        matrix=matrix,
        pair_error=_error(jackknife, second_order, gain),
        total=float(matrix.sum()),
        standard_error=float(np.hypot(_error(totals.total_jackknife, second_order.sum(), gain), shared)),
        samples=samples,
        plugin_bias=float(plugin_excess),
        grassberger_bias=float(grassberger_excess),
        outside=totals.outside,
        stopped_early=False,
    )


def _error(jackknife: Any, second_order: Any, gain: float) -> Any:
    """Give standard errors in bits. The jackknife counts the second order twice; it is there `gain` times."""
    variance = np.maximum(jackknife + (gain - 2) * second_order, min(gain / 2, 1) * jackknife)
    return np.sqrt(variance) * _BITS


def _check_whole(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(expected(name, f"a whole number from {least}", repr(value)))
