"""A large matrix of colour codes shrunk to the pixels of a picture, without losing what is strong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn.color_range import LEVELS

_PIXELS_ACROSS = 1600


def pool_strongest(
    codes: NDArray[np.uint8], *, diverging: bool, pixels: int = _PIXELS_ACROSS
) -> NDArray[np.uint8]:
    """Shrink a matrix of codes so that no cell vanishes: each block shows its strongest code, marks before numbers."""
    down, across = (max(1, -(-length // pixels)) for length in codes.shape)
    if down == across == 1:
        return codes
    levels = np.arange(256)
    strength = np.abs(2 * levels - (LEVELS - 1)) if diverging else levels.copy()
    strength[LEVELS:] = 1000 + levels[LEVELS:]
    padded = np.pad(codes, [(0, -codes.shape[0] % down), (0, -codes.shape[1] % across)], mode="edge")
    blocks = padded.reshape(padded.shape[0] // down, down, -1, across).swapaxes(1, 2)
    blocks = blocks.reshape(*blocks.shape[:2], -1)
    strongest = strength[blocks].argmax(axis=-1)
    return np.take_along_axis(blocks, strongest[..., None], axis=-1)[..., 0]
