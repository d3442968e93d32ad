"""Triplets read as the tensor that they stand for."""

import numpy as np
import pytest
import torch
from layers_with_edges import linear_triplets, values
from torch import nn

import nbwidgets_nn as nw
from nbwidgets_nn.kernels import computed_tensor
from nbwidgets_nn.kernels.computed_tensor import ComputedTensor

INDICES = {
    "all": np.s_[...],
    "one number": np.s_[1, 2, 0, 1],
    "one triplet": np.s_[1, 2, 0],
    "from the end": np.s_[-1, -2, -1],
    "row and source": np.s_[0, 1],
    "slices": np.s_[1:3, ::2, :1],
    "negative step of a tensor": (torch.tensor([3, 1]),),
    "one plane": np.s_[..., 1],
    "two planes": np.s_[..., 1:],
    "last plane from the end": np.s_[..., -1],
    "new axis": np.s_[None, 1, :, None, 0],
    "ellipsis inside": np.s_[0, ..., 2],
    "index tensors": (torch.tensor([0, 3, 3]), torch.tensor([2, 0, 2]), torch.tensor([1, 1, 0])),
    "that broadcast": (torch.tensor([[0], [3]]), torch.tensor([2, 0])),
    "index lists": ([0, 1], [2, 2]),
    "index arrays": (np.array([0, 1]), 2),
    "planes by index": np.s_[:, :, :, [2, 0, 2]],
    "mask of rows": (torch.tensor([True, False, True, False]),),
    "mask of pairs": (torch.ones(4, 3, dtype=torch.bool).triu(),),
    "mask of all": (torch.arange(72).reshape(4, 3, 2, 3) % 5 == 0,),
    "nothing": np.s_[2:2],
    "no rows": (torch.zeros(4, dtype=torch.bool),),
    "truth": (True,),
    "untruth": (torch.tensor(False), 1),
    "rows twice": ([0, 0, 3],),
    "list and slices": ([0, 3], slice(None), 1, slice(0, 2)),
    "list behind slices": (slice(1, 3), [2, 0], ..., [0, 2]),
    "index of two axes": (torch.tensor([[0, 3], [1, 1]]), slice(None), torch.tensor([[1, 0], [0, 0]])),
    "mask behind": (slice(2), torch.tensor([True, False, True])),
    "mask at the end": (..., torch.tensor([True, False, True])),
    "two masks": (torch.tensor([True, False, True, False]), torch.tensor([True, False, True])),
    "empty list": ([],),
}


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
@pytest.mark.parametrize("kind", ["dense", "gathered"])
def test_indexing_is_that_of_the_tensor(index, kind):
    layer = linear_triplets() if kind == "dense" else gathered_triplets()
    assert tuple(layer.shape) == (4, 3, 2, 3)
    found, wanted = layer[index], layer.materialize()[index]
    assert type(found) is torch.Tensor
    assert torch.equal(found, wanted)
    assert found.dtype == wanted.dtype


def gathered_triplets():
    """Of the shape of `linear_triplets`, with edges of each sample's own."""
    return nw.triplets(nn.MaxPool1d(2, stride=1), values(4, 1, 3))["MaxPool1d"]


def test_an_integer_alone_holds_nothing_until_one_axis_is_left():
    layer = linear_triplets()
    full = layer.materialize()
    row = layer[-1]
    assert isinstance(row, ComputedTensor)
    assert tuple(row.shape) == (3, 2, 3)
    assert torch.equal(row.materialize(), full[-1])
    assert isinstance(row[np.int64(2)], ComputedTensor)
    assert torch.equal(row[2].materialize(), full[-1, 2])
    assert torch.equal(row[2][1], full[-1, 2, 1])
    assert torch.equal(layer.contribution[1][2], layer.contribution.materialize()[1, 2])
    for index in (4, -5):
        with pytest.raises(IndexError, match="out of bounds for axis 0 with size 4"):
            layer[index]


def test_iterates_over_its_rows():
    layer = linear_triplets()
    full = layer.materialize()
    assert len(layer) == len(full) == len(list(layer))
    for row, wanted in zip(layer, full, strict=True):
        assert torch.equal(torch.as_tensor(row), wanted)


