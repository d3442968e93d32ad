"""A file of arrays and a tree of plain values: a zip of `0.npy`, `1.npy`, ... and `structure.json`, nothing compressed.

`numpy.load` reads the arrays too. Reading trusts nothing that the file says: every size is compared with the length of the
file before memory is taken, nothing is unpickled, unpacked to disk or imported.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from nbwidgets_nn._files import whole_file

FORMAT = "nbwidgets_nn"
VERSION = 1
STRUCTURE = "structure.json"
MAX_STRUCTURE = 2**26
"""Bytes of JSON: read, they become Python objects of twenty times their size."""

_PIECE = 2**22  # bytes moved at once: the checksum finds them in the cache
_LOCAL = struct.Struct("<4s22xHH")  # of a member's own header: signature, lengths of name and extra field
_DTYPE = re.compile(r"[<>|](?:[biufcSU]\d{1,9}|[mM]8(?:\[\d*[A-Za-z]+\])?)")


class Planned(NamedTuple):
    """An array that is going to be written."""

    dtype: np.dtype
    shape: tuple[int, ...]
    make: Callable[[], np.ndarray]
    """Called when it is this array's turn, so that only one copy from another device is held at a time."""


def write_archive(path: str | Path, structure: dict[str, Any], arrays: Sequence[Planned]) -> None:
    """Write the file, whole or not at all. ValueError if the structure is too large, OSError if it cannot be written."""
    head = {"format": FORMAT, "version": VERSION}
    listed = [{"dtype": array.dtype.str, "shape": array.shape} for array in arrays]
    text = json.dumps(
        {**head, "arrays": listed, **structure}, allow_nan=False, separators=(",", ":")
    ).encode()
    if len(text) > MAX_STRUCTURE:
        raise ValueError(
            f"obj: expected at most {MAX_STRUCTURE:,} bytes outside its arrays, got {len(text):,}. "
            "Try: arrays in place of long lists"
        )
    try:
        with whole_file(path) as file:
            _reserve(file, len(text) + sum(math.prod(array.shape) * array.dtype.itemsize for array in arrays))
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                _write_member(archive, STRUCTURE, [text])
                for number, array in enumerate(arrays):
                    _write_member(archive, f"{number}.npy", _npy(array))
            file.truncate()
    except OSError as error:
        if error.filename is not None or error.errno is None:
            raise
        # Of a full disk Python does not tell which file.
        raise OSError(error.errno, f"path cannot be written: {error.strerror}", str(path)) from error


def _reserve(file: BinaryIO, size: int) -> None:
    """Take room on the disk: a full one is noticed at once, and writing is faster."""
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise


def _write_member(archive: zipfile.ZipFile, name: str, pieces: Any) -> None:
    # ZipInfo's own date is fixed: the same object gives the same bytes. Zip64: the length is not known in advance.
    with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
        for piece in pieces:
            member.write(piece)


def _npy(planned: Planned) -> Iterator[Any]:
    yield _npy_header(planned.dtype, planned.shape)
    yield from pieces(planned.make())


def _npy_header(dtype: np.dtype, shape: tuple[int, ...]) -> bytes:
    """Return the header of NumPy's format 1.0, always the same for the same array."""
    text = f"{{'descr': {dtype.str!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    text += " " * (-(10 + len(text) + 1) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def pieces(array: np.ndarray) -> Iterator[Any]:
    """Yield the array's bytes in C order; what lies in another order is copied piece by piece."""
    if array.flags.c_contiguous:
        data = memoryview(array.reshape(-1).view(np.uint8)) if array.size else b""
        for start in range(0, len(data), _PIECE):
            yield data[start : start + _PIECE]
    elif array.nbytes <= _PIECE:
        yield from pieces(np.ascontiguousarray(array))
    else:
        rows = _PIECE * len(array) // array.nbytes
        for start in range(0, len(array), max(1, rows)):
            yield from pieces(array[start : start + rows] if rows else array[start])


class WrongFileError(ValueError):
    """What came in place of a file of ours: the rest of a sentence."""


class NewerVersionError(WrongFileError):
    """The file is of a version to come."""


class Archive:
    """An open file: its `structure`, checked to be of this format and version, and its arrays one by one.

    WrongFileError says what is wrong with it.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._members = _members(file)
        self.structure = self._read_structure()
        self._listed = self._read_list()

    def array(self, number: Any) -> np.ndarray:
        """Read an array; it is the caller's own."""
        if type(number) is not int or not 0 <= number < len(self._listed):
            raise WrongFileError(f"it refers to an array {number!r} that it does not have")
        return self._listed[number].read(self._file)

    def _read_structure(self) -> dict[str, Any]:
        if STRUCTURE not in self._members:
            shown = ", ".join(list(self._members)[:3]) or "nothing"
            raise WrongFileError(f"a zip of something else (it holds {shown})")
        member = self._members[STRUCTURE]
        if member.size > MAX_STRUCTURE:
            raise WrongFileError(
                f"a {STRUCTURE} of {member.size:,} bytes, where {MAX_STRUCTURE:,} are allowed"
            )
        try:
            structure = json.loads(
                member.read(self._file, bytearray(member.size)), parse_constant=_no_constant
            )
        except RecursionError:
            raise WrongFileError(f"a {STRUCTURE} that is nested too deeply") from None
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise WrongFileError(f"a {STRUCTURE} that is no JSON ({error})") from error
        if not isinstance(structure, dict) or structure.get("format") != FORMAT:
            raise WrongFileError("a zip of another program")
        version = structure.get("version")
        if type(version) is not int or version < 1:
            raise WrongFileError(f"the version {version!r}")
        if version > VERSION:
            raise NewerVersionError(
                f"version {version} of the format; this nbwidgets_nn reads up to {VERSION}"
            )
        return structure

    def _read_list(self) -> list[_Listed]:
        listed = self.structure.get("arrays")
        if not isinstance(listed, list):
            raise WrongFileError("no list of arrays")
        names = {STRUCTURE, *(f"{number}.npy" for number in range(len(listed)))}
        if names != set(self._members):
            odd = min(names ^ set(self._members))
            raise WrongFileError(
                f"a member {odd!r} {'that is missing' if odd in names else 'that does not belong'}"
            )
        return [_Listed.of(facts, self._members[f"{number}.npy"]) for number, facts in enumerate(listed)]


