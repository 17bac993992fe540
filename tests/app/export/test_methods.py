"""The plan's rules and regions in what the preview and the export show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import theatre
from theatre import N, make_theatre

from app.deidentify.editing import PlanEditor
from app.deidentify.plan import Method, RegionKey
from app.errors import ModelError
from app.export.frames import FrameCoverer
from app.project.edits import EditLog
from app.project.notes import set_faces
from app.review.types import DeidSettings, Look
from backends.background import Plate
from backends.deidentify.fills import SOLID_RGB
from backends.masks import CropMask, encode_mask

SOLID = DeidSettings(fill="solid", background="original")


@pytest.fixture
def stage(tmp_path: Path):  # type: ignore[no-untyped-def]
    stage = make_theatre(tmp_path / "c", people=(1, 2))
    stage.run({1: range(N), 2: range(N)})
    yield stage
    stage.store.close()
    stage.footage.close()


def coverer(stage: theatre.Theatre, settings: DeidSettings = SOLID, *, room: bool = True) -> FrameCoverer:
    empty = Plate(theatre.room(), np.ones((theatre.HEIGHT, theatre.WIDTH), bool), 1.0) if room else None
    return FrameCoverer(stage.store, theatre.BODY, theatre.CAMERA, settings, empty)


def test_rules_hold_for_their_person_and_span(stage: theatre.Theatre) -> None:
    editor = PlanEditor(stage.store, EditLog(stage.store))
    editor.spare(2, 5, 9, "The surgeon agreed")
    editor.set_method(1, 8, N, Method("whole", "remove"))
    one, two = (theatre.silhouette(theatre.body_at(p, 8)) for p in (1, 2))
    frame = stage.footage.frame(8)
    out, covered = coverer(stage).cover_with_mask(8, frame)
    apart = two & ~covered
    assert apart.sum() > 0.8 * two.sum()
    np.testing.assert_array_equal(out[apart], frame[apart])
    assert covered[one & ~two].all()
    assert not (out[one & ~two] == SOLID_RGB).all(axis=1).any()
    out, covered = coverer(stage).cover_with_mask(4, stage.footage.frame(4))
    assert covered[theatre.silhouette(theatre.body_at(2, 4))].all()
    solid = theatre.silhouette(theatre.body_at(1, 4))
    assert (out[solid] == SOLID_RGB).all()


def test_a_lost_person_who_is_spared_is_no_leak(tmp_path: Path) -> None:
    stage = make_theatre(tmp_path / "d", people=(2,), n=90)
    stage.run({2: [*range(8), *range(84, 90)]}, last=89)
    assert coverer(stage).uncovered(40) == [2]
    PlanEditor(stage.store, EditLog(stage.store)).spare(2, 0, 89, "Staff")
    assert coverer(stage).uncovered(40) == []
    stage.store.close()
    stage.footage.close()


def test_regions_move_between_their_keys_and_end(stage: theatre.Theatre) -> None:
    square = np.array([[0, 0], [20, 0], [20, 20], [0, 20]], np.float32)
    keys = (RegionKey(2, square), RegionKey(6, square + 40))
    PlanEditor(stage.store, EditLog(stage.store)).add_region("Clock", "solid", 2, 6, keys)
    for frame, at in ((2, 0), (4, 20), (6, 40)):
        out, covered = coverer(stage).cover_with_mask(frame, stage.footage.frame(frame))
        assert covered[at : at + 21, at : at + 21].all()
        assert (out[at : at + 21, at : at + 21] == SOLID_RGB).all()
    covered = coverer(stage).cover_with_mask(7, stage.footage.frame(7))[1]
    assert not covered[:21, :21].any()


@pytest.mark.parametrize("look", ["plain", "confidence", "clothed"])
def test_looks_differ_and_cover_the_same(stage: theatre.Theatre, look: Look) -> None:
    settings = DeidSettings(look=look)
    frame = stage.footage.frame(3)
    shaded, covered = coverer(stage, replace(settings, look="shaded")).cover_with_mask(3, frame)
    other, also = coverer(stage, settings).cover_with_mask(3, frame)
    for person in (1, 2):
        assert also[theatre.silhouette(theatre.body_at(person, 3))].all()
    assert np.abs(shaded.astype(int) - other)[covered & also].mean() > 3
    assert not theatre.skin(other).any()


def test_nobody_in_the_clip_and_a_person_in_one_frame_only(tmp_path: Path) -> None:
    stage = make_theatre(tmp_path / "e", people=(1,))
    stage.run({})
    frame = stage.footage.frame(5)
    real = theatre.silhouette(theatre.body_at(1, 5))
    # Where the empty room is known, whoever is not in it is covered.
    assert coverer(stage).cover_with_mask(5, frame)[1][real].all()
    out, covered = coverer(stage, room=False).cover_with_mask(5, frame)
    np.testing.assert_array_equal(out, frame)
    assert not covered.any()
    stage.store.store_chunk(0, N - 1, [theatre.record(1, 5)], {})
    assert coverer(stage, room=False).cover_with_mask(5, frame)[1][real].all()
    # A little before and after they were there too, and are covered where they may have gone.
    assert coverer(stage, room=False).cover_with_mask(4, frame)[1].any()
    assert not coverer(stage, room=False).cover_with_mask(20, frame)[1].any()
    stage.store.close()
    stage.footage.close()


def test_a_face_that_no_track_owns_is_covered_from_a_little_before_to_a_little_after(
    stage: theatre.Theatre,
) -> None:
    rows = [[float(f), 80.0, 20.0, 92.0, 34.0, 0.7] for f in (6, 12)]
    set_faces(stage.store, rows)
    for frame, there in ((6, True), (9, True), (13, True), (5, True), (23, False)):
        covered = coverer(stage).cover_with_mask(frame, stage.footage.frame(frame))[1]
        people = theatre.silhouette(theatre.body_at(1, frame)) | theatre.silhouette(theatre.body_at(2, frame))
        place = np.zeros_like(covered)
        place[20:34, 80:92] = True
        assert bool(covered[place & ~people].all()) == there, frame
    PlanEditor(stage.store, EditLog(stage.store)).spare(2, 0, N, "Staff")
    box = theatre.record(2, 6).estimate.box
    x, y = float(box[0] + box[2]) / 2, float(box[1]) + 10
    set_faces(stage.store, [[6.0, x - 4, y - 4, x + 4, y + 4, 0.95]])
    covered = coverer(stage).cover_with_mask(6, stage.footage.frame(6))[1]
    assert not covered[round(y), round(x)]


class _Plugin:
    """A segmentation that knows one place."""

    def __init__(self, mask: CropMask) -> None:
        self._mask = mask

    def masks(self, index: int, image: np.ndarray) -> list[CropMask]:
        return [self._mask]


def test_a_segmentation_adds_to_whom_it_shows_and_finds_people_of_its_own(stage: theatre.Theatre) -> None:
    frame = stage.footage.frame(3)
    settings = SOLID
    plain = FrameCoverer(stage.store, theatre.BODY, theatre.CAMERA, settings, None)
    before = plain.cover_with_mask(3, frame)[1]
    box = theatre.record(2, 3).estimate.box
    patch = np.ones((12, 9), bool)
    for x, y in ((int(box[2]) - 4, int(box[1]) + 30), (4, 100)):
        mask = encode_mask(patch, x, y)
        more = FrameCoverer(
            stage.store, theatre.BODY, theatre.CAMERA, settings, None, sources=[_Plugin(mask)]
        )
        after = more.cover_with_mask(3, frame)[1]
        place = np.zeros_like(after)
        mask.paint(place)
        assert after[place].all()
        assert after[before].all()
    assert not before[place].all()


def test_a_segmentation_that_does_not_start_is_no_silent_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    from app.deidentify import sources

    def broken(group: str) -> list[object]:
        class Entry:
            name = "my-masks"

            @staticmethod
            def load() -> object:
                raise ImportError("no such package")

        return [Entry()]

    assert sources.installed_sources() == []
    monkeypatch.setattr(sources, "entry_points", broken)
    with pytest.raises(ModelError, match="my-masks"):
        sources.installed_sources()
