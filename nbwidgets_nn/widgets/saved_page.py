"""One HTML file that stays interactive without a kernel and without a network. Twin: ``js/src/widgets/saved_page.ts``."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbwidgets_nn._files import write_whole
from nbwidgets_nn.widgets._bundle import bundle
from nbwidgets_nn.widgets._still import check_ending

if TYPE_CHECKING:
    from ipywidgets import Widget

FORMAT = 1

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>body{{margin:0}}{css}</style>
</head>
<body>
<noscript>This report is interactive: open it in a browser with JavaScript.</noscript>
<script type="application/json" id="nbw-state">{state}</script>
<script>{script}</script>
</body>
</html>
"""


def write_page(
    path: str | Path,
    *,
    title: str,
    widgets: list[dict[str, Any]],
    answers: dict[str, Any],
    links: Sequence[Sequence[str]] = (),
) -> Path:
    """Write the page, whole or not at all.

    Args:
        path: where to; an existing file is replaced.
        title: shown by the browser and at the head.
        widgets: ``{"name", "kind", "state"}`` each, with packed arrays in the state. What an answer holds for the
            first value need not be in it.
        answers: what the kernel would have answered, arrays compressed, ``{"picker.layer": {"fc1": {"heatmaps": {"content": ...}}}}``.
        links: pairs of traits that are kept equal, ``("heatmaps.selection", "graph.selection")``; at first both have the
            first one's value.

    Raises:
        ValueError: a path with another ending than .html.
        OSError: the path cannot be written; nothing is left behind.
    """
    check_ending(path, ".html")
    state = {
        "format": FORMAT,
        "title": title,
        "widgets": compress(widgets),
        "links": [list(pair) for pair in links],
        "answers": answers,
    }
    page = _PAGE.format(
        title=escape(title),
        css=bundle("nbwidgets.css").replace("</", "<\\/"),
        state=json.dumps(state, allow_nan=False).replace("<", "\\u003c"),
        script=bundle("saved_page.js").replace("</script", "<\\/script").replace("<!--", "<\\!--"),
    )
    return write_whole(path, page.encode())


def compress(state: Any) -> Any:
    """Replace the bytes of packed arrays by gzip in base64."""
    if isinstance(state, dict):
        if isinstance(state.get("data"), bytes):
            packed = gzip.compress(state["data"], compresslevel=6, mtime=0)
            return {**{k: v for k, v in state.items() if k != "data"}, "gzip": b64encode(packed).decode()}
        return {key: compress(value) for key, value in state.items()}
    return [compress(value) for value in state] if isinstance(state, list) else state


def widget_state(widget: Widget, *, without: str = "") -> dict[str, Any]:
    """Return a widget's own traits in the form in which they travel."""
    hidden = {"layout", "tabbable", "tooltip", without}
    keys = [key for key in widget.keys if not key.startswith("_") and key not in hidden]
    return widget.get_state(keys)


class Savable:
    """Writing a widget as a page of its own: for one whose traits are all that there is to it."""

    _kind = ""
    """The widget's name in ``js/src/widgets/saved_page.ts``."""
    _page_title = ""

    def save_html(self, path: str | Path, *, title: str = "") -> Path:
        """Write one HTML file that needs no kernel and no network: what can be done here in the browser can be done there.

        Args:
            path: where to; an existing file is replaced.
            title: of the page; by default what the widget shows.

        Raises:
            OSError: the path cannot be written; nothing is left behind.
        """
        widget = {"name": self._kind, "kind": self._kind, "state": widget_state(self)}
        return write_page(path, title=title or self._page_title, widgets=[widget], answers={})
