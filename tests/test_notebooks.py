"""Every notebook runs from top to bottom in a fresh kernel, quietly and quickly enough to be used in class."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_runs(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    streams = [
        out for cell in notebook.cells for out in cell.get("outputs", []) if out.output_type == "stream"
    ]
    assert not [
        out.text
        for out in streams
        if out.name == "stderr" and "it/s" not in out.text and "%|" not in out.text
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_is_stored_without_outputs_and_with_a_kernel(path):
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
    assert notebook.metadata.kernelspec.name == "python3"


def test_there_are_notebooks():
    assert NOTEBOOKS
