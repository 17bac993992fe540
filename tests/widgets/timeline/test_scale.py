"""Frames to pixels and back."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from widgets.timeline.scale import Scale, column_max, nice_step, number_text, ticks, time_text


def test_every_frame_is_found_again_at_its_own_pixel():
    scale = Scale.whole(230, 1340.0)
    assert all(scale.frame(scale.x(i)) == i for i in range(230))


def test_pixels_outside_give_the_first_and_last_frame():
    scale = Scale.whole(230, 1000.0)
    assert scale.frame(-50.0) == 0
    assert scale.frame(5000.0) == 229


def test_zooming_keeps_what_is_under_the_pointer():
    scale = Scale.whole(1000, 800.0)
    closer = scale.zoomed(4.0, 300.0)
    assert closer.span == pytest.approx(250.0)
    assert closer.position(300.0) == pytest.approx(scale.position(300.0))


def test_zooming_out_stops_at_everything_and_in_at_a_few_frames():
    scale = Scale.whole(1000, 800.0)
    assert scale.zoomed(0.1, 10.0).shows_everything
    assert scale.zoomed(1e9, 10.0).span == pytest.approx(12.0)


def test_panning_stops_at_the_ends():
    scale = Scale.whole(1000, 800.0).zoomed(10.0, 0.0)
    assert scale.panned(-500).first == 0.0
    assert scale.panned(5000).last == pytest.approx(1000.0)


def test_revealing_moves_only_when_the_frame_is_out_of_sight():
    scale = Scale.whole(1000, 800.0).zoomed(10.0, 0.0)
    assert scale.revealing(50) == scale
    moved = scale.revealing(500)
    assert moved.first <= 500 < moved.last


def test_one_bad_frame_of_many_survives_the_aggregation():
    values = np.zeros(108_000, np.float32)
    values[54_321] = 99.0
    scale = Scale.whole(len(values), 1340.0)
    columns = column_max(values, scale)
    assert columns.shape == (1340,)
    assert columns.max() == 99.0
    assert int(columns.argmax()) == int(scale.edge(54_321))


def test_a_column_is_empty_only_where_all_its_frames_are():
    values = np.full(1000, np.nan, np.float32)
    values[500] = 5.0
    columns = column_max(values, Scale.whole(1000, 100.0))
    assert np.isfinite(columns).sum() == 1


def test_deep_zoom_repeats_a_frame_over_its_pixels():
    values = np.arange(12, dtype=np.float32)
    columns = column_max(values, Scale.whole(12, 120.0))
    assert np.array_equal(columns, np.repeat(values, 10))


@pytest.mark.parametrize(("least", "step"), [(0.3, 1), (1.1, 2), (3, 5), (6, 10), (4001, 5000)])
def test_steps_are_round_numbers(least: float, step: int):
    assert nice_step(least) == step


def test_ticks_are_round_numbers_counted_from_one():
    assert ticks(Scale.whole(45, 450.0), 90.0) == [0, 9, 19, 29, 39]
    assert ticks(Scale.whole(4, 400.0), 90.0) == [0, 1, 2, 3]
    assert ticks(Scale.whole(0, 400.0), 90.0) == []
    assert [number_text(f) for f in (0, 9, 49_999)] == ["1", "10", "50\u2009000"]


def test_ticks_keep_their_distance():
    scale = Scale.whole(108_000, 1340.0)
    marks = ticks(scale, 60.0)
    assert all(scale.x(b) - scale.x(a) >= 59.0 for a, b in itertools.pairwise(marks))


def test_times_are_written_with_hours_only_when_needed():
    assert time_text(3.3333) == "00:03.333"
    assert time_text(59.9999) == "01:00.000"
    assert time_text(3725.0, 0) == "1:02:05"
