"""Memory that a thread uses again and again.

Fresh memory of some hundred kilobytes comes from the operating system page by page, and goes back when it is freed; for
arithmetic as short as one output's that takes as long as the arithmetic itself.
"""

from __future__ import annotations

import math
import threading

import torch
from torch import Tensor

_HELD = threading.local()


def scratch(name: str, shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Return an uninitialised float64 tensor; the next one of this name in this thread is the same memory."""
    size = math.prod(shape)
    held = getattr(_HELD, name, None)
    if held is None or held.numel() < size or held.device != device:
        held = torch.empty(size, dtype=torch.float64, device=device)
        setattr(_HELD, name, held)
    return held[:size].view(shape)
