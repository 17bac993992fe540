"""Keypoints are marked so that small people can still be seen."""

from __future__ import annotations

import numpy as np

from widgets.viewport.overlay import mark_scale


def test_marks_shrink_with_the_person_but_never_grow() -> None:
    person = np.array([[0.0, 0.0], [30.0, 120.0]])
    assert mark_scale(4 * person) == 1.0
    assert mark_scale(person) == 0.5
    assert mark_scale(person[:0]) == 1.0
