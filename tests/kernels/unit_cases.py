"""(samples, units) matrices that the kernels must all take, and what several tests ask of them."""

import numpy as np
import torch


def _mixed(samples, units, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(samples, units)) + rng.normal(size=(samples, 3)) @ rng.normal(size=(3, units))


CASES = {
    "few units": _mixed(50, 7),
    "fewer samples than units": _mixed(9, 40),
    "two samples": _mixed(2, 5),
    "several blocks and strips": _mixed(9000, 600),
    "single precision": _mixed(800, 30).astype(np.float32),
    "far from zero": (_mixed(3000, 20) + 1e4).astype(np.float32),
    "sorted, so that blocks have other means": np.sort(_mixed(9000, 600), axis=0).astype(np.float32),
    "tiny": _mixed(60, 8) * 1e-200,
    "huge single precision": (_mixed(60, 8) * 1e25).astype(np.float32),
    "units of other sizes": (_mixed(300, 9) * 10.0 ** np.arange(-24, 30, 6)).astype(np.float32),
    "one outlier": np.concatenate([_mixed(400, 6), np.full((1, 6), 1e5) * np.arange(1, 7)]).astype(
        np.float32
    ),
}

KINDS = {
    "NumPy float64": lambda x: x,
    "NumPy float32": lambda x: x.astype(np.float32),
    "NumPy float16": lambda x: x.astype(np.float16),
    "NumPy long double": lambda x: x.astype(np.longdouble),
    "NumPy big-endian": lambda x: x.astype(">f8"),
    "NumPy columns first": np.asfortranarray,
    "NumPy strided": lambda x: np.repeat(np.repeat(x, 2, 0), 3, 1)[::2, ::3],
    "NumPy reversed": lambda x: np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1],
    "NumPy read-only": lambda x: np.broadcast_to(x, x.shape),
    "list": lambda x: x.tolist(),
    "torch float64": torch.from_numpy,
    "torch float32": lambda x: torch.from_numpy(x).float(),
    "torch float16": lambda x: torch.from_numpy(x).half(),
    "torch bfloat16": lambda x: torch.from_numpy(x).bfloat16(),
    "torch transposed": lambda x: torch.from_numpy(np.ascontiguousarray(x.T)).T,
    "torch strided": lambda x: torch.from_numpy(np.repeat(x, 2, 1))[:, ::2],
    "torch requiring grad": lambda x: torch.from_numpy(x).requires_grad_(),
    "torch inside a graph": lambda x: torch.from_numpy(x).requires_grad_() * 1,
}


def as_float64(value):
    return value.detach().double().numpy() if torch.is_tensor(value) else np.asarray(value, dtype=np.float64)


def precision(value):
    """Relative rounding of the values that the kernel was given."""
    if torch.is_tensor(value):
        return torch.finfo(value.dtype).eps
    return float(max(np.finfo(np.asarray(value).dtype).eps, np.finfo(np.float64).eps))


def same_partition(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return np.unique(np.stack([a, b]), axis=1).shape[1] == len(np.unique(a)) == len(np.unique(b))


def two_pass(x):
    """Pearson's r by its definition, in float64."""
    x = x.astype(np.float64)
    peak = np.abs(x).max(axis=0)
    z = x / peak - (x / peak).mean(axis=0)
    z = z / np.sqrt((z**2).sum(axis=0))
    return z.T @ z
