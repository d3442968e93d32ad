"""One long computation at a time beside the notebook, which can be watched and stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from nbwidgets_nn._progress import Progress

_REPORT_EVERY = 0.1  # seconds: a browser shows no more


class Stopped(Exception):  # noqa: N818 - no error: somebody pressed "cancel"
    """The computation was told to stop."""


class Background:
    """Runs a function in a thread of its own; starting another one stops it.

    >>> work = Background()
    >>> found = []
    >>> work.start(lambda progress: 6 * 7, found.append, lambda error: None, lambda done, total: None)
    >>> work.wait(10), found
    (True, [42])
    """

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether something is being computed."""
        return self._thread is not None and self._thread.is_alive()

    def start(
        self,
        compute: Callable[[Progress], Any],
        done: Callable[[Any], None],
        failed: Callable[[Exception], None],
        report: Callable[[int, int], None],
    ) -> None:
        """Start `compute(progress)`; then `done(result)` or `failed(error)` is called in its thread.

        After `stop` neither is called any more, and `report(steps done, steps in all)` only while it runs, at most ten times a
        second.
        """
        self.stop()
        stop = self._stop = threading.Event()
        last = time.monotonic()

        def watch(steps_done: int, total: int) -> None:
            nonlocal last
            if stop.is_set():
                raise Stopped
            if time.monotonic() - last >= _REPORT_EVERY:
                last = time.monotonic()
                report(steps_done, total)

        def run() -> None:
            try:
                result = compute(watch)
            except Stopped:
                return
            except Exception as error:  # noqa: BLE001 - shown where the result would stand
                if not stop.is_set():
                    failed(error)
            else:
                if not stop.is_set():
                    done(result)

        self._thread = threading.Thread(target=run, name="nbwidgets_nn", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop at the next step; returns at once."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it has ended; tells whether it has."""
        if self._thread is not None:
            self._thread.join(seconds)
        return not self.running
