"""The examples in the docstrings run and print what they say."""

import doctest
import importlib

import pytest

MODULES = [
    "_arrays",
    "kernels.clustering",
    "kernels.correlation",
    "kernels.null_reference",
    "kernels.redundancy",
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    result = doctest.testmod(importlib.import_module(f"nbwidgets_nn.{name}"))
    assert result.attempted > 0
    assert result.failed == 0
