"""The numbers the explorer says about a layer, each with what it must be read against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn.results import Correlation, UnitMeasures
from nbwidgets_nn.widgets.heatmap_content import Fact


def layer_facts(
    correlation: Correlation, measures: UnitMeasures, units: NDArray, positions: int | None
) -> tuple[Fact, ...]:
    """Describe a layer.

    Args:
        correlation: of the units shown.
        measures: of the whole layer, which may have more.
        units: the index within the layer of each unit shown.
        positions: rows of the matrix for each sample; None if not known.
    """
    return (
        *_correlation_facts(correlation, units, positions),
        Fact(
            "constant units",
            f"{len(measures.constant):,}",
            f"of {measures.units:,}",
            "Units whose value never changes.",
        ),
        _rank_fact(measures),
    )


def _correlation_facts(correlation: Correlation, units: NDArray, positions: int | None) -> tuple[Fact, ...]:
    if not correlation.pairs:
        return (
            Fact(
                "strongest r",
                "–",
                "fewer than two units vary",
                "Largest |r| of two different units.",
            ),
        )
    i, j = (int(units[k]) for k in correlation.pairs[0])
    tied = f", {correlation.ties:,} pairs tied" if correlation.ties > 1 else ""
    spread = f"± {correlation.null_std:.3f}"
    chance, reference, more = f"{correlation.null_mean:.3f}", spread, ""
    if (
        positions is not None and positions > 1
    ):  # neighbours in an image or a text are not independent samples
        chance, reference = f"> {correlation.null_mean:.3f}", "n not independent"
        more = f" ({spread}.) The {positions} positions of one input are counted as samples but are alike: the true figure is larger."
    return (
        Fact(
            "strongest r",
            f"{correlation.strongest:+.3f}".replace("-", "−"),
            f"units {i}·{j}{tied}",
            "Largest |r| of two different units among those shown.",
        ),
        Fact(
            "by chance alone",
            chance,
            reference,
            "Mean and standard deviation of the largest |r| if all units and all samples were independent."
            + more,
        ),
    )


def _rank_fact(measures: UnitMeasures) -> Fact:
    explain = "exp of the entropy of the covariance's normalised eigenvalues: how many directions the layer really uses."
    if np.isfinite(measures.effective_rank):
        return Fact("effective rank", f"{measures.effective_rank:.1f}", f"of {measures.units:,}", explain)
    if len(measures.constant) == measures.units:
        return Fact("effective rank", "–", "no unit varies", explain)
    # Eigenvalues of thousands of units by thousands of samples take longer than anybody waits for a click.
    return Fact(
        "effective rank", "–", "measure_units(X, rank_limit=None)", "Not computed at this size. " + explain
    )
