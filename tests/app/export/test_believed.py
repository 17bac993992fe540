"""Limbs that nobody saw are not drawn, and whoever is there stays covered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from theatre import BODY, HEIGHT, WIDTH, Theatre, make_theatre, record

from app.audit.known import KnownPeople
from app.audit.record import CoverageRecord
from app.datasets.open import open_truth
from app.datasets.types import TruthView
from app.deidentify.plan import DeidPlan
from app.export.believed import guess_belief
from app.export.frames import FrameCoverer
from app.footage import Footage
from app.pipeline.engine import default_engine
from app.pipeline.events import Event
from app.pipeline.job import Control
from app.pipeline.run import run_pipeline
from app.project.records import PersonRecord
from app.project.store import ProjectStore
from app.review.deid import read_deid
from app.review.opening import create_project
from app.review.types import DeidSettings, RunOptions
from app.synthesize import SynthesisRequest, run_synthesis
from backends.keypoints.types import Source, Visibility
from backends.masks import encode_mask

ALL = DeidSettings(background="original", look="shaded", believed_only=False)
BELIEVED = replace(ALL, believed_only=True)


def quiet(event: Event) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def operation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ProjectStore, Footage, TruthView]]:
    """A few frames of the operating room, where two surgeons stand behind the table, and what a run found."""
    folder = tmp_path_factory.mktemp("or")
    request = SynthesisRequest(
        folder / "or", preset="or", cameras=1, seconds=0.2, width=960, height=540, seed=7, clouds=False
    )
    run_synthesis(request, Control(), quiet)
    view = open_truth(folder / "or").views[0]
    assert isinstance(view.source, Path)
    store, footage = create_project(view.source, folder / "or.understudy")
    with footage:
        run_pipeline(store, footage, default_engine(), RunOptions(), Control(), quiet)
        yield store, footage, view
    store.close()


def outside_and_heads(
    operation: tuple[ProjectStore, Footage, TruthView], settings: DeidSettings
) -> tuple[float, float, np.ndarray]:
    """Drawn pixels that are nobody's, as a share of all drawn; hidden share of heads; covered pixels."""
    store, footage, view = operation
    coverer = FrameCoverer(store, BODY, store.camera(), settings, None)
    bare = FrameCoverer(store, BODY, store.camera(), replace(settings, fill="remove"), None)
    outside = drawn = 0
    heads, covered = [], []
    for index in range(view.n_frames):
        image = footage.frame(index)
        shown, mask = coverer.cover_with_mask(index, image)
        body = cv2.absdiff(shown, bare.cover(index, image)).max(axis=2) > 6
        people, head = np.zeros((2, *mask.shape), np.bool_)
        for person in view.frame(index).people:
            assert person.mask is not None
            assert person.head_mask is not None
            person.mask.paint(people)
            person.head_mask.paint(head)
        rim = cv2.dilate(people.view(np.uint8), np.ones((7, 7), np.uint8)) > 0
        outside += int((body & ~rim).sum())
        drawn += int(body.sum())
        heads.append(float(mask[head].mean()))
        covered.append(mask)
    return outside / drawn, min(heads), np.array(covered)


def test_invented_legs_behind_a_table_are_not_drawn_and_nobody_is_covered_less(
    operation: tuple[ProjectStore, Footage, TruthView],
) -> None:
    before, heads_before, covered_before = outside_and_heads(operation, ALL)
    after, heads_after, covered_after = outside_and_heads(operation, BELIEVED)

    assert after < 0.8 * before
    assert heads_after == heads_before
    assert not (covered_before & ~covered_after).any()


def half(person: PersonRecord, rows: slice) -> PersonRecord:
    """What a run would have found behind a table: a mask of these rows only."""
    mask = person.estimate.mask
    assert mask is not None
    seen = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask.paint(seen)
    seen[: rows.start or 0] = False
    seen[rows.stop :] = False
    return replace(person, estimate=replace(person.estimate, mask=encode_mask(seen, 0, 0)))


def legs_drawn(stage: Theatre, frame: int, settings: DeidSettings = BELIEVED) -> float:
    """How much of person 2's shins is drawn, compared with all that is drawn of them at best."""
    coverer = FrameCoverer(stage.store, BODY, stage.store.camera(), settings, None)
    bare = FrameCoverer(stage.store, BODY, stage.store.camera(), replace(settings, fill="remove"), None)
    image = stage.footage.frame(frame)
    change = cv2.absdiff(coverer.cover(frame, image), bare.cover(frame, image)).max(axis=2)
    knee = int(record(2, frame).estimate.keypoints.xy[13, 1])
    ankle = int(record(2, frame).estimate.keypoints.xy[15, 1])
    return float((change[knee + 4 : ankle - 4] > 6).sum())


