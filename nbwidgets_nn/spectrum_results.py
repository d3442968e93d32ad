"""What the Fourier kernels say about their numbers: how large they can grow, what is left of the digits, energies."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

DIGITS = -math.log10(np.finfo(np.float64).eps)  # 15.65 in float64
_FEW = 6  # fewer digits than float32 has


@dataclass(frozen=True)
class SpectrumReport:
    """How a spectrum was computed, and how far its numbers can be trusted.

    >>> report = SpectrumReport("standard", growth=1e12)
    >>> round(report.digits, 1), report.warning[:57]
    (3.7, 'coefficients can be 1e+12 times as large as the values: a')
    """

    type: str
    """"standard", "laplacian", "weighted" or "normalized"."""

    growth: float | None = 1.0
    """Largest coefficient over the largest value: a bound from the graph alone. None of 'weighted', where weights decide."""

    notes: tuple[str, ...] = ()
    """What was not known of the graph, and what was assumed instead."""

    samples: int = 1

    @property
    def digits(self) -> float:
        """Decimal digits of the values that survive the transform and its inverse, at least; at most those of float64.

        The coefficients themselves are as exact as the values, measured by the largest of them. NaN of 'weighted': its inverse
        makes rounding as large as the weights are, and only what it gives back tells how much of the values is left.
        """
        if self.growth is None:
            return math.nan
        return max(0.0, DIGITS - math.log10(max(self.growth, 1.0)))

    @property
    def warning(self) -> str:
        """What a reader must know before trusting the numbers; "" if there is nothing."""
        digits = self.digits
        if self.growth is None or digits >= _FEW:
            return ""
        left = "all precision is lost" if digits < 1 else f"about {digits:.0f} digits of the values are left"
        return (
            f"coefficients can be {self.growth:.0e} times as large as the values: {left}. "
            "type='normalized' does not grow so"
        )


@dataclass(frozen=True, eq=False, repr=False)
class LayerEnergies:
    """Sums of squares of the coefficients (or of the values) of each layer."""

    layers: tuple[str, ...]
    energy: np.ndarray
    """(samples, layers)"""

    @property
    def share(self) -> np.ndarray:
        """(samples, layers): the part of each layer; NaN where a sample has no energy at all."""
        with np.errstate(invalid="ignore"):
            return self.energy / self.energy.sum(axis=1, keepdims=True)

    def __repr__(self) -> str:
        shares = np.nan_to_num(self.share).mean(axis=0) if len(self.energy) else np.zeros(len(self.layers))
        said = ", ".join(
            f"{name} {100 * share:.3g} %" for name, share in zip(self.layers, shares, strict=True)
        )
        return f"LayerEnergies({len(self.energy)} samples; mean share: {said})"

    def __getitem__(self, layer: str) -> np.ndarray:
        if layer not in self.layers:
            raise KeyError(f"no layer {layer!r}; there are {', '.join(self.layers)}")
        return self.energy[:, self.layers.index(layer)]


@dataclass(frozen=True, eq=False)
class EigenspaceEnergies:
    """Energy of a signal in each eigenspace of the Laplacian.

    Inside an eigenspace of several dimensions the basis is arbitrary, and so is each coefficient; the energy is not.
    """

    frequencies: np.ndarray
    """(spaces,) eigenvalues, ascending."""

    dimensions: np.ndarray
    """(spaces,) how many dimensions each has."""

    energy: np.ndarray = field(repr=False)
    """(samples, spaces); of all spaces together the energy of the signal, if none is left out."""

    is_cut: bool = False
    """Whether only some of the frequencies were asked for and the last space may have further dimensions."""


@dataclass(frozen=True, eq=False)
class LaplacianSpectrum:
    """Coefficients of a signal at the lowest or highest frequencies of the Laplacian, or at all of them."""

    frequencies: np.ndarray
    """(k,) eigenvalues, ascending."""

    basis: np.ndarray = field(repr=False)
    """(nodes, k) orthonormal eigenvectors."""

    coefficients: np.ndarray = field(repr=False)
    """(samples, k)"""

    eigenspaces: EigenspaceEnergies
    notes: tuple[str, ...] = ()
