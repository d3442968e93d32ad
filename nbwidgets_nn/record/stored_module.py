"""What stands in a loaded recording where a module or a function was: its name and facts, and no code."""

from __future__ import annotations

from typing import Any, NoReturn

from torch import nn

AGAIN = "OutputLoader.load(path, network=model) with the model that was recorded"


class StoredModule(nn.Module):
    """A module as a file describes it: class name, text, and weights that have a shape but no values.

    It prints as the module did and counts its parameters, which lie on the meta device. Calling it is a RuntimeError.

    >>> import torch
    >>> loaded = StoredModule("Linear", "in_features=3, out_features=4, bias=True")
    >>> loaded
    Linear(in_features=3, out_features=4, bias=True)
    >>> loaded(torch.ones(3))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    RuntimeError: this Linear was loaded from a file, which has no code and no weights. Try: ...
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__()
        self.original_name = kind  # what torch calls the class name that a module stands for
        self.stored_text = text

    def forward(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Raise RuntimeError: there is nothing to call."""
        _no_code(self.original_name)

    def extra_repr(self) -> str:
        """Return what the module said about itself."""
        return self.stored_text

    def _get_name(self) -> str:
        return self.original_name

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            message = f"this {self.original_name} was loaded from a file and has no {name!r}. Try: {AGAIN}"
            raise AttributeError(message) from None


class StoredFunction:
    """A function of which a file knows the name only."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __call__(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Raise RuntimeError: there is nothing to call."""
        _no_code(self.__name__)

    def __repr__(self) -> str:
        return f"<function {self.__name__}, loaded from a file>"


def check_has_modules(network: nn.Module, argument: str) -> None:
    """ValueError if the network of a recording was loaded from a file without its model."""
    if isinstance(network, StoredModule):
        came = f"one loaded from a file, where {network.original_name} has no code and no weights"
        raise ValueError(f"{argument}: expected a recording with its model, got {came}. Try: {AGAIN}")  # noqa: TRY004 - the type is right


def _no_code(name: str) -> NoReturn:
    raise RuntimeError(f"this {name} was loaded from a file, which has no code and no weights. Try: {AGAIN}")
