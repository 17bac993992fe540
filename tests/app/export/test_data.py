"""The data files, read back as somebody else's program would."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import theatre
import trimesh
from theatre import BODY, CAMERA, N, Theatre, make_theatre

from app.export.run import run_export
from app.pipeline.job import Control
from app.review.types import DeidSettings, ExportRequest
from backends.body import BodyParams, posed_vertices
from backends.confidence import confidence_rgb, vertex_mm
from backends.keypoints.layout import KEYPOINT_NAMES


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    made = make_theatre(tmp_path_factory.mktemp("data"))
    made.run({1: range(N), 2: range(3, N)})
    yield made
    made.store.close()
    made.footage.close()


def export(stage: Theatre, folder: Path, *kinds: str, **request: object) -> Path:
    wanted = ExportRequest(folder, kinds, **request)  # type: ignore[arg-type]
    run_export(stage.store, stage.footage, BODY, wanted, DeidSettings(), Control(), lambda event: None)
    return folder


def test_coco_has_seventeen_points_and_six_of_the_feet(stage: Theatre, tmp_path: Path) -> None:
    hidden = theatre.record(2, 5)
    hidden.estimate.keypoints.visibility[3] = 0
    with stage.store.transaction():
        stage.store.put_person(hidden)
    data = json.loads((export(stage, tmp_path, "coco") / "clip_keypoints.json").read_text())
    assert len(data["images"]) == N
    assert [i["id"] for i in data["images"]] == list(range(N))
    times = [i["time_s"] for i in data["images"]]
    np.testing.assert_allclose(times, stage.footage.times, atol=1e-6)
    (category,) = data["categories"]
    assert category["keypoints"] == list(KEYPOINT_NAMES[:17])
    assert category["foot_keypoints"] == list(KEYPOINT_NAMES[17:])
    assert len(data["annotations"]) == N + N - 3
    assert len({a["id"] for a in data["annotations"]}) == len(data["annotations"])
    for a in data["annotations"]:
        points = np.array(a["keypoints"] + a["foot_kpts"]).reshape(23, 3)
        truth = theatre.record(a["track_id"], a["image_id"]).estimate.keypoints
        if (a["track_id"], a["image_id"]) == (2, 5):
            np.testing.assert_array_equal(points[3], 0)
            assert a["num_keypoints"] == 16
        else:
            np.testing.assert_allclose(points[:, :2], truth.xy, atol=0.006)
            assert (points[:, 2] == 2).all()


def test_coco_of_nobody_is_whole_json(stage: Theatre, tmp_path: Path) -> None:
    with stage.store.transaction() as db:
        db.execute("UPDATE tracks SET state = 'deleted'")
    data = json.loads((export(stage, tmp_path, "coco") / "clip_keypoints.json").read_text())
    with stage.store.transaction() as db:
        db.execute("UPDATE tracks SET state = 'kept'")
    assert data["annotations"] == []
    assert len(data["images"]) == N


def test_smplx_arrays_give_the_same_bodies_back(stage: Theatre, tmp_path: Path) -> None:
    with np.load(export(stage, tmp_path, "smplx") / "clip_smplx.npz", allow_pickle=False) as data:
        assert data["people"].tolist() == [1, 2]
        np.testing.assert_array_equal(data["2/frames"], np.arange(3, N))
        np.testing.assert_allclose(data["camera/K"], CAMERA.K)
        assert np.linalg.norm(data["camera/up"]) == pytest.approx(1.0)
        assert data["1/body_pose"].shape == (N, 63)
        assert data["1/left_hand_pose"].shape == data["1/right_hand_pose"].shape == (N, 45)
        assert data["1/jaw_pose"].shape == data["1/transl"].shape == data["1/global_orient"].shape == (N, 3)
        pose = np.zeros((55, 3))
        pose[0], pose[1:22] = data["1/global_orient"][7], data["1/body_pose"][7].reshape(21, 3)
        pose[22] = data["1/jaw_pose"][7]
        pose[25:40], pose[40:] = (data[f"1/{s}_hand_pose"][7].reshape(15, 3) for s in ("left", "right"))
        back = BodyParams(data["1/betas"][7].astype(float), pose, data["1/transl"][7].astype(float))
    away = posed_vertices(BODY, back) - posed_vertices(BODY, theatre.body_at(1, 7))
    assert np.abs(away).max() < 1e-4


@pytest.mark.parametrize("suffix", ["obj", "ply", "glb"])
def test_meshes_come_back_whole_and_upright(stage: Theatre, tmp_path: Path, suffix: str) -> None:
    folder = export(stage, tmp_path, f"meshes_{suffix}", first=2, last=3) / f"clip_meshes_{suffix}"
    assert sorted(p.name for p in folder.iterdir()) == [
        f"000002_person1.{suffix}", f"000003_person1.{suffix}", f"000003_person2.{suffix}",
    ]  # fmt: skip
    mesh = trimesh.load(folder / f"000003_person2.{suffix}", force="mesh", process=False, maintain_order=True)
    expected = posed_vertices(BODY, theatre.body_at(2, 3)) * [1, -1, -1]
    assert len(mesh.faces) == len(BODY.faces)
    np.testing.assert_allclose(np.sort(mesh.vertices, axis=0), np.sort(expected, axis=0), atol=1e-5)
    head = expected[BODY.head_vertices].mean(axis=0)
    assert head[1] > expected.mean(axis=0)[1]


@pytest.mark.parametrize("suffix", ["ply", "glb"])
def test_meshes_carry_the_colours_of_their_confidence(stage: Theatre, tmp_path: Path, suffix: str) -> None:
    folder = export(stage, tmp_path, f"meshes_{suffix}", first=2, last=2) / f"clip_meshes_{suffix}"
    mesh = trimesh.load(folder / f"000002_person1.{suffix}", force="mesh", process=False, maintain_order=True)
    confidence = theatre.record(1, 2).confidence
    assert confidence is not None
    expected = confidence_rgb(vertex_mm(BODY, confidence))
    found = np.asarray(mesh.visual.vertex_colors)[:, :3]
    assert (
        np.abs(np.sort(found, axis=0).astype(int) - np.sort(expected, axis=0)).max() <= 3
    )  # errors are stored in 16 bits


def test_a_folder_of_meshes_is_replaced_as_a_whole(stage: Theatre, tmp_path: Path) -> None:
    folder = export(stage, tmp_path, "meshes_ply", first=2, last=4) / "clip_meshes_ply"
    export(stage, tmp_path, "meshes_ply", first=9, last=9, overwrite=True)
    assert sorted(p.name for p in folder.iterdir()) == ["000009_person1.ply", "000009_person2.ply"]


def test_the_table_has_one_row_a_person_and_frame_in_millimetres(stage: Theatre, tmp_path: Path) -> None:
    with (export(stage, tmp_path, "csv") / "clip_confidence.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == N + N - 3
    row = next(r for r in rows if r["frame"] == "7" and r["person"] == "1")
    assert float(row["time_s"]) == pytest.approx(stage.footage.times[7], abs=1e-6)
    assert float(row["mean_error_mm"]) == 42.0
    assert float(row["nose_error_mm"]) == pytest.approx(5, abs=0.1)
    assert float(row["right_heel_error_mm"]) == pytest.approx(150, abs=0.1)
    assert "name" not in row


def test_the_table_says_where_a_body_passes_through_itself(stage: Theatre, tmp_path: Path) -> None:
    through = theatre.record(1, 4)
    assert through.body is not None
    pose = through.body.params.pose.copy()
    pose[16] = (0.0, 0.0, -2.0)  # the left arm into the chest
    params = BodyParams(through.body.params.betas, pose, through.body.params.transl)
    with stage.store.transaction():
        stage.store.put_person(replace(through, body=replace(through.body, params=params)))
    with (export(stage, tmp_path, "csv") / "clip_confidence.csv").open(newline="", encoding="utf-8") as file:
        rows = {(int(r["frame"]), int(r["person"])): r for r in csv.DictReader(file)}
    with stage.store.transaction():
        stage.store.put_person(theatre.record(1, 4))
    assert float(rows[4, 1]["self_overlap_mm"]) > 20
    assert rows[4, 1]["self_overlap"].startswith("left_")
    assert rows[4, 2]["self_overlap"] == rows[4, 2]["self_overlap_mm"] == ""
