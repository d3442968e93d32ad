"""Files are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def write_whole(path: str | Path, data: bytes) -> Path:
    """Write a file, replacing one that is there, and return its path.

    Raises:
        OSError: the path cannot be written; the message says why, and nothing is left behind.
    """
    with whole_file(path) as file:
        file.write(data)
    return Path(path)


@contextmanager
def whole_file(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file to write to that takes its place at `path` at the end, and does not if the body raises.

    Raises:
        OSError: the path cannot be written; the message says why, and nothing is left behind.
    """
    path = Path(path)
    why = _unwritable(path)
    if why:
        raise OSError(
            f"path {str(path)!r} cannot be written: {why}; give the name of a file in an existing folder"
        )
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    except OSError as error:
        raise OSError(f"path {str(path)!r} cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _unwritable(path: Path) -> str:
    if path.is_dir():
        return "it is a folder"
    if not path.parent.is_dir():
        return f"the folder {str(path.parent)!r} does not exist"
    if path.exists() and not path.is_file():
        return "it is not a regular file"
    return ""
