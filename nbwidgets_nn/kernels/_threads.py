"""torch's own threads, set aside while Python's threads share the work."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import torch

_LOCK = threading.Lock()
_RUNNING: list[int] = []


@contextlib.contextmanager
def one_thread_each() -> Iterator[int]:
    """Give the number of threads to start, each of which calls `torch.set_num_threads(1)`.

    That call also tells threads that are started later, so the number is put back at the end. Pieces of work that overlap
    share the number that the first of them found.
    """
    with _LOCK:
        # While another one runs, a new thread would be told 1.
        _RUNNING.append(_RUNNING[0] if _RUNNING else torch.get_num_threads())
        threads = _RUNNING[0]
    try:
        yield threads
    finally:
        with _LOCK:
            _RUNNING.pop()
            torch.set_num_threads(threads)
