"""Files that are not what they say: each is refused with its path and the reason, and none runs code or takes memory."""

import io
import json
import pickle
import random
import re
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
import torch
from alike import assert_alike
from scipy import sparse
from torch import nn

import nbwidgets_nn as nw
from nbwidgets_nn.storage._archive import STRUCTURE, VERSION
from nbwidgets_nn.storage.output_loader import OutputLoader


class Bomb:
    """Unpickling it is noticed."""

    def __reduce__(self):
        return pytest.fail, ("a pickle was loaded",)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "some file"


def saved(value, path):
    OutputLoader.save(value, path)
    return path.read_bytes()


def refused(path, reason):
    with pytest.raises(
        ValueError,
        match=f"^path {re.escape(repr(str(path)))}: expected a file of OutputLoader.save, got .*{reason}",
    ):
        OutputLoader.load(path)


def in_memory(write):
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_zip(path, contents, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in contents.items() if isinstance(contents, dict) else contents:
            archive.writestr(zipfile.ZipInfo(name) if compression == zipfile.ZIP_STORED else name, data)


def altered(path, **changes):
    """Change the structure of the file."""
    contents = members(path)
    structure = {**json.loads(contents[STRUCTURE]), **changes}
    write_zip(path, {**contents, STRUCTURE: json.dumps(structure)})


FOREIGN = {
    "empty": (b"", "an empty file"),
    "text": (b"hello, world", "a file that starts with b'hell'"),
    "one byte": (b"P", "a file that starts with b'P'"),
    "pickle": (pickle.dumps(Bomb()), "a pickle, which is never loaded: it could run code"),
    "old torch": (
        in_memory(lambda file: torch.save(Bomb, file, _use_new_zipfile_serialization=False)),
        "a pickle, which is never loaded",
    ),
    "numpy.save": (in_memory(lambda file: np.save(file, np.ones(3))), "an array of numpy.save"),
    "numpy.savez": (
        in_memory(lambda file: np.savez(file, a=np.ones(3))),
        r"a zip of something else \(it holds a.npy",
    ),
    "numpy.savez_compressed": (
        in_memory(lambda file: np.savez_compressed(file, a=np.ones(3))),
        "'a.npy' is compressed",
    ),
    "pickle in an npz": (
        in_memory(lambda file: np.savez(file, a=np.array([Bomb()]))),
        r"a zip of something else \(it holds a.npy",
    ),
    "torch.save": (
        in_memory(lambda file: torch.save(torch.ones(3), file)),
        r"a zip of something else \(it holds .*data.pkl",
    ),
    "a zip without members": (
        in_memory(lambda file: zipfile.ZipFile(file, "w").close()),
        r"a file that starts with b'PK",
    ),
    "the start of a zip": (b"PK\3\4" + bytes(100), "a damaged zip"),
    "another program's": (
        in_memory(lambda file: write_zip(file, {STRUCTURE: '{"a": 1}'})),
        "a zip of another program",
    ),
    "a list": (in_memory(lambda file: write_zip(file, {STRUCTURE: "[]"})), "a zip of another program"),
    "no JSON": (
        in_memory(lambda file: write_zip(file, {STRUCTURE: "{"})),
        r"a structure.json that is no JSON",
    ),
    "no text": (
        in_memory(lambda file: write_zip(file, {STRUCTURE: b"\xff\xfe\0"})),
        r"a structure.json that",
    ),
    "depth": (in_memory(lambda file: write_zip(file, {STRUCTURE: "[" * 10**6})), "nested too deeply"),
    "digits": (in_memory(lambda file: write_zip(file, {STRUCTURE: "9" * 10**5})), "digits"),
}


@pytest.mark.parametrize(("data", "reason"), FOREIGN.values(), ids=FOREIGN)
def test_files_of_others(data, reason, path):
    path.write_bytes(data)
    refused(path, reason)


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        OutputLoader.load(tmp_path / "nowhere")
    with pytest.raises(OSError, match=re.escape(str(tmp_path))):
        OutputLoader.load(tmp_path)


def test_every_shorter_file_is_refused(path):
    data = saved(nw.Activations(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), torch.ones(3, 2)), path)
    for length in range(0, len(data), 7):
        path.write_bytes(data[:length])
        refused(path, "empty|damaged|starts with|else|cut short")


