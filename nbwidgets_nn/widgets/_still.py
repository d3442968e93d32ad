"""What is seen where no widget can run: GitHub, nbviewer, a notebook saved without its widgets' state."""

from __future__ import annotations

from typing import Any


class StillPicture:
    """Put ``static_html()`` beside the widget in the output; a live notebook still prefers the widget."""

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        shown = super()._repr_mimebundle_(**kwargs)
        # ipywidgets gives the data alone, anywidget the data with its metadata, or None for no output.
        data = shown[0] if isinstance(shown, tuple) else shown
        if data is not None:
            data["text/html"] = self.static_html()
        return shown
