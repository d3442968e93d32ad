"""The error of a recording that could not be finished."""

from __future__ import annotations

MOST_CALLS_LISTED = 12


class RecordingError(RuntimeError):
    """The network raised while it was recorded; `__cause__` is its own exception.

    `calls` are the names of the calls that had run, in execution order, and `failed` is the qualified name of
    the innermost module that was running.
    """

    def __init__(self, message: str, calls: tuple[str, ...] = (), failed: str | None = None) -> None:
        super().__init__(message)
        self.calls = calls
        self.failed = failed


def listing(names: tuple[str, ...]) -> str:
    """`names` as a readable list, the middle left out when there are many.

    >>> listing(("fc1", "relu"))
    'fc1, relu'
    >>> listing(())
    'none'
    """
    if not names:
        return "none"
    if len(names) <= MOST_CALLS_LISTED:
        return ", ".join(names)
    half = MOST_CALLS_LISTED // 2
    return f"{', '.join(names[:half])}, ... ({len(names)} in all) ..., {', '.join(names[-half:])}"
