"""Numbers as people read them, in still pictures; the same as ``js/src/core/format.ts`` (a test compares the two)."""

from __future__ import annotations

import math


def format_number(value: float) -> str:
    """Give three significant digits and a real minus sign; whole numbers below 1,000 stay whole.

    >>> [format_number(value) for value in (-0.4581, 12.34, 1797.2, 1, 120000)]
    ['−0.458', '12.3', '1,797', '1', '1.20e+5']
    """
    size = abs(value)
    if value == int(value) and size < 1000:
        return _minus(str(int(value)))
    if size >= 1e5 or size < 1e-4:
        mantissa, exponent = f"{value:.2e}".split("e")
        return _minus(f"{mantissa}e{int(exponent):+d}")
    if size >= 1e3:
        return _minus(f"{value:,.0f}")
    decimals = max(0, 2 - math.floor(math.log10(float(f"{size:.2e}"))))
    return _minus(f"{value:.{decimals}f}")


def format_cell(value: float) -> str:
    """Give a value short enough for a cell.

    >>> [format_cell(value) for value in (-0.456, 12.34, 120)]
    ['−0.46', '12.3', '120']
    """
    size = abs(value)
    if size >= 999.5:
        mantissa, exponent = f"{value:.0e}".split("e")
        return _minus(f"{mantissa}e{int(exponent):+d}")
    return _minus(f"{value:.{0 if size >= 99.5 else 1 if size >= 9.95 else 2}f}")


def plural(count: int, noun: str) -> str:
    """Give a count with its noun: "1 unit", "1,797 units"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _minus(text: str) -> str:
    return text.replace("-", "−")
