"""Functions of torch by what they read: names without a trailing `_`, as a `Step` has them."""

from __future__ import annotations

from nbwidgets_nn.record._activation_functions import ACTIVATIONS


def _names(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


SOFTMAX = _names("softmax log_softmax softmin gumbel_softmax cumsum cumprod sort logcumsumexp")
"""Every value reads values along one axis."""

RUNNING = _names("cumsum cumprod logcumsumexp")
"""Those among them that read what stands before."""

POINTWISE = (ACTIVATIONS - SOFTMAX - {"glu"}) | _names(
    "abs neg negative positive exp exp2 expm1 log log2 log10 log1p sqrt rsqrt square pow reciprocal sign sgn cos tan asin acos",
    "atan sinh cosh asinh acosh atanh erf erfc erfinv lgamma digamma floor ceil round trunc frac logit nan_to_num clamp_min",
    "clamp_max to type float double half bfloat16 int long short bool byte clone detach contiguous cpu cuda data alias",
    "requires_grad dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout feature_dropout isnan isinf",
    "isfinite logical_not bitwise_not floor_divide remainder fmod eq ne lt le gt ge real imag angle to_dense heaviside hypot",
    "atan2 maximum minimum fmax fmin max min where logaddexp lerp addcmul addcdiv logical_and logical_or logical_xor xlogy",
    "masked_fill",
)
"""Every value reads the values at its place."""

LINEAR = {"add": 1.0, "sub": -1.0, "subtract": -1.0, "rsub": -1.0}
"""Sums, with the sign of the second value."""

PRODUCTS = _names("mul multiply div divide true_divide")

MOVING = _names(
    "view reshape flatten unflatten ravel permute transpose T mT H mH t swapaxes swapdims movedim moveaxis squeeze unsqueeze",
    "getitem setitem select narrow index_select chunk split split_with_sizes tensor_split unsafe_chunk unbind expand",
    "broadcast_to repeat repeat_interleave tile flip fliplr flipud rot90 roll cat concat concatenate stack hstack vstack dstack",
    "column_stack pad gather take take_along_dim diagonal tril triu pixel_shuffle pixel_unshuffle channel_shuffle unfold",
    "meshgrid broadcast_tensors atleast_1d atleast_2d atleast_3d hsplit vsplit dsplit slice_scatter select_scatter diag",
    "diag_embed",
)
"""Every value is another one, or a constant."""

JOINING = _names(
    "cat concat concatenate stack hstack vstack dstack column_stack setitem broadcast_tensors meshgrid",
    "slice_scatter select_scatter",
)
"""Those among them whose constants are values."""

KEEPING_ORDER = _names("view reshape flatten unflatten ravel squeeze unsqueeze")
"""Those among them after which the values stand in the same order."""

REDUCING = _names(
    "mean sum amax amin max min prod std var norm logsumexp all any argmax argmin median count_nonzero vector_norm",
    "linalg_vector_norm nanmean nansum",
)
"""Every value reads all values along some axes."""

_OPERATORS = {
    "radd": "add",
    "rmul": "mul",
    "truediv": "div",
    "rtruediv": "pow",
    "rdiv": "pow",
    "rpow": "pow",
    "and": "logical_and",
    "or": "logical_or",
    "xor": "logical_xor",
    "invert": "logical_not",
    "mod": "remainder",
    "floordiv": "floor_divide",
    "rfloordiv": "floor_divide",
}


def plain_name(name: str) -> str:
    """Return the name without what marks operators; a constant divided by a value is a function of the value, like a power.

    >>> plain_name("__radd__"), plain_name("__rsub__"), plain_name("relu")
    ('add', 'rsub', 'relu')
    """
    if not name.startswith("__"):
        return name
    name = name.strip("_")
    return _OPERATORS.get(name, name)
