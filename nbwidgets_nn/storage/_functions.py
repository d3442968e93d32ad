"""Functions of torch by name: those that a file may name are listed, and none of them reads, writes or runs anything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nbwidgets_nn.record import _step_maker
from nbwidgets_nn.record._activation_functions import ACTIVATIONS
from nbwidgets_nn.record.channel_axis import function_name
from nbwidgets_nn.storage._archive import WrongFileError

_OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor")
_NAMES = ACTIVATIONS.union(
    *(
        names.split()
        for names in (
            "add sub subtract mul multiply div divide true_divide floor_divide remainder fmod pow float_power neg negative abs",
            "absolute exp exp2 expm1 log log2 log10 log1p sqrt rsqrt square reciprocal sign sgn floor ceil round trunc frac fix",
            "maximum minimum fmax fmin where lerp addcmul addcdiv logaddexp hypot nan_to_num logit erf erfc erfinv sinc",
            "cos tan asin acos atan arctan atan2 sinh cosh asinh acosh atanh deg2rad rad2deg polar complex real imag angle conj",
            "eq ne lt le gt ge not_equal less greater logical_and logical_or logical_not logical_xor isnan isinf isfinite",
            "bitwise_and bitwise_or bitwise_not bitwise_xor masked_fill masked_scatter fill zero copy clone detach contiguous",
            "view reshape flatten ravel unflatten squeeze unsqueeze permute transpose swapaxes swapdims movedim moveaxis t adjoint",
            "expand view_as reshape_as expand_as type_as broadcast_to repeat repeat_interleave tile cat concat concatenate stack",
            "hstack vstack dstack column_stack chunk split tensor_split hsplit vsplit unbind narrow select index_select gather",
            "scatter scatter_add index_add index_fill index_put take take_along_dim masked_select roll flip fliplr flipud rot90",
            "tril triu diagonal diag diag_embed pad constant_pad_nd unfold fold pixel_shuffle pixel_unshuffle channel_shuffle",
            "to type float double half bfloat16 int long bool cpu zeros_like ones_like full_like new_zeros new_ones new_full",
            "sum mean nanmean nansum std var std_mean var_mean prod max min amax amin aminmax argmax argmin logsumexp norm",
            "cumsum cumprod cummax cummin median mode quantile topk sort argsort any all count_nonzero normalize dist cdist",
            "matmul mm bmm mv dot inner outer addmm addmv addbmm baddbmm einsum tensordot bilinear linear kron cross",
            "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d embedding one_hot cosine_similarity",
            "batch_norm layer_norm group_norm instance_norm local_response_norm rms_norm interpolate upsample grid_sample",
            "max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d lp_pool1d lp_pool2d adaptive_avg_pool1d",
            "adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d boolean_dispatch",
            "dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout scaled_dot_product_attention",
            "__getitem__ __setitem__ __neg__ __pos__ __abs__ __invert__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __rdiv__ __div__",
            "T mT H mH to_dense to_sparse _pack_padded_sequence _pad_packed_sequence",
            " ".join(f"__{side}{operator}__" for operator in _OPERATORS for side in ("", "r", "i")),
        )
    )
)
_PROPERTIES = ("T", "mT", "H", "mH", "real", "imag")
_HOMES: dict[str, Any] = {"torch": torch, "functional": functional, "Tensor": Tensor, "steps": _step_maker}


def name_of(function: Callable) -> str | None:
    """Return the name under which a file can hold the function, `torch.relu`; None if it is not listed.

    >>> name_of(functional.leaky_relu), name_of(torch.load)
    ('functional.leaky_relu', None)
    """
    name = function_name(function)
    for home in (*_HOMES, "property"):
        if _is_listed(home, name) and _found(home, name) == function:
            return f"{home}.{name}"
    return None


def function_of(name: Any) -> Callable:
    """Return the function of a name that `name_of` gave; WrongFileError for any other.

    >>> function_of("torch.relu") is torch.relu
    True
    >>> function_of("torch.load")
    Traceback (most recent call last):
    nbwidgets_nn.storage._archive.WrongFileError: a function 'torch.load', which is not one that a file may name
    """
    home, _, own = name.partition(".") if isinstance(name, str) else ("", "", "")
    found = _found(home, own) if _is_listed(home, own) else None
    if not callable(found):
        raise WrongFileError(f"a function {name!r}, which is not one that a file may name")
    return found


def _is_listed(home: str, name: str) -> bool:
    if home == "steps":
        return name in ("_itself", "_copied")
    return home in (*_HOMES, "property") and (name in _NAMES or name.removesuffix("_") in _NAMES)


def _found(home: str, name: str) -> Callable | None:
    if home == "property":  # x.T is a call of this
        return getattr(getattr(Tensor, name, None), "__get__", None) if name in _PROPERTIES else None
    return getattr(_HOMES[home], name, None)
