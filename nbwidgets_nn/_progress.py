"""Long work in steps that can be watched and stopped."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from tqdm.auto import tqdm

Progress = bool | Callable[[int, int], None]
"""True shows a bar; a function is called with (steps done, steps in all) and stops the work by raising."""

Item = TypeVar("Item")


class _NotebookBar(tqdm):
    """A bar that leaves nothing in the output when it is done.

    tqdm closes the bar's widget but leaves its place in the output, where a report by Voila, or the notebook when it is
    opened again, finds no model for it and says so.
    """

    _shown: Any = None

    def display(self, *args: Any, close: bool = False, check_delay: bool = True, **kwargs: Any) -> None:
        """Show the bar, or with `close` take it away."""
        super().display(*args, close=close, check_delay=False, **kwargs)
        if check_delay and self._shown is None:
            from IPython.display import display  # noqa: PLC0415 - only in a notebook

            self._shown = display(self.container, display_id=True)
        if close and self._shown is not None:
            self._shown.update({"text/plain": ""}, raw=True)


_IN_NOTEBOOK = hasattr(tqdm, "status_printer") and "tqdm_notebook" in {base.__name__ for base in tqdm.__mro__}


def bar(
    items: Iterable[Item], what: str, unit: str = "it", *, total: int | None = None, delay: float = 1.0
) -> Iterable[Item]:
    """Show a bar while the items are gone through, from ``delay`` seconds on; afterwards it is gone.

    >>> sum(bar([1, 2, 3], "adding", "number"))
    6
    """
    options = {"desc": what, "unit": unit, "total": total, "delay": delay, "leave": False}
    return _NotebookBar(items, display=False, **options) if _IN_NOTEBOOK else tqdm(items, **options)


def steps(
    items: Iterable[Item], total: int, progress: Progress, what: str, unit: str = "it"
) -> Iterator[Item]:
    """Yield the items and report each one when its work is done.

    >>> seen = []
    >>> list(steps("ab", 2, lambda done, total: seen.append((done, total)), "letters")), seen
    (['a', 'b'], [(0, 2), (1, 2), (2, 2)])
    """
    if not callable(progress):
        yield from bar(items, what, unit, total=total, delay=0) if progress else items
        return
    progress(0, total)
    for done, item in enumerate(items, 1):
        yield item
        progress(done, total)


def report(progress: Progress, total: int, what: str, unit: str = "it") -> Callable[[], None]:
    """Return a function to call when each of `total` steps is done; for work that is no loop.

    >>> seen = []
    >>> done = report(lambda done, total: seen.append((done, total)), 2, "letters")
    >>> done(), done(), seen
    (None, None, [(0, 2), (1, 2), (2, 2)])
    """
    walk = steps(itertools.count(), total, progress, what, unit)
    next(walk)
    return lambda: next(walk) and None
