"""Pictures of widgets: what is seen where none can run (GitHub, nbviewer, a saved notebook), and files for papers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbwidgets_nn._files import write_whole


class StillPicture:
    """Put ``static_html()`` beside the widget in the output; a live notebook still prefers the widget."""

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        shown = super()._repr_mimebundle_(**kwargs)
        # ipywidgets gives the data alone, anywidget the data with its metadata, or None for no output.
        data = shown[0] if isinstance(shown, tuple) else shown
        if data is not None:
            data["text/html"] = self.static_html()
        return shown


class Drawable:
    """Pictures of what a widget shows, without zoom: the widget's `_draw(format, **options)` gives the bytes."""

    def to_png(self, path: str | Path | None = None, *, dpi: int = 150, theme: str = "light") -> bytes | Path:
        """Draw what is shown, without zoom, as PNG: write it to ``path`` and return that; without one return the bytes."""
        picture = self._draw("png", dpi=dpi, theme=theme)
        return picture if path is None else write_whole(path, picture)

    def to_svg(self, path: str | Path | None = None, *, theme: str = "light") -> str | Path:
        """Draw what is shown, without zoom, as SVG: write it to ``path`` and return that; without one return the text."""
        picture = self._draw("svg", theme=theme)
        return picture.decode() if path is None else write_whole(path, picture)
