"""Free regions under the hand: drawn, moved, bent, told to the window in pixels of the picture."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.review.privacy import RegionOutline
from widgets.viewport.projection import PictureView
from widgets.viewport.regions import RegionLayer

SQUARE = np.array([[20, 20], [40, 20], [40, 40], [20, 40]], np.float32)


@pytest.fixture
def layer() -> RegionLayer:
    view = PictureView(picture=(100, 100), screen=(400, 400))
    made = RegionLayer(view.to_screen, view.to_picture)
    made.outlines = [RegionOutline(7, "Clock", SQUARE, True, False)]
    return made


def _drag(layer: RegionLayer, start: tuple[float, float], end: tuple[float, float]):
    assert layer.press(*start)
    layer.move(*end)
    return layer.release(*end)


def test_a_drag_draws_a_rectangle_in_pixels_of_the_picture(layer: RegionLayer):
    layer.begin()
    what, _, points = _drag(layer, (202, 202), (322, 282))
    assert what == "drawn"
    np.testing.assert_allclose(points, [[50, 50], [80, 50], [80, 70], [50, 70]])
    assert not layer.drawing


def test_clicks_set_corners_and_enter_closes_them(layer: RegionLayer):
    layer.begin()
    for x, y in ((202, 202), (322, 202), (322, 282)):
        assert _drag(layer, (x, y), (x, y)) is None
    np.testing.assert_allclose(layer.close_polygon(), [[50, 50], [80, 50], [80, 70]])


def test_two_corners_are_no_region_and_backspace_takes_the_newest_back(layer: RegionLayer):
    layer.begin()
    for x in (202, 322):
        _drag(layer, (x, 202), (x, 202))
    assert layer.close_polygon() is None
    assert layer.drawing
    assert layer.drop_corner()
    assert layer.drop_corner()
    assert not layer.drop_corner()


def test_escape_ends_drawing_and_puts_a_moved_region_back(layer: RegionLayer):
    layer.begin()
    assert layer.cancel()
    assert not layer.drawing
    layer.press(82, 120)  # on the left edge
    layer.move(130, 120)
    assert layer.cancel()
    assert layer.release(130, 120) is None
    assert not layer.cancel()


def test_the_edge_moves_all_of_it_and_a_corner_only_itself(layer: RegionLayer):
    what, region, points = _drag(layer, (82, 120), (122, 140))
    assert (what, region) == ("placed", 7)
    np.testing.assert_allclose(points, SQUARE + np.array([10, 5]))
    _, _, points = _drag(layer, (82, 82), (42, 62))
    np.testing.assert_allclose(points, [[10, 15], [40, 20], [40, 40], [20, 40]])


def test_the_inside_belongs_to_people_until_the_region_is_chosen(layer: RegionLayer):
    assert not layer.press(120, 120)
    layer.selected = 7
    assert layer.press(120, 120)
    assert layer.cursor(120, 120) == Qt.CursorShape.SizeAllCursor
    assert not layer.press(300, 300)
    assert layer.selected is None


def test_nothing_moves_in_a_project_that_is_read_only(layer: RegionLayer):
    layer.editable = False
    assert _drag(layer, (82, 120), (122, 140)) is None
