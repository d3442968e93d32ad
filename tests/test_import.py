"""Importing the package is quick and loads neither torch nor numba; every public name has one home."""

import subprocess
import sys

import pytest

import nbwidgets_nn


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_import_loads_no_heavy_package():
    heavy = "('torch', 'numba', 'scipy', 'numpy', 'matplotlib', 'ipywidgets', 'anywidget')"
    assert run(f"import sys, nbwidgets_nn; print([m for m in {heavy} if m in sys.modules])") == "[]"


def test_import_costs_little_beside_starting_python():
    code = "import time; t = time.perf_counter(); import nbwidgets_nn; print(time.perf_counter() - t)"
    assert min(float(run(code)) for _ in range(3)) < 0.3


@pytest.mark.parametrize("name", nbwidgets_nn.__all__)
def test_every_public_name_loads_and_is_documented(name):
    assert getattr(nbwidgets_nn, name).__doc__


def test_names_do_not_depend_on_the_order_of_import():
    assert run("import nbwidgets_nn as nw; nw.Explorer; print(nw.explore.__name__)") == "explore"


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'corrcof'"):
        _ = nbwidgets_nn.corrcof
