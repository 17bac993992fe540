"""What the project knows of the people in the video."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.audit.known import KnownPeople
from app.audit.record import CoverageRecord
from app.deidentify.plan import DeidPlan, PersonRule
from app.export.coverage import Presence
from app.project.records import TrackRecord
from app.review.types import Cover, DeidSettings
from backends.audit.types import Finding
from backends.keypoints.layout import INDEX, N_KEYPOINTS
from backends.keypoints.types import Keypoints, Visibility
from tests.app.export import theatre

LEFT, RIGHT = 70.0, 120.0
_HEAD_BESIDE = np.array([80, 50, 88, 58], np.float32)


def _standing(track: int, x: float) -> Presence:
    """Somebody 100 pixels high whose face is seen narrow: only the eyes, 6 pixels apart."""
    xy = np.zeros((N_KEYPOINTS, 2), np.float32)
    visibility = np.zeros(N_KEYPOINTS, np.uint8)
    for name, dx in (("left_eye", 3.0), ("right_eye", -3.0)):
        xy[INDEX[name]], visibility[INDEX[name]] = (x + dx, 25.0), Visibility.VISIBLE
    keypoints = Keypoints(xy, np.ones(N_KEYPOINTS, np.float32), visibility, np.zeros(N_KEYPOINTS, np.uint8))
    box = np.array([x - 20, 18, x + 20, 118], np.float32)
    return Presence(TrackRecord(track, f"Person {track}", 0, False, "kept", None), None, keypoints, (), box)


def _person(x: float, y: float) -> Finding:
    head = np.array([x - 4, y - 4, x + 4, y + 4], np.float32)
    return Finding("person", np.array([x - 12, y - 6, x + 12, y + 90], np.float32), 0.9, "x", head=head)


def _made(stage: theatre.Theatre, monkeypatch: pytest.MonkeyPatch, plan: DeidPlan, head: bool) -> KnownPeople:
    """Both heads painted over, or nothing of it."""
    record = CoverageRecord(theatre.HEIGHT, theatre.WIDTH)
    before = np.zeros((theatre.HEIGHT, theatre.WIDTH, 3), np.uint8)
    covered = np.zeros((theatre.HEIGHT, theatre.WIDTH), np.bool_)
    if head:
        for x in (LEFT, RIGHT):
            covered[8:44, int(x) - 16 : int(x) + 16] = True
    after = before.copy()
    after[covered] = 200
    record.add(5, before, after, covered)
    made = KnownPeople(stage.store, 20.0, plan, record)
    monkeypatch.setattr(made, "_at", lambda frame: [_standing(1, LEFT), _standing(2, RIGHT)])
    return made


@pytest.mark.parametrize(
    ("cover", "head", "meant"),
    [("head", True, True), ("face", True, True), ("head", False, False), ("whole", True, False)],
)
def test_where_heads_are_covered_a_body_is_no_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cover: Cover, head: bool, meant: bool
) -> None:
    stage = theatre.make_theatre(tmp_path)
    known = _made(stage, monkeypatch, DeidPlan(DeidSettings(cover=cover)), head)
    body = Finding("person", np.array([62, 30, 92, 116], np.float32), 0.9, "x", head=_HEAD_BESIDE)
    assert known.is_spared(5, body) is meant
    elsewhere = Finding("person", np.array([0, 30, 30, 116], np.float32), 0.9, "x", head=_HEAD_BESIDE)
    assert not known.is_spared(5, elsewhere), "nobody is known there"
    face = Finding("face", np.array([66, 50, 76, 62], np.float32), 0.9, "x")
    assert not known.is_spared(5, face), "a face is a face"
    stage.store.close()


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KnownPeople]:
    stage = theatre.make_theatre(tmp_path)
    plan = DeidPlan(DeidSettings(), (PersonRule(1, 1, 0, 23, None, "has given consent"),))
    made = KnownPeople(stage.store, 20.0, plan, CoverageRecord(theatre.HEIGHT, theatre.WIDTH))
    monkeypatch.setattr(made, "_at", lambda frame: [_standing(1, LEFT), _standing(2, RIGHT)])
    yield made
    stage.store.close()


def test_who_is_spared_is_known_also_where_their_face_is_seen_narrow(known: KnownPeople) -> None:
    """Another network tells the head a little lower: 0.11 of their height below the eyes."""
    assert known.is_spared(5, _person(LEFT, 36.0))
    assert not known.is_spared(5, _person(LEFT, 60.0)), "that is no head of theirs"
    assert not known.is_spared(5, _person(RIGHT, 36.0)), "the other is to be covered"