def test_becomes_a_tensor_or_array():
    layer = linear_triplets()
    full = layer.materialize()
    assert torch.equal(torch.as_tensor(layer), full)
    assert torch.equal(torch.tensor(layer), full)
    assert torch.as_tensor(layer, dtype=torch.float32).dtype == torch.float32
    assert np.array_equal(np.asarray(layer), full.numpy())
    assert np.asarray(layer, dtype=np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="copy: expected True or None"):
        np.asarray(layer, copy=False)


def test_functions_of_torch_take_it():
    layer = linear_triplets()
    full = layer.materialize()
    assert torch.equal(layer, full)
    assert torch.equal(full + layer, 2 * full)
    assert torch.equal(torch.stack([layer[0], layer[1]]), full[:2])
    assert torch.equal(torch.sum(input=layer.contribution, dim=1), layer.contribution.materialize().sum(1))


def test_shape_and_size_are_known_without_computing():
    layer = linear_triplets()
    assert (layer.ndim, layer.numel(), layer.nbytes) == (4, 72, 576)
    assert (layer.dtype, layer.device.type) == (torch.float64, "cpu")
    assert isinstance(layer.shape, torch.Size)


def test_materialize_into_a_buffer():
    layer = linear_triplets()
    wanted = layer.materialize()
    for out in (torch.empty(4, 3, 2, 3), torch.empty(3, 4, 3, 2, dtype=torch.float64).movedim(0, -1)):
        assert layer.materialize(out=out) is out
        assert torch.equal(out, wanted.to(out.dtype))
    assert layer.materialize(dtype=torch.float16).dtype == torch.float16
    assert layer.contribution.materialize(out=torch.empty(4, 3, 2)).dtype == torch.float32
    with pytest.raises(ValueError, match=r"out: expected shape \(4, 3, 2, 3\), got \(4, 3, 2\)"):
        layer.materialize(out=torch.empty(4, 3, 2))
    with pytest.raises(ValueError, match=r"dtype: expected that of out, torch.float32, got torch.float64"):
        layer.materialize(out=torch.empty(4, 3, 2, 3), dtype=torch.float64)


def test_what_does_not_fit_is_refused_with_its_size(monkeypatch):
    monkeypatch.setattr(computed_tensor, "free_memory", lambda _: 500)
    layer = linear_triplets()
    for ask in (layer.materialize, lambda: torch.as_tensor(layer), lambda: layer[...]):
        with pytest.raises(MemoryError, match=r"0\.0 GB for shape \(4, 3, 2, 3\).*Try: .*t\.top\(k\)"):
            ask()
    assert layer[1, 2, 1].shape == (3,)


def test_a_large_convolution_is_never_unrolled(monkeypatch):
    """Its tensor would have 1.2e11 numbers."""
    conv = nn.Conv2d(3, 8, 3, padding=1)
    t = nw.triplets(conv, torch.rand(2, 3, 96, 96))["Conv2d"]
    assert t.numel() == 2 * 27648 * 73728 * 3
    assert t.block.edges == 3 * 8 * (3 * 96 - 2) ** 2
    b, i, j = 1, 2 * 96 * 96 + 50 * 96 + 7, 5 * 96 * 96 + 51 * 96 + 6
    assert t[b][i][j].tolist() == [
        t.source[b, i].item(),
        conv.weight[5, 2, 0, 2].item(),
        t.target[b, j].item(),
    ]
    monkeypatch.setattr(computed_tensor, "free_memory", lambda _: 1e9)
    with pytest.raises(MemoryError, match=r"8\.2 GB for shape \(1, 73728, 27648\), 1\.0 GB are free"):
        t.weight  # noqa: B018
    with pytest.raises(MemoryError, match="GB"):
        t.materialize()


def test_weights_beyond_float32_stay_exact():
    layer = nw.triplets(nn.Linear(2, 2).double(), torch.ones(1, 2, dtype=torch.float64))["Linear"]
    assert layer[0, 1, 0, 1].item() == layer.weight[0, 1].item()


def test_free_memory_is_known_or_unbounded():
    assert 0 < computed_tensor.free_memory(torch.device("cpu")) < 2**60
    assert computed_tensor.free_memory(torch.device("meta")) == float("inf")


def test_what_repeats_is_computed_once():
    seen = []

    def at(i, j):
        seen.append((tuple(i.shape), tuple(j.shape)))
        return (i * j).float()

    ComputedTensor((30, 40), torch.float32, torch.device("cpu"), at)[:, 5:]
    assert seen == [((30, 1), (1, 35))]


