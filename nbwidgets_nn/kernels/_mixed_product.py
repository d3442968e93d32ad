"""Products of float32 matrices with a few float64 vectors, summed in float64, without a float64 copy of the matrix.

Importing this file imports numba (about a second); the first call ever compiles and keeps the result on disk.
"""

from __future__ import annotations

import numpy as np
from numba import njit


# reassoc: the sum may be taken in any order, so that it runs in vector registers; infinities and NaN stay what they are
@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def product(weight, rows, found):  # noqa: ANN001, ANN202 - numba infers the types
    """Write ``rows @ weight.T`` to `found`: (count, outputs) from (outputs, inputs) and (count, inputs)."""
    for output in range(weight.shape[0]):
        for k in range(rows.shape[0]):
            total = 0.0
            for i in range(weight.shape[1]):
                total += np.float64(weight[output, i]) * rows[k, i]
            found[k, output] = total