def test_a_limb_fades_in_and_out_over_some_frames(tmp_path: Path) -> None:
    stage = make_theatre(tmp_path)
    n, waist = 24, int(record(2, 0).estimate.keypoints.xy[11, 1]) + 4
    hidden = range(8, 16)
    people = [half(record(2, f), slice(0, waist if f in hidden else HEIGHT)) for f in range(n)]
    stage.store.store_chunk(0, n - 1, people, {})
    whole = legs_drawn(stage, 2, ALL)
    shares = [legs_drawn(stage, f) / whole for f in (2, 12, 21)]
    assert shares[0] > 0.9
    assert shares[1] < 0.05
    assert shares[2] > 0.9
    # A frame in which the mask misses the legs is bridged: nothing flickers.
    one = [half(record(2, f), slice(0, waist if f == 12 else HEIGHT)) for f in range(n)]
    stage.store.store_chunk(0, n - 1, one, {})
    assert legs_drawn(stage, 12) / whole > 0.9
    stage.store.close()


def test_whom_a_person_has_corrected_is_believed(tmp_path: Path) -> None:
    stage = make_theatre(tmp_path)
    waist = int(record(2, 0).estimate.keypoints.xy[11, 1]) + 4
    people = []
    for frame in range(24):
        person = half(record(2, frame), slice(0, waist))
        keypoints = person.estimate.keypoints
        keypoints.source[13:] = Source.PERSON
        keypoints.visibility[13:] = Visibility.VISIBLE
        people.append(person)
    stage.store.store_chunk(0, 23, people, {})
    assert legs_drawn(stage, 10) > 0.9 * legs_drawn(stage, 10, ALL)
    for person in people:
        person.estimate.keypoints.visibility[13:] = Visibility.OCCLUDED
    stage.store.store_chunk(0, 23, [half(p, slice(0, HEIGHT)) for p in people], {})
    assert legs_drawn(stage, 10) < 0.05 * legs_drawn(stage, 10, ALL)
    stage.store.close()


def test_the_choice_is_stored_and_an_older_project_draws_what_is_believed() -> None:
    assert read_deid({"cover": "whole"}).believed_only
    assert not read_deid({"believed_only": False}).believed_only


def test_without_a_mask_the_keypoints_speak(tmp_path: Path) -> None:
    stage = make_theatre(tmp_path)
    for sure in (False, True):
        people = [record(2, frame) for frame in range(24)]
        people = [replace(p, estimate=replace(p.estimate, mask=None)) for p in people]
        for person in people:
            if not sure:
                person.estimate.keypoints.visibility[13:] = Visibility.OCCLUDED
                person.estimate.keypoints.score[13:] = 0.05
        stage.store.store_chunk(0, 23, people, {})
        shown, every = (
            FrameCoverer(stage.store, BODY, stage.store.camera(), settings, None).cover(
                10, stage.footage.frame(10)
            )
            for settings in (BELIEVED, ALL)
        )
        assert (shown == every).all() == sure
        knee = int(people[0].estimate.keypoints.xy[13, 1])
        assert (cv2.absdiff(shown[knee:], every[knee:]).max(axis=2) > 20).any() != sure
    stage.store.close()


def test_a_guess_where_somebody_was_found_is_covered_and_not_drawn(tmp_path: Path) -> None:
    stage = make_theatre(tmp_path)
    # Person 1 is lost for some frames in which somebody with another number stands at the same place.
    people = [record(1, f) for f in (*range(4), *range(12, 24))]
    people += [replace(record(1, f), track_id=2) for f in range(4, 12)]
    stage.store.store_chunk(0, 23, people, {})
    coverer = FrameCoverer(stage.store, BODY, stage.store.camera(), BELIEVED, None)
    image = stage.footage.frame(7)
    found = coverer.whereabouts.at(7)
    assert [p.track.track_id for p in found if p.slack > 0] == [1]
    assert [guess_belief(p, found) for p in found] == [0.0, 1.0]
    out, covered = coverer.cover_with_mask(7, image)
    every, covered_every = FrameCoverer(
        stage.store, BODY, stage.store.camera(), ALL, None
    ).cover_with_mask(7, image)  # fmt: skip
    assert (out != every).any()
    assert (covered == covered_every).all()
    # The room may look there as the camera saw it: that alone is no head that can be seen.
    claimed, nothing = CoverageRecord(HEIGHT, WIDTH), CoverageRecord(HEIGHT, WIDTH)
    claimed.add(7, image, image, np.ones((HEIGHT, WIDTH), np.bool_))
    nothing.add(7, image, image, np.zeros((HEIGHT, WIDTH), np.bool_))
    cases = ((claimed, BELIEVED, [2]), (claimed, ALL, [1, 2]), (nothing, BELIEVED, [1, 2]))
    for noted, settings, heads in cases:
        known = KnownPeople(stage.store, 20.0, DeidPlan(settings), noted)
        assert sorted(h.track_id for h in known.heads(7)) == heads
    stage.store.close()
