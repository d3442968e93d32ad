"""Recordings, graphs and results in files, without pickle: loading a file runs no code of it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from torch import nn

from nbwidgets_nn import __version__
from nbwidgets_nn._arrays import expected
from nbwidgets_nn.record._inputs import check_network
from nbwidgets_nn.storage._archive import Archive, NewerVersionError, WrongFileError, write_archive
from nbwidgets_nn.storage._modules import OtherModelError
from nbwidgets_nn.storage._objects import ObjectReader, ObjectWriter

_WRONG = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    RuntimeError,
    OverflowError,
    MemoryError,
    struct.error,
)
"""What reading raises if a file says things that do not fit together."""


class OutputLoader:
    """Saves and loads recordings, graphs with their transforms, and results.

    What can be saved: `Activations`, `NNGraph`, everything that correlations, clusterings, effective information, activation
    profiles and spectra return, arrays, tensors, SciPy's sparse matrices, numbers and text, and lists, tuples and dicts of
    all of these. It comes back equal to the last bit and of the same type, what was shared is shared again.

    What does not come back: *code*. In a recording, ``network`` and the modules of its layers are stand-ins that have the name,
    the text and the shapes of the weights; calling one is an error. Values, shapes, names, notes and who feeds whom are all
    there, torch's own functions too. ``load(path, network=model)`` puts a model in their place. Tensors come back on the CPU,
    detached; parameters as tensors.

    The file is a zip, not compressed, of ``.npy`` arrays and one ``structure.json``; `numpy.load` reads the arrays too. Cost:
    size of `numpy.save`, and a few times its time where that goes into a cache, as a checksum is taken; of a recording also of the
    model's weights. One array of another device or memory order is copied at a time.

    >>> import tempfile, torch, nbwidgets_nn as nw
    >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    >>> path = tempfile.mkdtemp() + "/recording"
    >>> nw.OutputLoader.save(nw.Activations(model, torch.ones(5, 3)), path)
    >>> loaded = nw.OutputLoader.load(path)
    >>> loaded, loaded["0"].output.shape, loaded["0"].module
    (Activations of Sequential: input (5, 3), 2 calls, torch.Size([5, 4]), Linear(in_features=3, out_features=4, bias=True))
    >>> nw.OutputLoader.load(path, network=model)["0"].module is model[0]
    True
    """

    @staticmethod
    def save(obj: Any, path: str | Path) -> None:
        """Write `obj` to `path`, whole or not at all; a file that is there is replaced. The name's ending is free.

        Raises:
            TypeError: a part that cannot be stored, with its place in `obj`.
            ValueError: values that contain themselves, or more than 64 MB of text and single numbers.
            OSError: the path cannot be written.
        """
        if isinstance(obj, nn.Module):
            what = "a recording, a graph, results or arrays"
            raise TypeError(
                expected("obj", what, f"a {type(obj).__name__}", "torch.save(model.state_dict(), path)")
            )
        if not isinstance(path, str | Path):
            came = f"{type(path).__name__}, as if the arguments had changed places"
            raise TypeError(expected("path", "a file's name", came, "OutputLoader.save(obj, path)"))
        writer = ObjectWriter()
        try:
            value = writer.write(obj, "obj")
        except RecursionError:
            raise ValueError(expected("obj", "values inside values", "too many levels of them")) from None
        structure = {"written_by": __version__, "objects": writer.objects, "value": value}
        write_archive(path, structure, writer.arrays)

    @staticmethod
    def load(path: str | Path, *, network: nn.Module | None = None) -> Any:
        """Return the object saved at `path`.

        Args:
            path: of a file that `save` wrote.
            network: the model that was recorded. It takes the place of the stand-ins if its modules are the same, and its
                weights have the same shapes, dtypes and values (told by a checksum).

        Raises:
            ValueError: the file is cut short, damaged, of another program or of a newer version; or `network` is another model.
            OSError: there is no such file, or it cannot be read.
        """
        model = None if network is None else check_network(network)
        with Path(path).open("rb") as file:
            try:
                archive = Archive(file)
                reader = ObjectReader(archive.array, model)
                value = _value(archive, reader)
            except OtherModelError:
                raise
            except _WRONG as error:
                raise ValueError(_message(path, error)) from error
        if model is not None and not reader.used_network:
            raise ValueError(expected("network", "None", "a model for a file that holds no recording"))
        return value


def _value(archive: Archive, reader: ObjectReader) -> Any:
    objects = archive.structure.get("objects")
    if not isinstance(objects, list) or "value" not in archive.structure:
        raise WrongFileError("no objects")
    for written in objects:
        reader.add(written)
    return reader.read(archive.structure["value"])


def _message(path: str | Path, error: Exception) -> str:
    hint = "save it again with OutputLoader.save"
    if isinstance(error, NewerVersionError):
        hint = "pip install --upgrade nbwidgets_nn"
    odd = f"parts that do not fit together ({type(error).__name__}: {error})"
    reason = str(error) if isinstance(error, WrongFileError) else odd
    return expected(f"path {str(path)!r}", "a file of OutputLoader.save", reason, hint)