def table(*shape):
    return ComputedTensor(shape, torch.float64, torch.device("cpu"), lambda i, j: (10.0 * i + j).double())


def test_methods_and_arithmetic_are_those_of_the_whole_tensor():
    c, whole = table(3, 4), table(3, 4).materialize()
    for mine, truth in (
        (c.sum(1), whole.sum(1)),
        (c.T, whole.T),
        (c.abs().mean(), whole.abs().mean()),
        (2 * c - c / 2 + 1, 2 * whole - whole / 2 + 1),
        (1 - c, 1 - whole),
        (-c, -whole),
        (abs(c) ** 2, abs(whole) ** 2),
        (c @ whole.T, whole @ whole.T),
        (whole @ c.T, whole @ whole.T),
        (c > 1, whole > 1),
        (c * c, whole * whole),
        (torch.ones(4).double() + c, whole + 1),
    ):
        torch.testing.assert_close(mine, truth)
    with pytest.raises(AttributeError, match="has no attribute 'summ'"):
        c.summ()


def test_prints_what_is_small_and_the_size_of_what_is_not():
    assert "tensor(" in repr(table(3, 4))
    assert repr(table(1000, 50)).endswith("kB if materialised)")


def nothing_is_read():
    def at(*_):
        raise AssertionError("read")

    return ComputedTensor((3, 4, 5), torch.float32, torch.device("cpu"), at)


@pytest.mark.parametrize("dtype", [torch.int32, torch.bool])
def test_fractions_are_not_cut_off(dtype):
    layer = linear_triplets()
    with pytest.raises(TypeError, match="dtype: expected a dtype that holds"):
        layer.materialize(dtype=dtype)
    with pytest.raises(TypeError, match="out: expected a dtype that holds"):
        layer.contribution.materialize(out=torch.empty(4, 3, 2, dtype=dtype))
    assert layer.materialize(dtype=torch.float16).dtype == torch.float16


def test_methods_that_change_in_place_are_refused():
    t = nothing_is_read()
    for name in ("add_", "zero_", "copy_", "requires_grad_"):
        with pytest.raises(AttributeError, match=f"'{name}' changes a tensor in place.*materialize"):
            getattr(t, name)


def test_equality_is_that_of_elements_and_the_hash_that_of_the_object():
    c = linear_triplets().contribution
    assert torch.equal(c == c.materialize(), torch.ones(4, 3, 2, dtype=torch.bool))
    assert torch.equal(c != 0, c.materialize() != 0)
    assert {c: 1}[c] == 1


def test_what_is_known_without_values_computes_none():
    t = nothing_is_read()
    assert all(hasattr(t, name) for name in ("sum", "stride", "numpy", "cpu"))
    assert not any(hasattr(t, name) for name in ("nothing", "__cuda_array_interface__"))
    assert (t.requires_grad, t.grad, t.is_cuda, t.layout, t.itemsize) == (
        False,
        None,
        False,
        torch.strided,
        4,
    )
    assert (t.size(), t.size(1), t.dim(), t.nelement(), t.is_floating_point()) == ((3, 4, 5), 4, 3, 60, True)
    with pytest.raises(AssertionError, match="read"):
        t.sum(1)


def test_an_index_list_needs_no_memory_but_that_of_the_result():
    shapes = []

    def at(*places):
        shapes.extend(place.numel() for place in places)
        return torch.zeros(())

    t = ComputedTensor((1000, 1000, 1000), torch.float32, torch.device("cpu"), at)
    assert t[[0, 1], :, [5, 6]].shape == (2, 1000)
    assert t[[0, 1], :7].shape == (2, 7, 1000)
    assert max(shapes) <= 2000


def test_memory_is_checked_before_an_index_list_is_followed():
    t = ComputedTensor((10**6, 10**6, 10**6), torch.float32, torch.device("cpu"), lambda *_: 1 / 0)
    with pytest.raises(MemoryError, match="for shape"):
        t[[0, 1]]
    with pytest.raises(IndexError):
        t[0, 0, 0, [1]]
    with pytest.raises(IndexError, match="mask: expected shape"):
        t[torch.ones(3, dtype=torch.bool)]
