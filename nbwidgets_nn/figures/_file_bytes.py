"""A figure of matplotlib as the bytes of a file: the same figure is the same file."""

from __future__ import annotations

from io import BytesIO

from matplotlib.figure import Figure


def file_bytes(figure: Figure, format: str, dpi: int) -> bytes:  # noqa: A002 - matplotlib's name for it
    """Return the file of a figure; an SVG without the date, which would make every file another."""
    file = BytesIO()
    figure.savefig(file, format=format, dpi=dpi, metadata={"Date": None} if format == "svg" else None)
    return file.getvalue()
