"""What the effective-information kernels return: numbers in bits with their error, and how they were found."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html import escape

import numpy as np

_ROUNDING = 1e-6  # bits: an error that nobody wants to read


@dataclass(frozen=True)
class Bits:
    """A number of bits and its standard error; 0 means exact up to rounding, NaN that the number does not exist.

    >>> Bits(5.0, 0.3) - Bits(3.0, 0.4)
    Bits(value=2.0, error=0.5, note='')
    >>> print(Bits(2.0, 0.5))
    2.0 ± 0.5
    """

    value: float
    error: float = 0.0
    note: str = ""

    def __sub__(self, other: Bits) -> Bits:
        notes = "; ".join(dict.fromkeys(filter(None, (self.note, other.note))))
        return Bits(self.value - other.value, math.hypot(self.error, other.error), notes)

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "–"
        if not self.error > _ROUNDING:
            return f"{self.value:.4f}"
        digits = max(0, 1 - math.floor(math.log10(self.error)) - 1)
        return f"{self.value:.{digits}f} ± {self.error:.{digits}f}"


@dataclass(frozen=True, eq=False)
class EffectiveInformation:
    """EI, EI_parts or sensitivity of a layer, in bits, and everything needed to judge the number."""

    quantity: str
    """"EI", "EI_parts" or "sensitivity"."""
    layer: str
    """The layer's name; "conv1 → fc2" for a span of several."""
    value: float
    """Bits: the sum over all pairs, or the vector EI."""
    standard_error: float
    """Of `value`; 0 where nothing was sampled."""
    error_bound: float
    """Bits by which an exact `value` can be wrong at most: what a series leaves out, and rounding. 0 for the sensitivity."""
    matrix: np.ndarray | None = field(repr=False)
    """(inputs, outputs) bits, `[A][B]`; None for the vector EI."""
    matrix_error: np.ndarray | None = field(repr=False)
    """(inputs, outputs) standard errors, 0 where a pair is exact; those of different pairs are not independent."""
    method: str
    """"exact", "sampled", or both with the share of each."""
    samples: int
    """Draws; 0 if nothing was sampled."""
    estimator: str
    """Entropy estimator of the sampled part; "" if nothing was sampled."""
    plugin_bias: float
    """Bits by which the plain histogram ("plugin") would be too high at this number of draws, to first order."""
    seed: int | None
    """Of the draws; None if nothing was sampled."""
    in_range: tuple[float, float]
    in_bins: int
    out_low: np.ndarray = field(repr=False)
    """(outputs,) lower end of each output's range."""
    out_high: np.ndarray = field(repr=False)
    """(outputs,) upper end of each output's range."""
    out_bins: np.ndarray = field(repr=False)
    """(outputs,) number of bins of each output."""
    outside: str
    """"clip" or "drop": what was done with outputs beyond their range."""
    outside_share: float
    """Share of the outputs (all draws or all probability, over all outputs) that lay beyond their range."""
    coverage: float = 1.0
    """Of the vector EI: share of the outputs' probability on cells that draws have met; far below 1, EI is too low."""
    notes: tuple[str, ...] = ()
    """What else a reader should know."""

    @property
    def bits(self) -> Bits:
        """The value with its error."""
        return Bits(self.value, self.standard_error, "; ".join(self.notes))

    def of_input(self, index: int) -> EffectiveInformation:
        """Return one pair of a result of one output, as a result of its own."""
        one = self.matrix[index : index + 1]
        error = self.matrix_error[index : index + 1]
        return replace(
            self,
            quantity="EI",
            value=float(one.sum()),
            standard_error=float(error.sum()),
            matrix=one,
            matrix_error=error,
        )

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        how = self.method if not self.samples else f"{self.method}, {self.samples:,} draws, seed {self.seed}"
        share = f"{self.outside_share:.1%}" if self.outside_share >= 5e-4 else "less than 0.1%"
        beyond = f"; {share} of the outputs outside their range: {self.outside}" * (self.outside_share > 0)
        notes = "".join(f"; {note}" for note in self.notes)
        return f"{self.quantity} of {self.layer}: {self.bits} bits ({how}){beyond}{notes}"


@dataclass(frozen=True)
class LayerInformation:
    """One layer's row of an `EIReport`."""

    layer: str
    inputs: int
    outputs: int
    sensitivity: Bits
    ei: Bits
    ei_parts: Bits
    degeneracy: Bits
    """sensitivity - EI_parts."""
    phi: Bits
    """Phi_feedforward = EI - EI_parts; can be negative."""
    note: str = ""
    """Why numbers are missing, or what else a reader should know."""


_COLUMNS = ("sensitivity", "ei", "ei_parts", "degeneracy", "phi")
_TITLES = ("sensitivity", "EI", "EI_parts", "degeneracy", "Phi")


@dataclass(frozen=True)
class EIReport:
    """The causal picture of a model: one row a layer, all numbers in bits. Shows as a table in a notebook."""

    rows: tuple[LayerInformation, ...]
    in_bins: int
    out_bins: int
    seed: int
    skipped: tuple[tuple[str, str], ...] = ()
    """(layer, reason) of the layers that have no row."""

    def __iter__(self) -> Iterator[LayerInformation]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, layer: str | int) -> LayerInformation:
        if isinstance(layer, int):
            return self.rows[layer]
        for row in self.rows:
            if row.layer == layer:
                return row
        raise KeyError(f"no row for layer {layer!r}; there are {', '.join(row.layer for row in self.rows)}")

    def __str__(self) -> str:
        width = max([5, *(len(row.layer) for row in self.rows)])
        lines = [f"{'layer':<{width}}" + "".join(f"{title:>18}" for title in _TITLES)]
        lines += [
            f"{row.layer:<{width}}" + "".join(f"{getattr(row, name)!s:>18}" for name in _COLUMNS)
            for row in self.rows
        ]
        return "\n".join([*lines, self._caption(), *(f"{layer}: {reason}" for layer, reason in self.skipped)])

    def _caption(self) -> str:
        return f"bits; {self.in_bins} input bins, {self.out_bins} output bins; ± standard error, none: exact; seed {self.seed}"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{title}</th>" for title in ("layer", "inputs → outputs", *_TITLES, ""))
        body = "".join(f"<tr>{''.join(_cells(row))}</tr>" for row in self.rows)
        skipped = "".join(f"<li>{escape(layer)}: {escape(reason)}</li>" for layer, reason in self.skipped)
        left_out = f"<p>Without a row:</p><ul>{skipped}</ul>" * bool(skipped)
        return f"<table><caption>{escape(self._caption())}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{left_out}"


def _cells(row: LayerInformation) -> Iterator[str]:
    yield f'<th scope="row" style="text-align:left">{escape(row.layer)}</th>'
    yield f"<td>{row.inputs:,} → {row.outputs:,}</td>"
    for name in _COLUMNS:
        bits: Bits = getattr(row, name)
        yield f'<td style="font-variant-numeric:tabular-nums" title="{escape(bits.note)}">{bits}</td>'
    yield f'<td style="text-align:left">{escape(row.note)}</td>'
