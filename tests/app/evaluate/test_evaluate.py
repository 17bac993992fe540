"""A project weighed against truth that is known by construction."""

from __future__ import annotations

import json
import math
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from measured_room import (
    BODY,
    CAMERA,
    FPS,
    HEIGHT,
    WIDTH,
    MemoryView,
    N,
    empty_room,
    make_project,
    picture,
    shifted,
    truth_of,
)

from app.datasets.types import JointLayout, Points3D, TruePerson
from app.errors import Cancelled, ProjectError
from app.evaluate.errors import EvaluationError
from app.evaluate.evaluate import evaluate_project
from app.evaluate.heads import CoverageProbe
from app.evaluate.recording import Recording
from app.evaluate.samples import Samples
from app.footage import Footage
from app.pipeline.events import Event, Progress, StageStarted
from app.pipeline.job import Control
from app.project.records import PersonRecord
from app.project.store import ProjectStore
from app.review.types import DeidSettings
from backends.background import Plate, StillRoom
from backends.camera import assumed_camera
from backends.confidence.types import BodyConfidence
from backends.keypoints.layout import KEYPOINT_NAMES


def test_truth_as_prediction_has_no_error_in_any_metric(perfect_project: Path) -> None:
    report = evaluate_project(perfect_project, truth_of())
    judged = [r for r in report.rows if r.perfect is not None]
    assert {r.group for r in judged} == {"3d", "2d", "motion", "tracking", "masks", "faces", "confidence"}
    assert {r.key: r.value for r in judged if r.value != r.perfect} == {}
    assert len(judged) > 40
    assert (report.counts.matched, report.counts.missed, report.counts.extra) == (2 * N, 0, 0)
    assert report.row("jitter").value == report.row("true_jitter").value
    assert report.row("foot_sliding").value == report.row("true_foot_sliding").value
    assert report.row("interval_coverage").value == 100.0
    assert report.row("head_coverage").value == 100.0
    assert report.row("leak_events").value == 0


def test_every_number_says_its_joints_unit_alignment_and_samples(perfect_project: Path) -> None:
    report = evaluate_project(perfect_project, truth_of(), coverage=False)
    for r in report.rows:
        assert r.n > 0 or math.isnan(r.value), r
        if r.group in ("3d", "motion"):
            assert r.joint_set
            assert r.alignment
            assert r.unit
    labels = {r.joint_set for r in report.rows if r.key == "pa_mpjpe"}
    assert labels == {
        "23 keypoints (COCO body and feet)", "Human3.6M, 14 (3DPW's protocol)", "SMPL, 24",
        "Human3.6M, 17: 16 of 17 known",
    }  # fmt: skip
    assert report.row("mpjpe", "23 keypoints").n == 2 * N * 23


