"""Vector effective information: what a whole group of outputs tells about a whole group of inputs.

EI = H(Y) - H(Y | X), X the vector of input bins under do(L1 = H^max). H(X) is known, so inputs are not left to chance: cells
of X are taken one by one and Y is sampled *inside* each. Both entropies then live on the few cells of Y that occur; a joint
histogram would need every pair of cells many times over.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn._progress import Progress, report
from nbwidgets_nn.kernels._binning import bin_values
from nbwidgets_nn.kernels.information import cell_terms, entropy_constant, entropy_from_counts
from nbwidgets_nn.kernels.intervention import Intervention, refuse_missing

MOST_CELLS = 100_000
"""Input cells up to this number are all visited; of more, some are drawn."""

MOST_DRAWS = 2**21

ENOUGH_SEEN = 0.95
"""Below this coverage the entropy of Y is visibly too low."""

TRUSTED = 0.9
"""Below this coverage a value is in doubt."""

HOPELESS = 0.2
"""Below this coverage no number of draws that anybody can make would help."""
_FIRST_DRAWS = 2**15
_FEWEST_INSIDE = 64
_PROBED_CELLS = 16
_ALL = 0.98
_RUN_AT_ONCE = 2**14
_WORK = ("vector EI", "chunk")
_DROPPED = np.uint64(2**64 - 1)


@dataclass(frozen=True)
class VectorEstimate:
    """A sampled vector EI in bits."""

    value: float
    standard_error: float
    samples: int
    cells: int
    """Input cells visited."""
    enumerated: bool
    """Were all input cells visited?"""
    coverage: float
    """Good and Turing's estimate of the share of Y's probability on cells that draws have met. Far below 1, H(Y) and EI are too low."""
    coverage_inside: float
    """The same within cells of X. Far below 1, H(Y | X) is too low and EI too high."""
    plugin_bias: float
    """Bits by which the joint histogram of as many draws would be too high, to first order, and at most log2(draws)."""
    outside: float
    """Share of the outputs that lay outside their range."""
    dropped: float
    """Share of the draws that were left out because some output lay outside its range."""
    outputs: int
    """How many outputs there are."""
    stopped_early: bool
    """Whether no more draws were made although the standard error was above the threshold."""


def sample_vector(
    question: Intervention,
    inputs: Sequence[int] | None = None,
    outputs: Sequence[int] | None = None,
    *,
    samples: int | None = None,
    threshold: float = 0.05,
    estimator: str = "grassberger",
    seed: int = 0,
    progress: Progress = False,
) -> VectorEstimate:
    """Estimate I(X_inputs; Y_outputs) with all inputs random: those not in the group vary within every cell.

    Args:
        question: the layer.
        inputs, outputs: the groups; None for all.
        samples: draws, as a target: cells are visited whole. None: until the standard error is below `threshold` times the
            value and the value no longer moves by more than that when the draws double, or 4 million draws.
        threshold: relative.
        estimator: of entropies, see `information`.
        seed: of the draws.
        progress: see `steps`.
    """
    group = _Group(question, inputs, outputs, np.random.Generator(np.random.Philox(seed)))
    total = question.in_bins ** len(group.inputs)
    estimators = estimator, "grassberger" if estimator == "miller-madow" else "miller-madow"
    depth = group.needed_depth(MOST_DRAWS // 128 if samples is None else max(2, samples // 64))
    every = total <= MOST_CELLS and total * depth <= (MOST_DRAWS if samples is None else samples)
    design = _EveryCell(group, total, depth, estimators) if every else _SomeCells(group, depth, estimators)
    return _until_known(design, group, samples, threshold, progress)


def _until_known(
    design: _EveryCell | _SomeCells, group: _Group, samples: int | None, threshold: float, progress: Progress
) -> VectorEstimate:
    # The probe has been paid for.
    target = max(samples - group.drawn, samples // 2) if samples else max(_FIRST_DRAWS, design.fewest)
    while True:
        design.draw(target, progress)
        found, half = design.estimate(), design.estimate(half=True)
        value, other = found.values
        # Draws that are too few show before they show as spread: as movement, because a bias of 1/N moves by what is left
        # of it, and as disagreement of two estimators, between which the truth usually lies.
        error = math.hypot(found.error, value - half.values[0], (value - other) / 2)
        known = error <= threshold * max(abs(value), 0.1)
        doublings = math.log2(MOST_DRAWS / target)
        # Where few draws meet another, and hardly more of them than among half as many, more draws do not help.
        within_reach = found.coverage + 1.5 * doublings * (found.coverage - half.coverage) >= ENOUGH_SEEN
        if samples or doublings < 1 or (known and found.coverage >= ENOUGH_SEEN) or not within_reach:
            break
        target *= 2
    return VectorEstimate(
        value=float(value),
        standard_error=error,
        samples=group.drawn,
        cells=design.cells,
        enumerated=isinstance(design, _EveryCell),
        coverage=found.coverage,
        coverage_inside=found.coverage_inside,
        plugin_bias=_plugin_bias(group.drawn, group.question.in_bins ** len(group.inputs), design.codes()),
        outside=group.outside / max(1, group.drawn * len(group.outputs)),
        dropped=group.dropped / max(1, group.drawn),
        outputs=len(group.outputs),
        stopped_early=samples is None and not known,
    )


@dataclass(frozen=True, eq=False)
class _Estimate:
    values: NDArray
    """EI in bits by each estimator."""
    error: float
    coverage: float
    coverage_inside: float


def _plugin_bias(draws: int, input_cells: int, codes: NDArray[np.uint64]) -> float:
    """Return by how much a joint histogram of as many draws would be too high; it cannot show more than log2(draws)."""
    if not draws:
        return 0.0
    excess = (min(input_cells, draws) - 1) * (
        len(np.unique(codes)) - 1
    )  # K_XY - K_X - K_Y + 1, all pairs met
    return min(excess / (2 * draws * math.log(2)), math.log2(draws))


@dataclass(eq=False)
class _Group:
    """Draws Y of the group of outputs as one code a draw."""

    question: Intervention
    _inputs: Sequence[int] | None
    _outputs: Sequence[int] | None
    rng: np.random.Generator
    drawn: int = 0
    outside: int = 0
    dropped: int = 0
    inputs: NDArray = field(init=False)
    outputs: NDArray = field(init=False)

    def __post_init__(self) -> None:
        question = self.question
        self.inputs = np.arange(question.inputs) if self._inputs is None else np.asarray(self._inputs)
        self.outputs = np.arange(question.outputs) if self._outputs is None else np.asarray(self._outputs)
        bins = [int(question.bins[output]) for output in self.outputs]
        if math.prod(bins) < 2**63:
            places = [math.prod(bins[:k]) for k in range(len(bins))]
            self._places = np.array(places, np.uint64)
        else:  # too many cells to count: odd random factors make a hash that practically never collides
            factors = np.random.Generator(np.random.Philox(0)).integers(
                2**62, size=len(bins), dtype=np.uint64
            )
            self._places = factors * np.uint64(2) + np.uint64(1)

    def codes(self, cells: NDArray | None, count: int, each: Callable[[], None]) -> NDArray[np.uint64]:
        """Return the codes of `count` draws: inside the given cells (count, inputs of the group), or anywhere."""
        parts = []
        for start in range(0, count, _RUN_AT_ONCE):
            size = min(_RUN_AT_ONCE, count - start)
            places = self.rng.random((size, self.question.inputs))
            if cells is not None:
                inside = cells[start : start + size] + places[:, self.inputs]
                places[:, self.inputs] = inside / self.question.in_bins
            low, high = self.question.in_range
            parts.append(self._encode(self.question.run(low + (high - low) * places)))
            each()
        return np.concatenate(parts)

    def _encode(self, values: NDArray) -> NDArray[np.uint64]:
        question, drop = self.question, self.question.outside == "drop"
        low, high, bins = (array[self.outputs] for array in (question.low, question.high, question.bins))
        numbers = np.empty((len(self.outputs), len(values)), question.number_type)
        chosen = np.ascontiguousarray(values[:, self.outputs])
        outside, missing = bin_values(chosen, low, high, bins, drop, numbers, 0)
        refuse_missing(missing > 0)
        self.outside += int(outside.sum())
        self.drawn += len(values)
        codes = np.zeros(len(values), np.uint64)
        for place, column in zip(self._places, numbers, strict=True):
            codes += column.astype(np.uint64) * place
        if drop:
            beyond = (numbers == bins[:, None]).any(axis=0)
            codes[beyond] = _DROPPED
            self.dropped += int(beyond.sum())
        return codes

    def needed_depth(self, most: int) -> int:
        """Return how many draws a cell of X needs until most fall where another has fallen before."""
        depth = min(_FEWEST_INSIDE, most)
        while depth < most:
            cells = self.rng.integers(self.question.in_bins, size=(_PROBED_CELLS, len(self.inputs)))
            codes = self.codes(np.repeat(cells, depth, axis=0), _PROBED_CELLS * depth, lambda: None)
            alone = _alone(np.sort(codes.reshape(_PROBED_CELLS, depth), axis=1))
            if alone <= 1 - ENOUGH_SEEN or (alone > _ALL and depth > _FEWEST_INSIDE):
                break  # enough, or more than anybody can draw
            depth = min(4 * depth, most)
        return depth


class _EveryCell:
    """All cells of X, the same number of draws in each."""

    def __init__(self, group: _Group, cells: int, depth: int, estimators: tuple[str, str]) -> None:
        self.cells = cells
        self.fewest = depth * cells
        self._group, self._estimators = group, estimators
        digits = np.unravel_index(np.arange(cells), [group.question.in_bins] * len(group.inputs))
        self._digits = np.stack(digits, axis=1)
        self._drawn = np.empty((cells, 0), np.uint64)

    def draw(self, target: int, progress: Progress) -> None:
        """Add draws until there are about `target`."""
        missing = max(1, round(target / self.cells)) - self._drawn.shape[1]
        if missing > 0:
            each = report(progress, _chunks(missing * self.cells), *_WORK)
            cells = np.repeat(self._digits, missing, axis=0)
            new = self._group.codes(cells, len(cells), each).reshape(self.cells, missing)
            self._drawn = np.concatenate([self._drawn, new], axis=1)

    def codes(self) -> NDArray[np.uint64]:
        return _kept(self._drawn.ravel())

    def estimate(self, *, half: bool = False) -> _Estimate:
        """Estimate from all draws, or from half of them."""
        drawn = self._drawn[:, : (self._drawn.shape[1] + 1) // 2] if half else self._drawn
        codes = np.sort(drawn, axis=1)
        inside = _entropies_inside(codes, self._estimators)
        counts = _run_lengths(codes).ravel()
        kept = codes.ravel() != _DROPPED
        surprise, entropy, coverage = _marginal(codes.ravel()[kept], self._estimators)
        size = np.maximum((codes != _DROPPED).sum(axis=1), 1)
        score = surprise + np.log2(counts[kept] / np.repeat(size, codes.shape[1])[kept])
        cell = np.repeat(np.arange(self.cells), codes.shape[1])[kept]
        # All cells are visited, so only the draws within each are left to chance.
        weight = np.bincount(cell, minlength=self.cells)
        mean = np.bincount(cell, score, self.cells) / np.maximum(weight, 1)
        spread = np.bincount(cell, (score - mean[cell]) ** 2, self.cells)
        error = math.sqrt(spread.sum()) / max(kept.sum(), 1)
        share = weight / max(weight.sum(), 1)
        return _Estimate(entropy - inside @ share, error, coverage, 1 - _alone(codes))


class _SomeCells:
    """Cells of X drawn at random for H(Y | X), and draws from all of X for H(Y)."""

    def __init__(self, group: _Group, depth: int, estimators: tuple[str, str]) -> None:
        self.cells, self._depth = 0, depth
        self.fewest = 128 * depth
        self._group, self._estimators = group, estimators
        self._anywhere = np.empty(0, np.uint64)
        self._inside = np.empty((2, 0))
        self._weights = np.empty(0)
        self._alone = np.empty(0)

    def _visit(self, cells: int, depth: int, each: Callable[[], None]) -> tuple[NDArray, NDArray]:
        digits = self._group.rng.integers(self._group.question.in_bins, size=(cells, len(self._group.inputs)))
        codes = self._group.codes(np.repeat(digits, depth, axis=0), cells * depth, each).reshape(cells, depth)
        codes.sort(axis=1)
        return codes, _entropies_inside(codes, self._estimators)

    def draw(self, target: int, progress: Progress) -> None:
        """Add draws until there are about `target`, half of them inside cells."""
        half = target // 2
        missing = half - len(self._anywhere)
        cells = max(2, half // self._depth) - self.cells
        chunks = _chunks(max(missing, 0)) + _chunks(max(cells, 0) * self._depth)
        each = report(progress, chunks, *_WORK)
        if missing > 0:
            self._anywhere = np.concatenate([self._anywhere, self._group.codes(None, missing, each)])
        if cells > 0:
            codes, entropies = self._visit(cells, self._depth, each)
            self._inside = np.concatenate([self._inside, entropies], axis=1)
            self._alone = np.append(self._alone, _alone(codes))
            self._weights = np.concatenate([self._weights, (codes != _DROPPED).sum(axis=1)])
            self.cells += cells

    def codes(self) -> NDArray[np.uint64]:
        return _kept(self._anywhere)

    def estimate(self, *, half: bool = False) -> _Estimate:
        """Estimate from all draws, or from half of them."""
        parts = 2 if half else 1
        anywhere = self._anywhere[: len(self._anywhere) // parts]
        inside, weights = self._inside[:, : self.cells // parts], self._weights[: self.cells // parts]
        surprise, entropy, coverage = _marginal(_kept(anywhere), self._estimators)
        if not weights.sum():
            return _Estimate(np.zeros(2), 0.0, coverage, 1.0)
        share = weights / weights.sum()
        given = inside @ share
        spread = float(((share * (inside[0] - given[0])) ** 2).sum())
        error = math.sqrt(surprise.var() / max(len(surprise), 1) + spread)
        return _Estimate(entropy - given, error, coverage, 1 - self._alone.mean())


def _chunks(draws: int) -> int:
    return -(-draws // _RUN_AT_ONCE)


def _kept(codes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return codes[codes != _DROPPED]


def _marginal(codes: NDArray[np.uint64], estimators: tuple[str, str]) -> tuple[NDArray, NDArray, float]:
    """Return -log2 of the observed share of each draw's cell, the entropy by each estimator, and the coverage."""
    if len(codes) == 0:
        return np.zeros(0), np.zeros(2), 1.0
    _, cell, counts = np.unique(codes, return_inverse=True, return_counts=True)
    alone = (counts == 1).sum() / len(codes)
    entropies = np.array([float(entropy_from_counts(counts, estimator)) for estimator in estimators])
    return -np.log2(counts / len(codes))[cell], entropies, 1 - alone


