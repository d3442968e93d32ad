"""Where the built front end lies."""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).parent.parent / "static"


def bundle(name: str) -> str:
    """Return the text of a built file, or say how to build it.

    The text, not the path: given a path, anywidget watches the file and keeps every widget that ever was.
    """
    path = STATIC / name
    if not path.is_file():
        raise ImportError(
            f"the front end {name!r} has not been built. From a clone run `pip install .` or `make test`; "
            "an installed package without it is broken: reinstall it."
        )
    return path.read_text("utf-8")
