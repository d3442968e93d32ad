"""Names beside points: none hides a point or another name, and what has no room is said to have none."""

import doctest

import numpy as np
import pytest

from nbwidgets_nn.widgets import _label_places
from nbwidgets_nn.widgets._label_places import _HEIGHT, _MARK, _WIDTH, _box, _inside, _overlap, place_labels

NOWHERE = np.empty((0, 2))


def boxes(points, names, places):
    pixels = np.column_stack([points[:, 0] * _WIDTH, (1 - points[:, 1]) * _HEIGHT])
    marks = [(*(at - _MARK), *(at + _MARK)) for at in pixels]
    written = [_box(at, place, name) for at, place, name in zip(pixels, places, names, strict=True) if place]
    return marks, written


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [1, 3, 12, 60])
def test_no_name_hides_a_point_or_a_name_or_leaves_the_plot(seed, count):
    rng = np.random.default_rng(seed)
    points = rng.random((count, 2))
    names = ["fc" * rng.integers(1, 9) for _ in range(count)]
    marks, written = boxes(points, names, place_labels(points, names, rng.random((50, 2))))
    assert all(_inside(box) for box in written)
    assert not any(_overlap(box, mark) for box in written for mark in marks)
    assert not any(_overlap(a, b) for k, a in enumerate(written) for b in written[:k])


def test_a_name_keeps_off_a_line_where_it_can():
    point = np.array([[0.5, 0.5]])
    right = np.column_stack([np.linspace(0.5, 1, 50), np.full(50, 0.5)])
    assert place_labels(point, ["fc1"], NOWHERE)[0].align == "start"
    assert place_labels(point, ["fc1"], right)[0].align == "end"


def test_names_of_points_on_one_spot_fan_out():
    points = np.full((4, 2), 0.5)
    places = place_labels(points, ["a", "b", "c", "d"], NOWHERE)
    assert None not in places
    assert len(set(places)) == 4


def test_a_name_wider_than_the_plot_has_no_room():
    assert place_labels(np.array([[0.5, 0.5]]), ["x" * 80], NOWHERE) == [None]


def test_the_example_runs():
    assert doctest.testmod(_label_places, extraglobs={"np": np}) == (0, 1)