def test_a_changed_byte_is_seen_or_changes_nothing(path):
    old = [nw.correlate(torch.randn(9, 3)), torch.ones(3).bfloat16(), "text"]
    data = saved(old, path)
    draw = random.Random(0)
    for place in draw.sample(range(len(data)), min(1500, len(data))):
        changed = bytearray(data)
        changed[place] ^= 1 << draw.randrange(8)
        path.write_bytes(changed)
        try:
            new = OutputLoader.load(path)
        except ValueError as error:
            assert str(path) in str(error)  # noqa: PT017
        else:
            assert_alike(old, new)


def test_a_newer_version(path):
    saved([1], path)
    altered(path, version=VERSION + 1, objects="in another form")
    refused(
        path,
        rf"version {VERSION + 1} of the format; this nbwidgets_nn reads up to {VERSION}. Try: pip install --upgrade",
    )


@pytest.mark.parametrize("version", [0, -1, 1.5, "1", None, True])
def test_no_version(version, path):
    saved([1], path)
    altered(path, version=version)
    refused(path, "the version")


FLOAT = {"dtype": "<f8", "shape": [3]}
LISTED = {
    "none": None,
    "no list": {"a": 1},
    "fewer": [],
    "more": [FLOAT, FLOAT],
    "nothing said": [{}],
    "no dict": [3],
    "objects": [{**FLOAT, "dtype": "|O8"}],
    "records": [{**FLOAT, "dtype": "f4,f4"}],
    "voids": [{**FLOAT, "dtype": "|V8"}],
    "no dtype": [{**FLOAT, "dtype": 8}],
    "odd floats": [{**FLOAT, "dtype": "<f9"}],
    "long items": [{"dtype": "<U999999999", "shape": [2**40]}],
    "no items": [{"dtype": "<U0", "shape": [2**40]}],
    "terabytes": [{**FLOAT, "shape": [2**40]}],
    "overflow": [{**FLOAT, "shape": [2**61 + 3]}],
    "more overflow": [{**FLOAT, "shape": [2**40, 2**40]}],
    "nothing of much": [{**FLOAT, "shape": [0, 2**62]}],
    "negative": [{**FLOAT, "shape": [-3]}],
    "twice negative": [{**FLOAT, "shape": [-1, -3]}],
    "fractions": [{**FLOAT, "shape": [3.0]}],
    "truth": [{**FLOAT, "shape": [3, True]}],
    "many dimensions": [{**FLOAT, "shape": [1] * 70 + [3]}],
    "another dtype": [{**FLOAT, "dtype": "<i8"}],
    "another shape": [{**FLOAT, "shape": [1, 3]}],
}


@pytest.mark.parametrize("listed", LISTED.values(), ids=LISTED)
def test_arrays_that_are_not_what_is_said(listed, path):
    saved(np.ones(3), path)
    altered(path, arrays=listed)
    tracemalloc.start()
    refused(path, "an array|a member|no list of arrays")
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


@pytest.mark.parametrize(
    "name", ["../../evil.npy", "/etc/passwd", "1.npy", "00.npy", "a.pkl", "0.npy/", "\0"]
)
def test_members_that_do_not_belong(name, path, tmp_path):
    saved(np.ones(3), path)
    write_zip(path, {**members(path), name: b"x"})
    refused(path, "a member '.*' that does not belong|two members")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_a_member_twice(path):
    saved(np.ones(3), path)
    write_zip(path, [*members(path).items(), ("0.npy", b"x")])
    refused(path, "two members '0.npy'")


def test_a_pickle_in_place_of_an_array(path):
    saved(np.ones(3), path)
    evil = in_memory(lambda file: np.save(file, np.array([Bomb()])))
    contents = members(path)
    write_zip(path, {**contents, "0.npy": evil})
    refused(path, "an array float64")
    # of the right length too
    evil = (b"\x93NUMPY\x01\x00v\x00" + pickle.dumps(Bomb())).ljust(len(contents["0.npy"]))
    write_zip(path, {**contents, "0.npy": evil[: len(contents["0.npy"])]})
    refused(path, "an array that is not what its list says")


