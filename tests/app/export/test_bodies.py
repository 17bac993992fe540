"""Exports that speak of another body than the fitted one."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import trimesh
from theatre import BODY, N, Theatre, body_at, make_theatre

from app.errors import ModelError
from app.export.run import run_export
from app.models.bodies import body_choices
from app.models.store import ModelStore
from app.pipeline.job import Control
from app.review.types import DeidSettings, ExportRequest
from backends.body import BodyModel, BodyParams, posed_joints, posed_vertices

_spec = importlib.util.spec_from_file_location(
    "like_smpl", Path(__file__).parents[2] / "backends" / "body" / "like_smpl.py"
)
assert _spec is not None
assert _spec.loader is not None
like_smpl = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(like_smpl)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    made = make_theatre(tmp_path_factory.mktemp("bodies"))
    made.run({1: range(N), 2: range(3, N)})
    yield made
    made.store.close()
    made.footage.close()


@pytest.fixture(scope="module")
def smpl(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BodyModel]:
    path = tmp_path_factory.mktemp("smpl") / "body.npz"
    return path, like_smpl.smpl_like(path)


def export(stage: Theatre, folder: Path, kind: str, body: str) -> Path:
    request = ExportRequest(folder, (kind,), first=0, last=5, body=body)  # type: ignore[arg-type]
    run_export(stage.store, stage.footage, BODY, request, DeidSettings(), Control(), lambda event: None)
    return folder


def test_bodies_are_written_as_smpl_takes_them(
    stage: Theatre, smpl: tuple[Path, BodyModel], tmp_path: Path
) -> None:
    path, model = smpl
    with np.load(export(stage, tmp_path, "smplx", str(path)) / "clip_smplx.npz", allow_pickle=False) as data:
        assert str(data["body"]) == "SMPL"
        assert data["1/body_pose"].shape == (6, 69)
        assert "1/left_hand_pose" not in data
        assert "1/jaw_pose" not in data
        assert np.ptp(data["1/betas"], axis=0).max() == 0, "one shape a person"
        assert data["1/carried_mm"].max() < 25
        for frame in (0, 5):
            pose = np.zeros((55, 3))
            pose[0], pose[1:22] = (
                data["1/global_orient"][frame],
                data["1/body_pose"][frame, :63].reshape(-1, 3),
            )
            carried = BodyParams(
                data["1/betas"][frame].astype(float), pose, data["1/transl"][frame].astype(float)
            )
            gap = posed_joints(model, carried)[:22] - posed_joints(BODY, body_at(1, frame))[:22]
            assert np.linalg.norm(gap, axis=1).mean() < 0.025


def test_meshes_have_the_other_bodys_triangles(
    stage: Theatre, smpl: tuple[Path, BodyModel], tmp_path: Path
) -> None:
    path, model = smpl
    folder = export(stage, tmp_path, "meshes_ply", str(path)) / "clip_meshes_ply"
    mesh = trimesh.load(folder / "000002_person1.ply", process=False)
    assert len(mesh.vertices) == model.n_vertices
    free = posed_vertices(BODY, body_at(1, 2)) * [1, -1, -1]
    assert np.abs(mesh.vertices.mean(axis=0) - free.mean(axis=0)).max() < 0.05


def test_what_is_no_body_or_not_added_is_said(stage: Theatre, tmp_path: Path) -> None:
    no_body = tmp_path / "notes.npz"
    np.savez(no_body, a=np.zeros(3))
    with pytest.raises(ModelError, match=r"notes\.npz"):
        export(stage, tmp_path, "smplx", str(no_body))
    with pytest.raises(ModelError, match=r"gone\.npz"):
        export(stage, tmp_path, "smplx", str(tmp_path / "gone.npz"))
    assert not list(tmp_path.glob("clip_*")), "nothing was written"


def test_the_choices_say_which_files_have_been_added(
    monkeypatch: pytest.MonkeyPatch, stage: Theatre, tmp_path: Path
) -> None:
    store = ModelStore(tmp_path)
    choices = body_choices(store)
    assert [(c.id, c.ready) for c in choices] == [
        ("free", True), ("smplx", False), ("smplh", False), ("smpl", False),
    ]  # fmt: skip
    monkeypatch.setattr("app.models.bodies.ModelStore", lambda: store)
    with pytest.raises(ModelError, match="models add smplx"):
        export(stage, tmp_path, "smplx", "smplx")
    (tmp_path / "smpl").mkdir()
    like_smpl.smpl_like(tmp_path / "smpl" / "smpl.npz")
    assert body_choices(store)[-1].ready
    export(stage, tmp_path / "out", "smplx", "smpl")
