"""Pictures of widgets: what is seen where none can run (GitHub, nbviewer, a saved notebook), and files for papers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbwidgets_nn._arrays import expected
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

    def to_png(
        self, path: str | Path | None = None, *, dpi: int = 150, theme: str = "light", **options: Any
    ) -> bytes | Path:
        """Draw what is shown, without zoom, as PNG: write it to ``path`` and return that; without one return the bytes.

        Raises:
            ValueError: a theme that is neither "light" nor "dark", nothing to draw, or a path with another ending.
            OSError: the path cannot be written; nothing is left behind.
        """
        check_ending(path, ".png")
        picture = self._draw("png", dpi=dpi, theme=theme, **options)
        return picture if path is None else write_whole(path, picture)

    def to_svg(self, path: str | Path | None = None, *, theme: str = "light", **options: Any) -> str | Path:
        """Draw what is shown, without zoom, as SVG: write it to ``path`` and return that; without one return the text.

        Raises:
            ValueError, OSError: as of `to_png`.
        """
        check_ending(path, ".svg")
        picture = self._draw("svg", theme=theme, **options)
        return picture.decode() if path is None else write_whole(path, picture)


def check_ending(path: str | Path | None, ending: str, name: str = "path") -> None:
    """Refuse the name of a file that says it holds something else; a name without an ending says nothing."""
    if path is not None and Path(path).suffix.lower() not in ("", ending):
        hint = f"{Path(path).with_suffix(ending)}"
        raise ValueError(expected(name, f"a name that ends in {ending}", f"{str(path)!r}", hint))
