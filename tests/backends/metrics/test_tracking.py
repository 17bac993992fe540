"""Identities over time: closed forms, and TrackEval's numbers on the same tracks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backends.errors import InputError
from backends.metrics.tracking import TrackedFrame, tracking_scores


def frames(rows: list[tuple[list[int], list[int]]]) -> list[TrackedFrame]:
    """Each true person coincides with the found one at the same place of the list."""
    return [
        TrackedFrame(np.array(t, int), np.array(f, int), np.eye(len(t), len(f)).reshape(len(t), len(f)))
        for t, f in rows
    ]


def test_the_truth_itself_is_perfect() -> None:
    s = tracking_scores(frames([([1, 2], [1, 2])] * 10))
    assert (s.hota, s.det_a, s.ass_a, s.loc_a, s.idf1, s.mota) == (1.0,) * 6
    assert (s.switches, s.n_true, s.n_found) == (0, 20, 20)


def test_a_track_cut_in_two_halves() -> None:
    # Every detection right; each has half its track right: AssA = 1/2, HOTA = sqrt(1/2), IDF1 = 1/2.
    s = tracking_scores(frames([([1], [7])] * 5 + [([1], [8])] * 5))
    assert s.det_a == 1.0
    assert s.ass_a == pytest.approx(0.5)
    assert s.hota == pytest.approx(math.sqrt(0.5))
    assert s.idf1 == 0.5
    assert s.switches == 1
    assert s.mota == pytest.approx(0.9)


def test_half_the_frames_missed() -> None:
    # DetA = 5/10; TPA = 5, FNA = 5: AssA = 1/2; HOTA = 1/2; IDF1 = 2 * 5 / (10 + 5).
    s = tracking_scores(frames([([1], [7])] * 5 + [([1], [])] * 5))
    assert s.hota == pytest.approx(0.5)
    assert s.idf1 == pytest.approx(2 / 3)
    assert (s.id_precision, s.id_recall) == (1.0, 0.5)
    assert s.switches == 0


def test_two_people_who_swap_names_are_two_switches() -> None:
    s = tracking_scores(frames([([1, 2], [7, 8])] * 3 + [([1, 2], [8, 7])] * 3))
    assert s.switches == 2
    assert s.idf1 == 0.5


def test_a_match_is_kept_while_it_holds_even_where_another_is_nearer() -> None:
    near = TrackedFrame(np.array([1]), np.array([7, 8]), np.array([[0.9, 0.6]]))
    far = TrackedFrame(np.array([1]), np.array([7, 8]), np.array([[0.6, 0.9]]))
    assert tracking_scores([near, far]).switches == 0


def test_localisation_counts_only_up_to_the_similarity() -> None:
    half = [TrackedFrame(np.array([1]), np.array([7]), np.array([[0.5]]))] * 4
    s = tracking_scores(half)
    assert s.hota == pytest.approx(10 / 19)  # right at alpha 0.05 ... 0.50 of the nineteen
    assert s.loc_a == pytest.approx(0.5)


def crowded() -> list[TrackedFrame]:
    """Five people for sixty frames; found ones drift, vanish, come double and change their names."""
    rng = np.random.default_rng(42)
    result = []
    for i in range(60):
        true_ids = np.flatnonzero(rng.uniform(size=5) < 0.9)
        found = [(int(p) + (10 if i > 25 and p == 2 else 0) + (20 if i % 17 == 3 else 0), int(p))
                 for p in true_ids if rng.uniform() < 0.85]  # fmt: skip
        found += [(100 + i, -1)] if rng.uniform() < 0.3 else []
        rng.shuffle(found)
        similarity = rng.uniform(0, 0.45, (len(true_ids), len(found)))
        for r, p in enumerate(true_ids):
            for c, (_, q) in enumerate(found):
                if p == q:
                    similarity[r, c] = rng.uniform(0.3, 1.0)
        if i == 40:
            found, similarity = [], np.zeros((len(true_ids), 0))
        result.append(TrackedFrame(true_ids, np.array([n for n, _ in found], int), similarity))
    return result


def test_trackeval_says_the_same() -> None:
    """TrackEval 1.3.0 on the same frames."""
    s = tracking_scores(crowded())
    ours = [s.hota, s.det_a, s.ass_a, s.loc_a, s.idf1, s.id_precision, s.id_recall, s.mota]
    theirs = [
        0.4256138485095218, 0.4723265422559873, 0.38398202140295795, 0.7748360968743303,
        0.5212121212121212, 0.5608695652173913, 0.4867924528301887, 0.20754716981132076,
    ]  # fmt: skip
    assert ours == pytest.approx(theirs, abs=1e-9)
    assert s.switches == 25


def test_nobody_there_and_nobody_found() -> None:
    nobody = tracking_scores(frames([([], [])] * 3))
    assert math.isnan(nobody.hota)
    assert math.isnan(nobody.idf1)
    missed = tracking_scores(frames([([1], [])] * 3))
    assert (missed.hota, missed.idf1, missed.mota) == (0.0, 0.0, 0.0)
    invented = tracking_scores(frames([([], [1])] * 3))
    assert (invented.hota, invented.idf1) == (0.0, 0.0)
    assert math.isnan(invented.mota)
    assert math.isnan(tracking_scores([]).hota)


def test_bad_frames_are_refused() -> None:
    with pytest.raises(InputError, match="twice"):
        tracking_scores(frames([([1, 1], [2, 3])]))
    with pytest.raises(InputError, match="shape"):
        tracking_scores([TrackedFrame(np.array([1]), np.array([1]), np.zeros((2, 1)))])
    with pytest.raises(InputError, match=r"\[0, 1\]"):
        tracking_scores([TrackedFrame(np.array([1]), np.array([1]), np.array([[1.5]]))])
