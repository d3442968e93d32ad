"""A long computation as the heatmaps show it: offered, running, cancelled or failed. Twin: ``js/src/core/job.ts``."""

from __future__ import annotations

import operator
from typing import Any

STATES = ("offered", "running", "cancelled", "failed")
ACTIONS = ("start", "cancel")
_FIELDS = {"title": "", "state": "offered", "text": "", "done": 0, "total": 0}


def checked_job(job: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a job with every field in place, or None.

    ``title`` and ``text`` are plain words; ``state`` is one of `STATES`; ``done`` of ``total`` steps are behind a
    running job, and a total of 0 means that it is not known how many there are.

    Raises:
        ValueError: an unknown field or state, or steps that make no sense.
        TypeError: steps that are not whole numbers.

    >>> checked_job({"title": "Effective information", "state": "running", "done": 3, "total": 12})["text"]
    ''
    """
    if job is None:
        return None
    unknown = sorted(set(job) - set(_FIELDS))
    if unknown:
        raise ValueError(f"job may hold {', '.join(_FIELDS)}, but {unknown} came")
    job = {**_FIELDS, **job}
    if job["state"] not in STATES:
        raise ValueError(f"job's state must be one of {', '.join(STATES)}, but {job['state']!r} came")
    done, total = operator.index(job["done"]), operator.index(job["total"])
    if done < 0 or total < 0 or done > total > 0:
        raise ValueError(f"job must have done between 0 and total, but done={done} and total={total} came")
    return {**job, "title": str(job["title"]), "text": str(job["text"]), "done": done, "total": total}