class _Member(NamedTuple):
    """Where a member's bytes lie in the file."""

    start: int
    size: int
    checksum: int

    def read(self, file: BinaryIO, into: Any) -> Any:
        """Fill `into`, which has the member's size; WrongFileError if the bytes are not those that were written."""
        view, file_sum = memoryview(into), 0
        file.seek(self.start)
        for start in range(0, self.size, _PIECE):
            piece = view[start : start + _PIECE]
            if file.readinto(piece) != len(piece):
                raise WrongFileError("less than it says: it is cut short")
            file_sum = zlib.crc32(piece, file_sum)
        if file_sum != self.checksum:
            raise WrongFileError("damaged bytes: a checksum differs")
        return into


class _Listed(NamedTuple):
    """An array that is in the file, its size checked."""

    dtype: np.dtype
    shape: tuple[int, ...]
    member: _Member

    @classmethod
    def of(cls, facts: Any, member: _Member) -> _Listed:
        dtype, shape = _dtype_and_shape(facts)
        size = math.prod(shape) * dtype.itemsize + len(_npy_header(dtype, shape))
        if size != member.size:
            raise WrongFileError(f"an array {dtype} {shape} of {size:,} bytes in {member.size:,} bytes")
        return cls(dtype, shape, member)

    def read(self, file: BinaryIO) -> np.ndarray:
        header = _npy_header(self.dtype, self.shape)
        # One block for header and values: a member has one checksum. 64 bytes of header keep the values aligned.
        block = self.member.read(file, np.empty(self.member.size, np.uint8))
        if block[: len(header)].tobytes() != header:
            raise WrongFileError("an array that is not what its list says")
        return block[len(header) :].view(self.dtype).reshape(self.shape)


def _dtype_and_shape(facts: Any) -> tuple[np.dtype, tuple[int, ...]]:
    dtype, shape = (facts.get("dtype"), facts.get("shape")) if isinstance(facts, dict) else (None, None)
    if not isinstance(dtype, str) or not _DTYPE.fullmatch(dtype):
        raise WrongFileError(f"an array of dtype {dtype!r}")
    if not isinstance(shape, list) or len(shape) > 32 or any(type(n) is not int or n < 0 for n in shape):
        raise WrongFileError("an array with an impossible shape")
    if max(shape, default=0) >= 2**48:
        raise WrongFileError("an array with an impossible shape")
    try:
        made = np.dtype(dtype)
    except TypeError as error:
        raise WrongFileError(f"an array of dtype {dtype!r}") from error
    if made.itemsize == 0:
        raise WrongFileError(f"an array of dtype {dtype!r}")
    return made, tuple(shape)


def _members(file: BinaryIO) -> dict[str, _Member]:
    """Read the table of contents: members that are not compressed, do not overlap and lie within the file."""
    start = file.read(4)
    if start != b"PK\x03\x04":
        raise WrongFileError(_looks_like(start))
    try:
        with zipfile.ZipFile(file) as archive:
            infos, end = archive.infolist(), archive.start_dir
    except (zipfile.BadZipFile, struct.error, NotImplementedError, UnicodeDecodeError, ValueError) as error:
        raise WrongFileError("a damaged zip: it is cut short or not a zip at all") from error
    members: dict[str, _Member] = {}
    for info in sorted(infos, key=lambda info: info.header_offset, reverse=True):
        if (
            info.compress_type != zipfile.ZIP_STORED
            or info.flag_bits & 1
            or info.file_size != info.compress_size
        ):
            raise WrongFileError(f"a zip of something else ({info.filename!r} is compressed or locked)")
        if info.filename in members:
            raise WrongFileError(f"two members {info.filename!r}")
        members[info.filename] = _located(file, info, end)
        end = info.header_offset
    return dict(reversed(members.items()))


def _located(file: BinaryIO, info: zipfile.ZipInfo, end: int) -> _Member:
    file.seek(max(0, info.header_offset))
    header = file.read(_LOCAL.size)
    if info.header_offset < 0 or len(header) < _LOCAL.size:
        raise WrongFileError("a damaged zip: a member lies outside the file")
    signature, *lengths = _LOCAL.unpack(header)
    start = info.header_offset + _LOCAL.size + sum(lengths)
    if signature != b"PK\x03\x04" or start + info.file_size > end:
        raise WrongFileError("a damaged zip: members overlap or lie outside the file")
    return _Member(start, info.file_size, info.CRC)


def _looks_like(start: bytes) -> str:
    if not start:
        return "an empty file"
    if start.startswith(b"\x80"):
        return "a pickle, which is never loaded: it could run code"
    return "an array of numpy.save" if start == b"\x93NUM" else f"a file that starts with {start!r}"


def _no_constant(name: str) -> None:
    raise WrongFileError(f"a {STRUCTURE} with {name}")
