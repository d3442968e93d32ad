"""Bars: gone when the work is done, also from what a notebook keeps of its output."""

import nbformat
import pytest
from nbclient import NotebookClient

from nbwidgets_nn._progress import bar, steps

VIEW = "application/vnd.jupyter.widget-view+json"
CELL = """
import time
from nbwidgets_nn._progress import bar
for k in bar(range(3), "waiting", "nap", delay=DELAY):
    time.sleep(0.15)
"""


def test_items_come_through_whether_there_is_a_bar_or_not(capsys):
    assert list(bar(iter("abc"), "letters", total=3, delay=0)) == list("abc")
    assert "letters" in capsys.readouterr().err
    for progress in (False, True):
        assert list(steps("abc", 3, progress, "letters")) == list("abc")


@pytest.mark.parametrize("delay", ["0", "0.1"])
def test_a_notebook_keeps_no_place_for_a_bar_that_is_gone(delay):
    cell = nbformat.v4.new_code_cell(CELL.replace("DELAY", delay))
    notebook = nbformat.v4.new_notebook(cells=[cell])
    client = NotebookClient(notebook, timeout=120, kernel_name="python3")
    shown = []
    client.on_cell_executed = None
    hook = client.process_message
    client.process_message = lambda msg, *args: (shown.append(msg), hook(msg, *args))[1]
    client.execute()
    assert any(VIEW in msg["content"].get("data", {}) for msg in shown)
    assert [set(output["data"]) for output in notebook.cells[0].outputs] == [{"text/plain"}]


def test_a_bar_that_fails_stays():
    cell = nbformat.v4.new_code_cell(CELL.replace("DELAY", "0") + "    assert k < 1\n")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    NotebookClient(notebook, timeout=120, allow_errors=True).execute()
    assert VIEW in notebook.cells[0].outputs[0]["data"]