def test_the_recovered_room_is_weighed_against_the_true_one(perfect_project: Path) -> None:
    report = evaluate_project(perfect_project, truth_of(MemoryView(plate=empty_room())))
    assert 25 < report.row("room_psnr_behind").value < report.row("room_psnr").value < 60
    assert 0.9 < report.row("room_ssim").value <= 1.0
    assert any(what == "The empty room, LPIPS" and "lpips_alex.pth" in why for what, why in report.missing)
    darker = evaluate_project(perfect_project, truth_of(MemoryView(plate=empty_room() // 2)))
    assert darker.row("room_psnr").value < report.row("room_psnr").value - 10


@pytest.mark.parametrize(
    ("plate", "says"), [(None, "no picture of it"), (np.zeros((9, 9, 3), np.uint8), "another size")]
)
def test_a_room_that_cannot_be_weighed_is_said(
    perfect_project: Path, plate: np.ndarray | None, says: str
) -> None:
    report = evaluate_project(perfect_project, truth_of(MemoryView(plate=plate)))
    assert any(what == "The empty room" and says in why for what, why in report.missing)
    assert not any(r.group == "pictures" for r in report.rows)


def move_one(record: PersonRecord, frame: int) -> PersonRecord:
    """Person 1 is 50 mm too far to the right."""
    return shifted(record, (0.03, 0.0, 0.04)) if record.track_id == 1 else record


def test_a_person_50_mm_off_is_25_mm_on_average_and_nothing_relative_to_the_root(tmp_path: Path) -> None:
    report = evaluate_project(make_project(tmp_path, move_one), truth_of(), coverage=False)
    assert report.row("mpjpe_absolute", "23").value == pytest.approx(25.0, abs=1e-3)
    assert report.row("pve_absolute").value == pytest.approx(25.0, abs=1e-3)
    assert report.row("mpjpe", "23").value == pytest.approx(0.0, abs=1e-3)
    assert report.row("pve").value == pytest.approx(0.0, abs=1e-3)
    assert report.row("pixels").value > 0.1


def test_a_person_who_is_missed_one_too_many_and_a_change_of_name(tmp_path: Path) -> None:
    def spoil(record: PersonRecord, frame: int) -> PersonRecord | None:
        if record.track_id == 2 and frame >= N // 2:
            return None
        if record.track_id == 1 and frame >= N // 2:
            return replace(record, track_id=3)
        return record

    report = evaluate_project(make_project(tmp_path, spoil), truth_of(), coverage=False)
    assert (report.counts.missed, report.counts.extra) == (N // 2, 0)
    assert report.row("switches").value == 1
    # 18 of 24 found; of person 1 one half is right, of person 2 the half that was found.
    assert report.row("idf1").value == pytest.approx(100 * 2 * N / (2 * N + 1.5 * N))
    assert report.row("mota").value == pytest.approx(100 * (1.5 * N - 1) / (2 * N))
    assert report.row("ar").value == pytest.approx(75.0)

    def alone(person: TruePerson, frame: int) -> TruePerson | None:
        return person if person.person_id == 1 else None

    (tmp_path / "two").mkdir()
    path = make_project(tmp_path / "two")
    extra = evaluate_project(path, truth_of(MemoryView(change=alone)), coverage=False)
    assert extra.counts.extra == N
    assert any("match nobody" in w for w in extra.warnings)


def test_people_who_are_hardly_seen_are_neither_found_nor_missed(perfect_project: Path) -> None:
    def hide(person: TruePerson, frame: int) -> TruePerson:
        return replace(person, seen=0.05) if person.person_id == 2 else person

    report = evaluate_project(perfect_project, truth_of(MemoryView(change=hide)), coverage=False)
    assert report.counts.ignored == N
    assert (report.counts.missed, report.counts.extra) == (0, 0)
    assert report.row("hota").value == 100.0


def test_confidence_that_knows_who_is_wrong(tmp_path: Path) -> None:
    def spoil(record: PersonRecord, frame: int) -> PersonRecord:
        wrong = record.track_id == 2
        pose = record.body.params.pose.copy()
        if wrong:
            pose[18, 1] -= 1.4  # the left forearm points elsewhere
        mm = np.full(23, 10.0, np.float32)
        if wrong:
            mm[9] = 300.0
        params = replace(record.body.params, pose=pose)
        confidence = BodyConfidence(mm, np.full(55, 10.0, np.float32), 10.0)
        return replace(record, body=replace(record.body, params=params), confidence=confidence)

    report = evaluate_project(make_project(tmp_path, spoil), truth_of(), coverage=False)
    assert report.row("auroc").value == 1.0
    assert report.row("ause").value < 0.5
    assert report.row("mpjpe", "23").value > 5
    assert report.plots.joints[int(np.nanargmax(report.plots.joint_mm))] == "left_wrist"
    assert report.worst[0].person == 2
    assert 10 < report.worst[0].error_mm < 15  # one wrist of 23 that is about 280 mm off


def without_footage(project: Path) -> Path:
    """The same project when its footage is gone: only what is stored of people is covered."""
    (project.parent / "clip.mp4").unlink()
    return project


def test_a_head_without_a_cover_is_a_leak_with_its_length(tmp_path: Path) -> None:
    def spoil(record: PersonRecord, frame: int) -> PersonRecord | None:
        return None if record.track_id == 2 else record

    report = evaluate_project(without_footage(make_project(tmp_path, spoil)), truth_of())
    assert any("without the pictures" in w for w in report.warnings)
    assert report.row("leak_events").value == 1
    assert report.row("leak_frames").value == N
    assert report.row("longest_leak").value == pytest.approx(1000 * N / FPS, rel=1e-3)
    assert report.row("head_coverage").value == pytest.approx(50.0)
    assert report.row("face_recall").value == pytest.approx(50.0)


def test_a_leak_counts_even_where_hardly_anything_of_a_person_is_seen(tmp_path: Path) -> None:
    def hide(person: TruePerson, frame: int) -> TruePerson:
        return replace(person, seen=0.05)

    report = evaluate_project(
        without_footage(make_project(tmp_path, lambda r, i: r if r.track_id == 1 else None)),
        truth_of(MemoryView(change=lambda p, i: hide(p, i) if p.person_id == 2 else p)),
    )
    assert report.row("leak_events").value == 1


def test_a_truth_that_says_little_is_measured_as_far_as_it_goes(perfect_project: Path) -> None:
    def boxes_only(person: TruePerson, frame: int) -> TruePerson:
        return TruePerson(person.person_id, box=person.box)

    view = MemoryView(change=boxes_only, fps=None, camera=None)
    report = evaluate_project(perfect_project, truth_of(view))
    assert {what for what, _ in report.missing} == {
        "Bodies in space", "Keypoints in the picture", "Identities", "Masks", "Face recall",
        "Holistic recall", "Coverage and leaks", "The empty room", "Confidence",
    }  # fmt: skip
    assert report.counts.matched == 2 * N


def test_joints_in_space_are_projected_where_the_truth_labels_no_pictures(perfect_project: Path) -> None:
    def in_space(person: TruePerson, frame: int) -> TruePerson:
        return TruePerson(person.person_id, points_3d=person.points_3d[:1])

    report = evaluate_project(perfect_project, truth_of(MemoryView(change=in_space)), coverage=False)
    assert report.row("pixels").value < 1e-3
    assert "projected from the truth in space" in report.row("ap").joint_set
    assert report.row("hota").value == pytest.approx(100.0)
    blind = evaluate_project(
        perfect_project, truth_of(MemoryView(change=in_space, camera=None)), coverage=False
    )
    assert any(what == "Keypoints in the picture" for what, _ in blind.missing)


def test_a_truth_without_feet_is_stated_in_cocos_seventeen(perfect_project: Path) -> None:
    coco = JointLayout("coco17", KEYPOINT_NAMES[:17])

    def no_feet(person: TruePerson, frame: int) -> TruePerson:
        return replace(
            person, params=None, vertices=None, points_3d=(Points3D(coco, person.points_3d[0].xyz[:17]),)
        )

    report = evaluate_project(perfect_project, truth_of(MemoryView(change=no_feet)), coverage=False)
    labels = {r.joint_set for r in report.rows if r.key == "mpjpe"}
    assert "COCO, 17" in labels
    assert not any("23" in label for label in labels)
    assert report.row("auroc").joint_set == "COCO, 17"


def test_meshes_of_another_body_have_no_vertex_errors_and_it_says_why(perfect_project: Path) -> None:
    def smpl(person: TruePerson, frame: int) -> TruePerson:
        return replace(person, params=None, body=None, vertices=np.full((6890, 3), 4.0))

    report = evaluate_project(perfect_project, truth_of(MemoryView(change=smpl)), coverage=False)
    assert any("6890" in why for _, why in report.missing)
    assert report.row("pa_mpjpe", "23").value == 0.0
    with pytest.raises(KeyError):
        report.row("pve")


def test_joints_that_are_not_known_are_left_out_and_counted(perfect_project: Path) -> None:
    def holes(person: TruePerson, frame: int) -> TruePerson:
        xyz = person.points_3d[0].xyz.copy()
        if frame % 2:
            xyz[9] = np.nan
        return replace(person, points_3d=(Points3D(person.points_3d[0].layout, xyz),))

    report = evaluate_project(perfect_project, truth_of(MemoryView(change=holes)), coverage=False)
    row = report.row("mpjpe", "23")
    assert (row.n, row.unknown) == (2 * N * 23 - N, N)
    assert row.value == 0.0


def test_only_frames_that_were_processed_are_compared(tmp_path: Path) -> None:
    report = evaluate_project(make_project(tmp_path, last=3), truth_of(), coverage=False)
    assert report.counts.frames == 4
    assert any("4 of 12" in w for w in report.warnings)


def test_truth_of_a_moving_camera_is_judged_in_the_world(perfect_project: Path) -> None:
    class Moving(MemoryView):
        def frame(self, index):
            true = super().frame(index)
            return replace(true, camera=replace(CAMERA, t=np.array([0.1 * index**2, 0.0, 0.0])))

    moving = evaluate_project(perfect_project, truth_of(Moving()), coverage=False)
    still = evaluate_project(perfect_project, truth_of(), coverage=False)
    assert moving.row("acceleration_error").value == 0.0
    assert moving.row("acceleration_error").alignment == "none (world coordinates)"
    assert moving.row("true_jitter").value != still.row("true_jitter").value


def test_a_size_with_the_codecs_padding_is_taken_with_a_warning(perfect_project: Path) -> None:
    padded = replace(CAMERA, width=CAMERA.width + 8)
    report = evaluate_project(perfect_project, truth_of(MemoryView(camera=padded)), coverage=False)
    assert [w for w in report.warnings if "padding" in w] == [
        "The truth's pictures are 328 x 240 pixels, the project's 320 x 240. Taken for the codec's padding "
        "at the right and below."
    ]
    assert report.row("mpjpe").value == 0.0


def test_json_has_a_version_and_no_numbers_that_are_none(perfect_project: Path) -> None:
    report = evaluate_project(perfect_project, truth_of(), coverage=False, program="Understudy 1")
    said = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert (said["schema"], said["kind"]) == (1, "understudy-evaluation")
    assert said["counts"]["matched"] == 2 * N
    auroc = next(m for m in said["metrics"] if m["key"] == "auroc")
    assert auroc["value"] is None  # nothing was wrong, so nothing can be ranked
    assert said["per_joint_mm"]["left_wrist"] == 0.0


def test_it_tells_how_far_it_is_and_can_be_stopped(perfect_project: Path) -> None:
    events: list[Event] = []
    evaluate_project(perfect_project, truth_of(), coverage=False, listener=events.append)
    assert any(isinstance(e, StageStarted) for e in events)
    assert [e.done for e in events if isinstance(e, Progress)] == list(range(1, N + 1))
    control = Control()
    control.stop()
    with pytest.raises(Cancelled):
        evaluate_project(perfect_project, truth_of(), control=control)


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (MemoryView(n_frames=N + 1), "13 frames"),
        (MemoryView(fps=30.0), "30 frames/s"),
        (MemoryView(camera=assumed_camera(640, 480)), "640 x 480"),
        (MemoryView(people=()), "shows nobody"),
        (MemoryView(change=lambda p, i: TruePerson(p.person_id, box=np.array([0.0, 0, 3, 3]))), "matched"),
        (MemoryView(change=lambda p, i: replace(p, person_id=1)), "twice"),
    ],
    ids=["frames", "rate", "size", "nobody", "no match", "twice"],
)
def test_truth_of_something_else_is_refused(perfect_project: Path, view: MemoryView, words: str) -> None:
    with pytest.raises(EvaluationError, match=words):
        evaluate_project(perfect_project, truth_of(view), coverage=False)


def test_views_are_found_by_name_and_by_footage(perfect_project: Path, tmp_path: Path) -> None:
    clip = perfect_project.with_name("clip.mp4")
    other = MemoryView(name="cam02", people=(1,))
    mine = MemoryView(name="cam01", source=clip)
    assert evaluate_project(perfect_project, truth_of(other, mine), coverage=False).view == "cam01"
    named = evaluate_project(perfect_project, truth_of(other, mine), view="cam02", coverage=False)
    assert named.view == "cam02"
    with pytest.raises(EvaluationError, match="cam01"):
        evaluate_project(perfect_project, truth_of(other, mine), view="cam03")
    with pytest.raises(EvaluationError, match="--view"):
        evaluate_project(perfect_project, truth_of(other, replace_source(mine)))
    with pytest.raises(EvaluationError, match="no views"):
        evaluate_project(perfect_project, replace(truth_of(), views=()))


def replace_source(view: MemoryView) -> MemoryView:
    return MemoryView(name=view.name)


def test_a_project_that_is_none_or_was_not_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="no project"):
        evaluate_project(tmp_path / "none.understudy", truth_of())
    with pytest.raises(EvaluationError, match="processed"):
        evaluate_project(make_project(tmp_path, people=(), last=-1), truth_of())
    with pytest.raises(EvaluationError, match="tolerance"):
        evaluate_project(tmp_path / "clip.understudy", truth_of(), tolerance_mm=0.0)


def test_nobody_found_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="nobody was found"):
        evaluate_project(make_project(tmp_path, people=()), truth_of())


