"""Where the units of a layer stand: each has a cell of its own, which is found again from its pixels."""

import numpy as np
import pytest

from nbwidgets_nn.widgets.pattern_layout import GAP, PatternLayout

SHAPES = [
    ((16, 8, 8), 0),
    ((8, 8, 16), 2),
    ((3, 5, 4, 4), 0),
    ((2, 3, 4, 5, 6), 1),
    ((5, 7), 1),
    ((7,), 0),
    ((1000,), 0),
    ((512, 7, 7), 0),
    ((700, 1, 1), 0),
    ((3, 1, 5), 0),
    ((6, 4, 5), None),
    ((1, 8, 8), 0),
    ((1,), 0),
    ((), None),
    ((2, 1300, 1), 0),
    ((3, 1250, 620), 0),
    ((2_000_003,), 0),
]


@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_a_unit_is_found_at_its_own_box_and_shows_its_code(shape, axis):
    layout = PatternLayout(shape, axis)
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 256, shape).astype(np.uint8)
    picture = layout.picture(codes, diverging=False)
    assert picture.shape == layout.pixels
    for unit in rng.integers(0, layout.size, 40).tolist():
        left, top, right, bottom = layout.box(unit)
        found = layout.units_at((left + right) / 2, (top + bottom) / 2)
        assert unit in found
        shown = picture[int(top) : int(bottom), int(left) : int(right)]
        assert (shown == codes.ravel()[found].max()).all()
        if shape:
            assert np.ravel_multi_index(layout.index(unit), shape) == unit


@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_every_pixel_belongs_to_a_unit_or_is_a_gap(shape, axis):
    layout = PatternLayout(shape, axis)
    picture = layout.picture(np.zeros(shape, np.uint8), diverging=False)
    rng = np.random.default_rng(1)
    for _ in range(60):
        x, y = rng.random(2) * (picture.shape[1], picture.shape[0])
        assert (len(layout.units_at(x, y)) == 0) == (picture[int(y), int(x)] == GAP)
    assert layout.units_at(-1, 0).size == layout.units_at(picture.shape[1] + 1, 0).size == 0
    assert layout.units_at(0, -1).size == layout.units_at(0, picture.shape[0] + 1).size == 0


def test_channels_stand_in_reading_order():
    layout = PatternLayout((6, 2, 3), 0)
    corners = [layout.box(6 * channel)[:2] for channel in range(6)]
    assert corners == sorted(corners, key=lambda corner: (corner[1], corner[0]))
    last = PatternLayout((2, 3, 6), 2)  # channels last
    assert [last.box(channel)[:2] for channel in range(6)] == corners


def test_gaps_between_maps_are_equal():
    picture = PatternLayout((12, 5, 9), 0).picture(np.zeros((12, 5, 9), np.uint8), diverging=True)
    for lines in (picture == GAP).all(axis=0), (picture == GAP).all(axis=1):
        runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[False], lines, [False]]).astype(int))))[::2]
        assert len(set(runs.tolist())) == 1


@pytest.mark.parametrize(("maps", "columns"), [(16, 4), (32, 8), (64, 8), (512, 32), (6, 3), (1, 1), (10, 5)])
def test_columns_leave_no_holes_where_that_is_possible(maps, columns):
    assert PatternLayout((maps, 8, 8), 0).columns == columns


def test_depth_stands_in_a_row():
    assert PatternLayout((4, 5, 8, 8), 0).columns % 5 == 0


def test_an_empty_layer_has_no_picture():
    assert PatternLayout((2, 0, 3), 0).size == 0
