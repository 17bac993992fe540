"""A project's own body: chosen by the run, kept with the project, honest about its confidence."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from app.errors import ModelError, ProjectError
from app.export.run import run_export
from app.models.bodies import FREE_REF, BodyRef
from app.models.store import ModelStore
from app.pipeline.bodies import confidence_words, project_body, project_ref
from app.pipeline.job import Control
from app.pipeline.run import run_pipeline
from app.review.opening import create_project, open_project
from app.review.session import Session
from app.review.types import DeidSettings, ExportRequest, RunOptions
from backends.body import BodyModel


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


actors = _load(Path(__file__).with_name("actors.py"))
like_smpl = _load(Path(__file__).parents[2] / "backends" / "body" / "like_smpl.py")
N = 12


class Place:
    """A clip, a body file, and where the project of the clip is."""

    def __init__(self, folder: Path) -> None:
        self.clip = actors.write_clip(folder / "clip.mp4", N)
        self.file = folder / "Mine.npz"
        self.model: BodyModel = like_smpl.smpl_like(self.file, "smpl", own_mesh=True)
        self.project = folder / "p.understudy"

    def run(self, project: Path, body: str | None, **options: Any) -> dict[str, Any]:
        """Run a project that is there, or a new one."""
        made = open_project(project) if project.exists() else create_project(self.clip, project)
        store, footage = made
        with footage:
            try:
                engine = actors.engine(actors.Script(people=1))
                chosen = RunOptions(body=body, **options)
                return run_pipeline(store, footage, engine, chosen, Control(), lambda event: None)
            finally:
                store.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = Place(tmp_path_factory.mktemp("bodies"))
    made.summary = made.run(made.project, str(made.file))  # type: ignore[attr-defined]
    return made


def test_a_file_of_ones_own_is_fitted_and_kept(place: Place) -> None:
    summary = place.summary  # type: ignore[attr-defined]
    assert summary["people"] == 1
    assert summary["body"] == "SMPL (Mine.npz)"
    assert "free body" in summary["confidence_note"]
    store, footage = open_project(place.project)
    try:
        assert project_ref(store).path == str(place.file)
        body = project_body(store)
        assert body.n_vertices == place.model.n_vertices
        person = store.people(6)[0]
        assert person.body is not None
        assert person.confidence is not None
        assert person.body.rms_px < 4.0
    finally:
        store.close()
        footage.close()


def test_the_window_and_the_export_speak_of_it(place: Place, tmp_path: Path) -> None:
    session = Session.open_project(place.project)
    try:
        assert session.body_name == "SMPL (Mine.npz)"
        assert session.model.n_vertices == place.model.n_vertices
        scene = session.scene(6)
        assert scene.people[0].vertices is not None
        assert len(scene.people[0].vertices) == place.model.n_vertices
        assert "not proven" in session.confidence_note
        session.begin_drag(6, 1, 9)
        x, y = scene.people[0].xy[9]
        moved = session.drag(float(x) + 6, float(y))
        assert moved.vertices is not None
        session.end_drag()
        session.undo()
    finally:
        session.close()
    store, footage = open_project(place.project)
    try:
        request = ExportRequest(tmp_path, ("smplx", "meshes_ply"), last=2, report=False)
        run_export(
            store, footage, project_body(store), request, DeidSettings(), Control(), lambda event: None
        )
    finally:
        store.close()
        footage.close()
    with np.load(tmp_path / "p_smplx.npz", allow_pickle=False) as data:
        assert str(data["body"]) == "SMPL"
        assert data["1/body_pose"].shape == (3, 69)
        assert "1/carried_mm" not in data
    manifest = json.loads((tmp_path / "p_manifest.json").read_text(encoding="utf-8"))
    assert manifest["body"] == "SMPL"
    assert len(manifest["body_sha256"]) == 64
    assert "not proven" in manifest["confidence"]


def test_frames_of_two_bodies_are_not_mixed(place: Place) -> None:
    with pytest.raises(ProjectError, match="run again from the start"):
        place.run(place.project, "free")
    assert place.run(place.project, None)["body"] == "SMPL (Mine.npz)"


def test_a_restart_keeps_the_body_or_takes_another(place: Place, tmp_path: Path) -> None:
    project = tmp_path / "again.understudy"
    place.run(project, None, last=3)
    assert place.run(project, str(place.file), restart=True, last=3)["body"] == "SMPL (Mine.npz)"
    assert place.run(project, None, restart=True, last=3)["body"] == "SMPL (Mine.npz)"
    with pytest.raises(ModelError, match="There is no file"):
        place.run(project, str(tmp_path / "gone.npz"), restart=True)
    store, footage = open_project(project)
    assert store.people(2), "nothing is lost for a body that is not there"
    store.close()
    footage.close()


def test_an_open_window_follows_a_run_with_another_body(place: Place, tmp_path: Path) -> None:
    project = tmp_path / "open.understudy"
    place.run(project, None, last=3)
    session = Session.open_project(project)
    try:
        before = session.model
        session.set_tolerance(70.0)
        place.run(project, str(place.file), restart=True, last=3)
        session.refresh()
        assert session.model is not before
        assert session.model.n_vertices == place.model.n_vertices
        assert session.tolerance_mm == 70.0
        vertices = session.scene(2).people[0].vertices
        assert vertices is not None
        assert len(vertices) == place.model.n_vertices
    finally:
        session.close()


def test_a_file_that_was_changed_or_lost_is_said(place: Place, tmp_path: Path) -> None:
    file, project = tmp_path / "Own.npz", tmp_path / "p.understudy"
    like_smpl.smpl_like(file, "smplh", own_mesh=True)
    place.run(project, str(file), last=2)
    file.write_bytes(place.file.read_bytes())
    with pytest.raises(ModelError, match="another file"):
        Session.open_project(project)
    file.unlink()
    with pytest.raises(ModelError, match=r"Own\.npz"):
        Session.open_project(project)


def test_bodies_by_their_names(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ModelStore(tmp_path)
    monkeypatch.setattr("app.models.bodies.ModelStore", lambda: store)
    with pytest.raises(ModelError, match="models add smplh"):
        place.run(tmp_path / "n.understudy", "smplh")
    store.add("smpl", place.file)
    assert place.run(tmp_path / "n.understudy", "smpl", last=2)["body"] == "SMPL"


def test_notes_that_make_no_sense_mean_the_free_body() -> None:
    assert BodyRef.of(None) is FREE_REF
    assert BodyRef.of({"id": 3}) is FREE_REF
    assert BodyRef.of({"path": "x"}) is FREE_REF
    assert confidence_words(FREE_REF) == ""
