"""Reports of the kernels, one or one a checkpoint, read as paths on the causal plane."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nbwidgets_nn._arrays import expected
from nbwidgets_nn._words import plural
from nbwidgets_nn.information_results import EIReport
from nbwidgets_nn.widgets.causal_content import QUANTITIES, CausalContent, LayerPath


def read_reports(reports: Any, of: str = "degeneracy") -> CausalContent:
    """Read one report, or labelled ones, as paths on the plane.

    Raises:
        TypeError: not a report, nor a dict or list of (label, report).
        ValueError: no report, reports with different bins, or an unknown ``of``.
    """
    if of not in QUANTITIES:
        raise ValueError(expected("of", " or ".join(map(repr, QUANTITIES)), repr(of)))
    labelled = _labelled(reports)
    bins = {(report.in_bins, report.out_bins) for _, report in labelled}
    if len(bins) > 1:
        came = " and ".join(f"{inputs} × {outputs}" for inputs, outputs in sorted(bins))
        hint = "ei_report(..., in_bins=8, out_bins=8) for every checkpoint: bits at different bins do not compare"
        raise ValueError(expected("reports", "checkpoints with the same bins", came, hint))
    layers = dict.fromkeys(row.layer for _, report in labelled for row in report)
    found = [_path(layer, labelled, of) for layer in layers]
    return CausalContent(
        of,
        tuple(label for label, _ in labelled),
        tuple(path for path in found if path.rows),
        bins.pop(),
        tuple(_left_out(found, labelled)),
    )


def _labelled(reports: Any) -> list[tuple[str, EIReport]]:
    if isinstance(reports, EIReport):
        return [("", reports)]
    pairs = reports.items() if isinstance(reports, Mapping) else reports
    what = "an EIReport, or a dict or list of (label, EIReport)"
    if not isinstance(pairs, Iterable) or isinstance(pairs, str):
        raise TypeError(expected("reports", what, type(reports).__name__, "ei_report(model, input)"))
    pairs = list(pairs)
    for pair in pairs:
        if isinstance(pair, EIReport):
            raise TypeError(expected("reports", what, "EIReports without labels", "list(enumerate(reports))"))
        if not (isinstance(pair, tuple | list) and len(pair) == 2 and isinstance(pair[1], EIReport)):
            raise TypeError(expected("reports", what, f"{pair!r:.80} among them"))
    if not pairs:
        raise ValueError(expected("reports", "at least one EIReport", "an empty list"))
    return [(str(label), report) for label, report in pairs]


def _path(layer: str, labelled: list[tuple[str, EIReport]], of: str) -> LayerPath:
    rows = [(label, row) for label, report in labelled for row in report if row.layer == layer]
    shown = [
        (label, row)
        for label, row in rows
        if math.isfinite(row.sensitivity.value) and math.isfinite(getattr(row, of).value)
    ]
    return LayerPath(layer, of, tuple(label for label, _ in shown), tuple(row for _, row in shown))


def _left_out(found: list[LayerPath], labelled: list[tuple[str, EIReport]]) -> Iterator[str]:
    for path in found:
        missing = len(labelled) - len(path.rows)
        if not path.rows:
            notes = [
                row.note for _, report in labelled for row in report if row.layer == path.layer and row.note
            ]
            yield f"{path.layer}: {notes[0] if notes else 'without numbers'}"
        elif missing:
            yield f"{path.layer}: {missing} of {plural(len(labelled), 'checkpoint')} without numbers"
    yield from (f"{layer}: {reason}" for layer, reason in labelled[-1][1].skipped)
