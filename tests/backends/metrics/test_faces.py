"""Faces that are found, covered, or leak."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backends.errors import InputError
from backends.metrics.faces import (
    Leak,
    face_recall,
    head_coverage,
    holistic_recall,
    leak_events,
    matched_faces,
)

FACES = np.array([[0.0, 0, 10, 10], [100, 0, 110, 10]])


def test_a_face_is_found_from_an_overlap_of_one_half_on() -> None:
    half = [[0.0, 0, 10, 5], [100, 0, 110, 4.9]]
    assert matched_faces(FACES, half).tolist() == [True, False]


def test_one_box_finds_one_face_and_the_choice_finds_most() -> None:
    assert matched_faces(FACES[[0, 0]], FACES[:1]).sum() == 1
    # The first face overlaps both boxes, the second only the better one: both can be found.
    truth = [[0.0, 0, 10, 10], [3, 0, 13, 10]]
    found = [[0.0, 0, 10, 10], [-3, 0, 7, 10]]
    assert matched_faces(truth, found).all()


def test_recall_and_precision_over_frames() -> None:
    nobody = np.zeros((0, 4))
    frames = [(FACES, FACES[:1]), (FACES, FACES), (nobody, FACES[:1]), (FACES[:1], nobody)]
    recall, precision = face_recall(frames)
    assert (recall.value, recall.n) == (3 / 5, 5)
    assert (precision.value, precision.n) == (3 / 4, 4)
    assert math.isnan(face_recall([])[0].value)


def test_a_quarter_of_the_head_is_hidden() -> None:
    head = np.zeros((20, 20), bool)
    head[4:8, 4:8] = True
    covered = np.zeros((20, 20), bool)
    covered[4:6, 4:6] = True
    assert head_coverage(head, covered) == 0.25
    assert head_coverage(np.array([4, 4, 7, 7]), covered) == 0.25
    assert head_coverage(np.array([-50.0, -50, 5, 5]), covered) == pytest.approx(4 / 36)
    assert math.isnan(head_coverage(np.zeros((20, 20), bool), covered))
    assert math.isnan(head_coverage(np.array([30.0, 0, 40, 5]), covered))


def test_runs_of_uncovered_frames_and_how_long_they_last() -> None:
    coverage = [1.0, 0.2, 0.0, 1.0, 0.5, 0.95, 0.1]
    leaks = leak_events(coverage, np.ones(7), np.arange(7) / 25.0)
    assert leaks.events == (
        Leak(1, 2, pytest.approx(80.0)), Leak(4, 4, pytest.approx(40.0)), Leak(6, 6, pytest.approx(40.0)),
    )  # fmt: skip
    assert leaks.longest_ms == pytest.approx(80.0)
    assert (leaks.frames, leaks.seen, leaks.unknown) == (4, 7, 0)


def test_a_head_that_nobody_sees_cannot_leak() -> None:
    leaks = leak_events(np.zeros(4), [1.0, 0.0, np.nan, 0.3], np.arange(4.0))
    assert [(e.first, e.last) for e in leaks.events] == [(0, 0), (3, 3)]
    assert leaks.seen == 2


def test_a_frame_that_is_not_known_ends_the_run_and_is_counted() -> None:
    leaks = leak_events([0.0, np.nan, 0.0], np.ones(3), np.arange(3.0))
    assert len(leaks.events) == 2
    assert leaks.unknown == 1


def test_a_variable_rate_counts_what_the_viewer_sees() -> None:
    leaks = leak_events([1.0, 0.0, 1.0], np.ones(3), [0.0, 0.1, 0.7])
    assert leaks.longest_ms == pytest.approx(600.0)


def test_no_leak_has_no_length() -> None:
    assert leak_events(np.ones(3), np.ones(3), np.arange(3.0)).longest_ms == 0.0
    assert leak_events([], [], []).events == ()


def test_a_face_counts_only_if_found_wherever_it_is_visible() -> None:
    visible = [[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 0, 0]]
    found = [[1, 1, 0], [1, 0, 0], [1, 0, 1], [1, 1, 1]]
    score = holistic_recall(found, visible)
    assert score.value == pytest.approx(2 / 3)
    assert (score.n, score.unknown) == (3, 1)
    assert math.isnan(holistic_recall(np.zeros((0, 4)), np.zeros((0, 4))).value)


def test_bad_arrays_are_refused() -> None:
    with pytest.raises(InputError, match="increase"):
        leak_events([0.0, 0.0], [1, 1], [1.0, 1.0])
    with pytest.raises(InputError, match="three arrays"):
        leak_events([0.0], [1, 1], [1.0, 2.0])
    with pytest.raises(InputError, match=r"\(N, C\)"):
        holistic_recall([1, 0], [1, 0])
    with pytest.raises(InputError, match="mask of shape"):
        head_coverage(np.zeros((3, 3), bool), np.zeros((4, 4), bool))
    with pytest.raises(InputError, match="finite"):
        head_coverage(np.array([0, 0, np.nan, 1]), np.zeros((4, 4), bool))