def test_a_compressed_bomb_takes_no_memory(path):
    saved(np.zeros(2**26, np.uint8), path)
    write_zip(path, members(path), zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 2**18
    tracemalloc.start()
    refused(path, "is compressed")
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_members_that_share_their_bytes(path):
    saved([np.zeros(10**4), np.zeros(10**4)], path)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        where = [info.header_offset for info in archive.infolist()]
        start = archive.start_dir
    entry = data.index(b"PK\1\2", data.index(b"PK\1\2", data.index(b"PK\1\2", start) + 1) + 1)
    data[entry + 42 : entry + 46] = struct.pack("<L", where[1])  # the second array lies where the first does
    path.write_bytes(data)
    refused(path, "a damaged zip: members overlap or lie outside the file")


VALUE_OF = {
    "nothing": {},
    "an unknown kind": {"is": "os.system", "of": "true"},
    "a kind that is no text": {"is": ["tuple"], "of": []},
    "an object that is not there": {"is": "object", "at": 5},
    "an object before the first": {"is": "object", "at": -1},
    "an object at a fraction": {"is": "object", "at": 0.0},
    "a tuple of nothing": {"is": "tuple"},
    "a long tuple in a short text": {"is": "tuple", "of": {"is": "range", "of": [0, 10**15, 1]}},
    "a long set in a short text": {"is": "set", "of": {"is": "range", "of": [0, 10**15, 1]}},
    "a long pair in a short text": {"is": "dict", "of": [{"is": "range", "of": [0, 10**8, 1]}]},
    "a text of a range": {"is": "numpy text", "of": [{"is": "range", "of": [0, 10**8, 1]}]},
    "half a float": {"is": "float", "of": "7ff8"},
    "a number of objects": {"is": "number", "of": ["|O8", "00" * 8]},
    "a number that is none": {"is": "number", "of": ["<f8", ""]},
    "a dict of odd things": {"is": "dict", "of": [1]},
    "a set of lists": {"is": "set", "of": [[1]]},
    "an unknown dtype": {"is": "dtype", "of": "float33"},
    "a slice of much": {"is": "slice", "of": [1, 2, 3, 4]},
    "a bad size": {"is": "size", "of": ["a"]},
}


@pytest.mark.parametrize("value", VALUE_OF.values(), ids=VALUE_OF)
def test_values_that_are_none(value, path):
    saved(1, path)
    altered(path, value=value)
    tracemalloc.start()
    refused(path, "")
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


LONG = {"is": "range", "of": [0, 10**8, 1]}
NO_ARRAYS = {
    "a mask": {"is": "masked array", "data": LONG, "mask": None, "fill": 0},
    "a sparse matrix": {"is": "sparse matrix", "kind": "coo_array", "shape": [3, 3], "data": LONG, "indices": [LONG, LONG], "indptr": None},
    "rows of a sparse matrix": {"is": "sparse matrix", "kind": "csr_array", "shape": [3, 3], "data": LONG, "indices": LONG, "indptr": LONG},
    "a sparse tensor": {"is": "sparse tensor", "layout": {"is": "layout", "of": "sparse_coo"}, "shape": [3], "values": LONG, "indices": [LONG]},
}  # fmt: skip


@pytest.mark.parametrize("written", NO_ARRAYS.values(), ids=NO_ARRAYS)
def test_long_ranges_in_the_place_of_arrays(written, path):
    saved(1, path)
    altered(path, objects=[written])
    tracemalloc.start()
    refused(path, "a part that is no array")
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_what_does_not_fit_into_memory_is_refused_as_the_rest(path, monkeypatch):
    saved(1, path)

    def full(*_):
        raise MemoryError

    monkeypatch.setattr("nbwidgets_nn.storage.output_loader.ObjectReader.read", full)
    refused(path, r"parts that do not fit together \(MemoryError")


OBJECT = {
    "no object": 3,
    "nothing": {},
    "no name": {"is": 3},
    "another class": {"is": "Popen", "args": "true"},
    "a class with a path": {"is": "subprocess.Popen", "args": "true"},
    "a private class": {"is": "ObjectReader", "array": 1, "network": 1},
    "a dunder": {"is": "__class__"},
    "itself": {"is": "Bits", "value": {"is": "object", "at": 0}, "error": 0.0, "note": ""},
    "a later one": {"is": "Bits", "value": {"is": "object", "at": 1}, "error": 0.0, "note": ""},
    "a field missing": {"is": "Bits", "error": 0.0},
    "a field too many": {"is": "Bits", "value": 1.0, "colour": "red"},
    "a dunder field": {"is": "Bits", "value": 1.0, "__class__": "red"},
    "an array that is not there": {"is": "array", "number": 0},
    "an array and more": {"is": "array", "number": 0, "_": 1},
    "a function that is not listed": {"is": "function", "name": "torch.load"},
    "a function of another module": {"is": "function", "name": "os.system"},
    "a function by a long way": {"is": "function", "name": "torch.os.system"},
    "a dtype as a function": {"is": "function", "name": "torch.float"},
    "no function": {"is": "function", "name": None},
    "an endless tensor": {"is": "empty tensor", "dtype": "float32", "shape": [2**62, 2**62]},
    "a tensor without end of axes": {
        "is": "empty tensor",
        "dtype": "float32",
        "shape": {"is": "range", "of": [0, 10**15, 1]},
    },
    "a module of numbers": {
        "is": "module",
        "kind": "Linear",
        "text": "",
        "children": {"is": "dict", "of": [["a", 3]]},
        "parameters": {"is": "dict", "of": []},
        "buffers": {"is": "dict", "of": []},
    },
    "a module of nothing": {
        "is": "module",
        "kind": "Linear",
        "text": "",
        "children": 3,
        "parameters": 3,
        "buffers": 3,
    },
    "an empty recording": {"is": "Activations"},
    "a recording of nothing": {
        "is": "Activations",
        "network": 1,
        "shapes_only": False,
        "never_ran": [],
        "origin": None,
        "_layers": {"is": "dict", "of": []},
    },
}


@pytest.mark.parametrize("written", OBJECT.values(), ids=OBJECT)
def test_objects_that_are_none(written, path):
    saved(1, path)
    altered(path, objects=[written], value={"is": "object", "at": 0})
    refused(path, "")


def test_a_recording_with_an_attribute_of_another_name(path):
    saved(nw.Activations(nn.Linear(2, 2), torch.ones(3, 2)), path)
    structure = json.loads(members(path)[STRUCTURE])
    next(o for o in structure["objects"] if o["is"] == "Activations")["take"] = "mine"
    altered(path, objects=structure["objects"])
    refused(path, "Activations with 'take'")


def test_recordings_that_are_none(path):
    saved(nw.Activations(nn.Linear(2, 2), torch.ones(3, 2)), path)
    structure = json.loads(members(path)[STRUCTURE])
    layers = next(o for o in structure["objects"] if o["is"] == "Activations")["_layers"]["of"]
    for change in (
        lambda: layers[0].__setitem__(0, "other"),
        lambda: layers[1].__setitem__(1, 3),
        layers.pop,
        layers.clear,
    ):
        change()
        altered(path, objects=structure["objects"])
        refused(path, "a recording whose layers are none")


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
@pytest.mark.parametrize("index", [99, -1])
def test_sparse_indices_outside_the_matrix(form, index, path):
    old = sparse.eye_array(5, format=form)
    (old.coords[0] if form == "coo" else old.indices)[2] = index
    saved(old, path)
    refused(path, "parts that do not fit together")


def test_sparse_pointers_outside_the_matrix(path):
    old = sparse.eye_array(5, format="csr")
    old.indptr[3] = 10**6
    saved(old, path)
    refused(path, "parts that do not fit together")


@pytest.mark.filterwarnings("ignore:Sparse:UserWarning")
@pytest.mark.parametrize("form", ["to_sparse", "to_sparse_csr"])
def test_sparse_tensors_with_indices_outside(form, path):
    old = getattr(torch.eye(5), form)()
    (old._indices()[0] if form == "to_sparse" else old.col_indices())[2] = 99
    saved(old, path)
    refused(path, "parts that do not fit together")


def test_a_sparse_tensor_that_says_it_is_sorted(path):
    saved(torch.sparse_coo_tensor([[2, 2]], [1.0, 2.0], (3,), check_invariants=True), path)
    structure = json.loads(members(path)[STRUCTURE])
    next(o for o in structure["objects"] if o["is"] == "sparse tensor")["coalesced"] = True
    altered(path, objects=structure["objects"])
    assert not OutputLoader.load(path).is_coalesced()


def test_a_refused_file_is_closed(path):
    saved(1, path)
    altered(path, version=99)
    refused(path, "version")  # an open file would be a ResourceWarning, which is an error
    path.unlink()
