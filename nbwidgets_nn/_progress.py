"""Long work in steps that can be watched and stopped."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tqdm.auto import tqdm

Progress = bool | Callable[[int, int], None]
"""True shows a bar; a function is called with (steps done, steps in all) and stops the work by raising."""

Item = TypeVar("Item")


def steps(
    items: Iterable[Item], total: int, progress: Progress, what: str, unit: str = "it"
) -> Iterator[Item]:
    """Yield the items and report each one when its work is done.

    >>> seen = []
    >>> list(steps("ab", 2, lambda done, total: seen.append((done, total)), "letters")), seen
    (['a', 'b'], [(0, 2), (1, 2), (2, 2)])
    """
    if not callable(progress):
        yield from tqdm(items, desc=what, total=total, unit=unit, leave=False, disable=not progress)
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
