"""The colour tables: perceptual, safe for colour-blind eyes, one for light and one for dark surroundings."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn.color_range import LEVELS

# RdBu fades into a white page at zero, berlin (Crameri 2018) into a dark one: what is near zero stays quiet in both.
NAMES = {
    (True, "light"): "RdBu_r",
    (True, "dark"): "berlin",
    (False, "light"): "viridis",
    (False, "dark"): "viridis",
}


# Where colours beside it mean something else: one hue less, from the colour of the page.
QUIET = {"light": "Greys", "dark": "gray"}


@cache
def color_table(*, diverging: bool, theme: str, quiet: bool = False) -> NDArray[np.uint8]:
    """Return the `(250, 3)` table of red, green and blue bytes: row c is the colour of code c; greys for quiet amounts."""
    from matplotlib import colormaps  # noqa: PLC0415 - a third of a second that only pictures need

    name = QUIET[theme] if quiet and not diverging else NAMES[diverging, theme]
    colors = colormaps[name](np.linspace(0, 1, LEVELS), bytes=True)[:, :3]
    table = np.ascontiguousarray(colors)
    table.flags.writeable = False
    return table