class StoodRecording(Recording):
    """Footage whose empty room is known for sure."""

    def __init__(self, room: np.ndarray) -> None:
        super().__init__(Path("nowhere"), Control(), lambda event: None)
        plate = Plate(room, np.ones(room.shape[:2], np.bool_), 1.0)
        self._still = StillRoom((plate,), (0,), (0,))

    def footage(self) -> Footage:
        pictures = SimpleNamespace(height=HEIGHT, width=WIDTH, frame=picture)
        return cast(Footage, pictures)

    def room(self) -> StillRoom:
        return self._still


def test_whoever_stands_before_the_empty_room_counts_as_covered_though_nobody_found_them(
    tmp_path: Path,
) -> None:
    path = make_project(tmp_path, lambda r, i: r if r.track_id == 1 else None)
    truth = MemoryView()
    with closing(ProjectStore.open(path)) as store:
        recordings = {
            "seen": StoodRecording(empty_room()),
            "blind": Recording(path.with_name("none"), Control(), print),
            "in the room": StoodRecording(picture(0)),
        }  # fmt: skip
        recordings["blind"].why = "gone"
        covered = {}
        for name, recording in recordings.items():
            samples = Samples()
            probe = CoverageProbe(
                store, BODY, CAMERA, DeidSettings(look="shaded"), recording, moving=False,
                true_room=empty_room(),
            )  # fmt: skip
            probe.add(0, 0, 1, list(truth.frame(0).people), samples)
            covered[name] = [float(samples.heads[p].covered[0]) for p in (1, 2)]
            assert probe.blind == (name == "blind")
    assert covered["seen"] == pytest.approx([1.0, 1.0], abs=0.02)
    assert covered["blind"][1] == 0.0
    # Somebody who came into the room is replaced by themselves.
    assert covered["in the room"][1] < 0.1
