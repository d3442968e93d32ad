"""Edge blocks against the matrices of their layers, which torch's derivatives give, and against loops."""

import itertools

import pytest
import torch
from layers_with_edges import ALL, bias_of, filled, matrix_at, values
from torch import nn

from nbwidgets_nn.kernels import edge_blocks
from nbwidgets_nn.kernels.edge_blocks import EdgeBlock, dense_block, sum_block
from nbwidgets_nn.kernels.triplets import triplets
from nbwidgets_nn.kernels.window_reach import OUTSIDE

# An even kernel puts more of the padding behind, which torch finds worth a warning.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")


def of_layer(name):
    """The block, the module and its input of two samples."""
    make, shape = ALL[name]
    module, x = filled(make()), values(2, *shape)
    (layer,) = triplets(module, x).values()
    return layer.block, module, x


@pytest.fixture(params=ALL)
def case(request):
    return of_layer(request.param)


@pytest.fixture
def small_tiles(monkeypatch):
    monkeypatch.setattr(edge_blocks, "TILE", 20)


def of_samples(block, wanted):
    return wanted if block.per_sample else wanted[0]


def test_matrix_is_the_derivative(case):
    block, module, x = case
    wanted = of_samples(block, torch.stack([matrix_at(module, row) for row in x]))
    torch.testing.assert_close(block.matrix, wanted)
    assert block.per_sample == (module.__class__.__name__.replace("Adaptive", "").startswith("Max"))


def test_bias_is_what_is_left(case):
    block, module, x = case
    bias = torch.zeros(block.out_channels) if block.bias is None else block.bias
    torch.testing.assert_close(bias.double().repeat_interleave(block.positions), bias_of(module, x[0]))


def test_convolution_by_loops():
    """The definition, written out: every output channel, place, input channel and tap."""
    conv, x = filled(nn.Conv1d(4, 6, 3, stride=2, padding=2, dilation=2, groups=2)), values(1, 4, 7)
    (layer,) = triplets(conv, x).values()
    positions = layer.target_shape[1]
    wanted = torch.zeros(6, positions, 4, 7, dtype=torch.float64)
    for o, p, c, t in itertools.product(range(6), range(positions), range(2), range(3)):
        place = 2 * p - 2 + 2 * t
        if 0 <= place < 7:
            wanted[o, p, o // 3 * 2 + c, place] += conv.weight[o, c, t].detach()
    assert torch.equal(layer.block.matrix, wanted.reshape(6 * positions, 28))
    assert layer.block.edges == int((wanted != 0).sum())


@pytest.mark.parametrize("name", ALL)
def test_apply_gives_the_output_also_in_small_tiles(name, monkeypatch):
    block, module, x = of_layer(name)
    wanted = module(x).detach().flatten(1)
    torch.testing.assert_close(block.apply(x.flatten(1)), wanted)
    monkeypatch.setattr(edge_blocks, "TILE", 20)
    torch.testing.assert_close(block.apply(x.flatten(1)), wanted)


def test_incoming_and_outgoing_are_the_rows_and_columns(case):
    block, module, x = case
    W = torch.stack([matrix_at(module, row) for row in x])
    for sample in (0, -1):
        for output in range(block.n_out):
            inputs, weights = block.incoming(output, sample)
            assert inputs.tolist() == sorted(set(inputs.tolist()))
            assert set(W[sample, output].nonzero()[:, 0].tolist()) <= set(inputs.tolist())
            torch.testing.assert_close(weights, W[sample, output, inputs])
        for unit in range(block.n_in):
            outputs, weights = block.outgoing(unit, sample)
            assert outputs.tolist() == sorted(set(outputs.tolist()))
            assert set(W[sample, :, unit].nonzero()[:, 0].tolist()) <= set(outputs.tolist())
            torch.testing.assert_close(weights, W[sample, outputs, unit])


def test_edges_are_counted_once(case):
    block, _, _ = case
    assert block.edges == sum(len(block.incoming(output)[0]) for output in range(block.n_out))
    assert block.edges == sum(len(block.outgoing(unit)[0]) for unit in range(block.n_in))


def test_edge_at_tells_a_weight_of_zero_from_no_edge(case):
    block, module, x = case
    sample = torch.arange(2)[:, None, None]
    weights, there = block.edge_at(sample, torch.arange(block.n_in), torch.arange(block.n_out)[:, None])
    wanted = torch.stack([matrix_at(module, row) for row in x])
    torch.testing.assert_close(weights.expand_as(wanted), wanted)
    assert int(there.expand_as(wanted)[0].sum()) == block.edges
    assert not wanted[~there.expand_as(wanted)].any()


def test_parts_are_the_whole(case, small_tiles):
    block, _, _ = case
    parts = list(block.parts(1))
    assert [first for first, _ in parts] == [
        sum(p.positions for _, p in parts[:k]) for k in range(len(parts))
    ]
    W = [part.matrix.unflatten(-2, (block.out_channels, -1)) for _, part in parts]
    torch.testing.assert_close(torch.cat(W, dim=-2).flatten(-3, -2), block.matrix)


def test_merged_has_one_tap_an_edge(case):
    block, _, _ = case
    merged = block.merged()
    torch.testing.assert_close(merged.matrix, block.matrix)
    taps = merged.reach.sort(dim=-1).values
    assert not ((taps[..., 1:] == taps[..., :-1]) & (taps[..., 1:] != OUTSIDE)).any()


def test_a_small_circular_image_is_merged():
    block, _, _ = of_layer("circular")
    assert (block.merged() is block, block.edges) == (False, 4 * 8 * 6)


def test_positions_of_a_run_share_a_kernel(small_tiles):
    """Two runs of three positions, weights of each sample's own: as attention has them."""
    kernel = values(2, 4, 3, 2, 1)
    block = EdgeBlock(kernel, torch.arange(6)[None, None, :, None], 6, per_sample=True)
    x = values(2, 18, seed=3)
    wanted = torch.einsum("bocp,bcp->bop", kernel[..., 0].repeat_interleave(3, 3), x.reshape(2, 3, 6))
    torch.testing.assert_close(block.apply(x), wanted.flatten(1))
    torch.testing.assert_close(torch.einsum("boi,bi->bo", block.matrix, x), wanted.flatten(1))
    assert block.edges == 4 * 3 * 6


def test_sum_of_addends():
    block = sum_block(3, 2, torch.ones(1))
    assert block.apply(torch.tensor([[1.0, 2, 3, 10, 20, 30]])).tolist() == [[11, 22, 33]]
    assert block.incoming(1)[0].tolist() == [1, 4]
    assert block.outgoing(4)[0].tolist() == [1]


def test_dense_matrix_is_a_view_of_the_weight():
    weight = torch.randn(3, 2)
    assert dense_block(weight).matrix.data_ptr() == weight.data_ptr()


@pytest.mark.parametrize("unit", [2, -3])
def test_no_such_unit(unit):
    block = dense_block(torch.ones(2, 2))
    with pytest.raises(IndexError, match=rf"output: expected a unit from 0 to 1, got {unit}"):
        block.incoming(unit)
    with pytest.raises(IndexError, match="input: expected a unit from 0 to 1"):
        block.outgoing(unit)
    assert block.incoming(-1)[0].tolist() == [0, 1]


def test_describes_itself():
    assert repr(dense_block(torch.ones(1, 2))) == "EdgeBlock(2 inputs, 1 output, 2 edges)"
    assert repr(of_layer("max")[0]).endswith("8 edges, each sample its own)")