def _entropies_inside(codes: NDArray[np.uint64], estimators: tuple[str, str]) -> NDArray:
    """Return the entropy in bits of every sorted row by each estimator, dropped draws left out."""
    lengths = _run_lengths(codes)
    kept = codes != _DROPPED
    size = np.maximum(kept.sum(axis=1), 1)
    one = (lengths == size[:, None]).any(axis=1)
    entropies = []
    for estimator in estimators:
        # Every draw of a run carries an equal part of the run's term.
        terms = np.where(kept, cell_terms(lengths, estimator) / lengths, 0).sum(axis=1)
        nats = np.log(size) - (terms + entropy_constant(estimator)) / size
        entropies.append(np.where(one, 0.0, nats / math.log(2)))
    return np.array(entropies)


def _alone(codes: NDArray[np.uint64]) -> float:
    """Return the share of the draws in sorted rows that no other draw of their row equals."""
    kept = codes != _DROPPED
    return float((_run_lengths(codes)[kept] == 1).mean()) if kept.any() else 0.0


def _run_lengths(codes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return, for every draw of sorted rows, how many draws of its row have its code."""
    starts = np.ones(codes.shape, bool)
    starts[:, 1:] = codes[:, 1:] != codes[:, :-1]
    first = np.flatnonzero(starts)
    lengths = np.diff(np.append(first, codes.size))
    return np.repeat(lengths, lengths).reshape(codes.shape)
