"""A file is written whole or not at all."""

import errno
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from nbwidgets_nn.storage import _archive
from nbwidgets_nn.storage.output_loader import OutputLoader


@pytest.fixture
def path(tmp_path):
    OutputLoader.save("the old one", tmp_path / "x.nn")
    return tmp_path / "x.nn"


def is_as_it_was(path):
    return OutputLoader.load(path) == "the old one" and list(path.parent.iterdir()) == [path]


def test_saving_replaces_and_returns_nothing(path):
    assert OutputLoader.save("the new one", str(path)) is None
    assert OutputLoader.load(str(path)) == "the new one"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt, MemoryError]
)
def test_a_failing_write_leaves_the_old_file(error, path, monkeypatch):
    def fails(array):
        yield b"some"
        raise error

    monkeypatch.setattr(_archive, "pieces", fails)
    with pytest.raises(type(error) if isinstance(error, OSError) else error) as raised:
        OutputLoader.save(torch.ones(3), path)
    assert is_as_it_was(path)
    if isinstance(error, OSError):
        assert str(raised.value) == f"[Errno 28] path cannot be written: No space left on device: '{path}'"


def test_what_cannot_be_stored_leaves_the_old_file(path):
    with pytest.raises(TypeError, match="obj"):
        OutputLoader.save([torch.ones(3), object()], path)
    assert is_as_it_was(path)


def test_too_much_text_leaves_the_old_file(path, monkeypatch):
    monkeypatch.setattr(_archive, "MAX_STRUCTURE", 1000)
    with pytest.raises(
        ValueError,
        match=r"obj: expected at most 1,000 bytes outside its arrays, got .*arrays in place of long lists",
    ):
        OutputLoader.save(list(range(1000)), path)
    assert is_as_it_was(path)
    OutputLoader.save(np.arange(1000), path)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(OSError, match=r"the folder '.*no' does not exist"):
        OutputLoader.save(1, tmp_path / "no" / "x")
    with pytest.raises(OSError, match="it is a folder"):
        OutputLoader.save(1, tmp_path)


def test_numpy_reads_the_arrays(path):
    OutputLoader.save({"a": np.arange(6.0).reshape(2, 3), "b": np.array(["x"]), "c": torch.ones(0, 2)}, path)
    with np.load(path, allow_pickle=False) as found:
        assert np.array_equal(found["0"], np.arange(6.0).reshape(2, 3))
        assert found["1"].tolist() == ["x"]
        assert found["2"].shape == (0, 2)
    assert zipfile.ZipFile(path).testzip() is None


MEMORY = """
import resource, sys
import torch
from nbwidgets_nn.storage.output_loader import OutputLoader

path, mode = sys.argv[1:]
x = {"contiguous": lambda: torch.zeros(2**24) + 1, "channels last": lambda: (torch.zeros(1, 256, 256, 256) + 1).to(memory_format=torch.channels_last)}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
if mode == "load":
    value = OutputLoader.load(path)
else:
    value = x[mode]()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    OutputLoader.save([value, value], path)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("mode", ["contiguous", "channels last"])
def test_memory(mode, tmp_path):
    def more(mode):
        command = [sys.executable, "-c", MEMORY, str(tmp_path / "x"), mode]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
        )
        return int(done.stdout) / 1024

    assert more(mode) < 24  # MB, to write 64
    assert more("load") < 64 + 24


def test_a_model_is_refused_because_its_weights_would_be_lost(path):
    before = path.read_bytes()
    with pytest.raises(TypeError, match=r"obj: .* got a Linear. Try: torch.save"):
        OutputLoader.save(torch.nn.Linear(2, 3), path)
    assert path.read_bytes() == before


def test_arguments_that_changed_places_are_named(tmp_path):
    with pytest.raises(TypeError, match="path: expected a file's name, got list"):
        OutputLoader.save(tmp_path / "a", [1])
