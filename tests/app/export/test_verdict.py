"""An export is searched before it gets its name, and the name says what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import theatre
from pydicom import dcmread
from theatre import Theatre, make_theatre

from app.audit.editing import AuditEditor
from app.audit.finish import finish_verification, may_be_verified
from app.audit.store import read_events, store_result
from app.audit.types import AuditResult, LeakEvent, Search
from app.deidentify.codes import CLEAN_VISUAL_FEATURES
from app.deidentify.editing import PlanEditor, read_plan
from app.errors import Cancelled, ExportError, FootageError, ModelError, StorageError
from app.export import verdict
from app.export.names import DICOM, DICOM_UNVERIFIED, MANIFEST, UNVERIFIED, VERIFIED
from app.export.run import run_export
from app.models.store import ModelStore, file_sha256
from app.pipeline.events import Event, Progress, StageStarted, Warned
from app.pipeline.job import Control
from app.project.edits import EditLog
from app.review.types import DeidSettings, ExportKind, ExportRequest
from backends.background import Plate

SOLID = DeidSettings(fill="solid", background="original")
_JPEG = cv2.imencode(".jpg", np.full((30, 30, 3), 90, np.uint8))[1].tobytes()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Theatre]:
    made = make_theatre(tmp_path / "theatre", n=12)
    made.run({1: range(12), 2: range(12)}, last=11)
    yield made
    made.store.close()
    made.footage.close()


def export(
    stage: Theatre,
    folder: Path,
    events: list[Event] | None = None,
    control: Control | None = None,
    kinds: tuple[ExportKind, ...] = ("video",),
    **more: object,
) -> dict[str, object]:
    request = ExportRequest(folder, kinds, **more)  # type: ignore[arg-type]
    heard = events if events is not None else []
    return run_export(
        stage.store, stage.footage, theatre.BODY, request, SOLID, control or Control(), heard.append
    )


def names(folder: Path) -> list[str]:
    return sorted(p.name.removeprefix("clip") for p in folder.iterdir())


def leak(first: int = 3, last: int = 5, x: float = 20.0) -> LeakEvent:
    frames = np.arange(first, last + 1)
    boxes = np.tile(np.float32([x, 20, x + 30, 55]), (len(frames), 1))
    return LeakEvent("1", "face", None, frames, boxes, first, last, 0.8, 2, "CenterFace")


def finds(monkeypatch: pytest.MonkeyPatch, *events: LeakEvent) -> None:
    """Let the search find these, whatever is in the file: what comes of findings is what is tested."""
    monkeypatch.setattr(verdict, "require_audit_networks", lambda: None)

    def search(path: Path, **more: object) -> AuditResult:
        return AuditResult(
            events, 12, 0.5, (Search("CenterFace", "centerface", "f" * 64),), 0, 11, 2, file_sha256(path),
            {e.event_id: _JPEG for e in events},
        )  # fmt: skip

    monkeypatch.setattr(verdict, "audit_file", search)


def test_a_video_in_which_nothing_is_found_is_verified(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finds(monkeypatch)
    heard: list[Event] = []
    out = tmp_path / "out"
    summary = export(stage, out, heard)
    assert summary["verified"] is True
    assert summary["audit"] == {"events": 0, "open": 0, "released": 0, "seconds": 0.5}
    assert names(out) == [VERIFIED, MANIFEST, "_report.html", "_report.pdf"]
    assert summary["report"] == str(out / "clip_report.html")
    assert not [e for e in heard if isinstance(e, Warned)]
    manifest = json.loads((out / f"clip{MANIFEST}").read_text())
    assert manifest["verified"] is True
    assert manifest["audit"]["searches"] == [
        {"name": "CenterFace", "network": "centerface", "sha256": "f" * 64}
    ]  # fmt: skip
    assert [c["code"] for c in manifest["dicom_codes"] if c["applies"]] == ["113102"]


def test_the_search_is_given_what_was_followed_through_the_recording(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finds(monkeypatch)
    watched: list[int] = []

    class Watcher(verdict.FollowedHeads):
        def see(self, frame: int, image: np.ndarray) -> None:
            assert image.shape == (theatre.HEIGHT, theatre.WIDTH, 3)
            watched.append(frame)
            super().see(frame, image)

    asked: list[object] = []
    search = verdict.audit_file
    monkeypatch.setattr(verdict, "FollowedHeads", Watcher)
    monkeypatch.setattr(
        verdict, "audit_file", lambda path, **more: asked.append(more["known"]) or search(path, **more)
    )
    export(stage, tmp_path / "out", first=2, last=9)
    assert watched == list(range(2, 10))
    assert [known.follows for known in asked] == [True]  # type: ignore[attr-defined]
    export(stage, tmp_path / "unsearched", first=2, last=9, audit=False)
    assert watched == list(range(2, 10)), "where nobody searches nobody watches"


def test_open_findings_are_in_the_name_in_the_project_and_in_words(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finds(monkeypatch, leak())
    heard: list[Event] = []
    summary = export(stage, tmp_path / "out", heard)
    assert summary["verified"] is False
    assert summary["audit"] == {"events": 1, "open": 1, "released": 0, "seconds": 0.5}
    assert UNVERIFIED in names(tmp_path / "out")
    assert VERIFIED not in names(tmp_path / "out")
    assert [e.state for e in read_events(stage.store)] == ["open"]
    assert any(isinstance(e, Warned) and "may be seen in one place" in e.text for e in heard)
    manifest = json.loads((tmp_path / "out" / f"clip{MANIFEST}").read_text())
    assert not any(c["applies"] for c in manifest["dicom_codes"])


def test_without_a_search_or_its_networks_nothing_is_called_verified(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Event] = []
    summary = export(stage, tmp_path / "a", heard, audit=False, report=False)
    assert (summary["verified"], summary["audit"], summary["report"]) == (False, None, None)
    assert names(tmp_path / "a") == [UNVERIFIED, MANIFEST]
    assert any(isinstance(e, Warned) and "not searched" in e.text for e in heard)

    def missing() -> None:
        raise ModelError(
            "The network centerface is not installed. Type: understudy models install centerface"
        )

    monkeypatch.setattr(verdict, "require_audit_networks", missing)
    heard.clear()
    summary = export(stage, tmp_path / "b", heard)
    assert (summary["verified"], summary["audit"]) == (False, None)
    assert any(isinstance(e, Warned) and "models install centerface" in e.text for e in heard)
    assert "could not be searched" in str(summary["why_unverified"])


def test_released_with_reasons_the_same_file_gets_its_name(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finds(monkeypatch, leak(), leak(8, 9, 120.0))
    out = tmp_path / "out"
    export(stage, out)
    digest = file_sha256(out / f"clip{UNVERIFIED}")
    editor = AuditEditor(stage.store, EditLog(stage.store))
    events = read_events(stage.store)
    editor.release(events[0].event_id, "a poster <b>")
    assert not may_be_verified(stage.store, out)
    with pytest.raises(ExportError, match="1 of 2 findings are open"):
        finish_verification(stage.store, out)
    editor.release(events[1].event_id, "the mannequin")
    assert may_be_verified(stage.store, out)
    done = finish_verification(stage.store, out)
    assert names(out) == [VERIFIED, MANIFEST, "_report.html", "_report.pdf"]
    assert file_sha256(Path(str(done["path"]))) == digest
    manifest = json.loads((out / f"clip{MANIFEST}").read_text())
    assert manifest["verified"] is True
    assert [e["reason"] for e in manifest["audit"]["events"]] == ["a poster <b>", "the mannequin"]
    assert all(e["who"] for e in manifest["audit"]["events"])
    page = (out / "clip_report.html").read_text()
    assert "Verified" in page
    assert "a poster &lt;b&gt;" in page
    assert not may_be_verified(stage.store, out)


def test_pictures_are_in_the_report_only_when_asked_for(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finds(monkeypatch, leak())
    export(stage, tmp_path / "a")
    assert "<img" not in (tmp_path / "a" / "clip_report.html").read_text()
    export(stage, tmp_path / "b", report_pictures=True)
    assert "<img" in (tmp_path / "b" / "clip_report.html").read_text()
    AuditEditor(stage.store, EditLog(stage.store)).release(read_events(stage.store)[0].event_id, "a poster")
    finish_verification(stage.store, tmp_path / "b")
    assert "<img" in (tmp_path / "b" / "clip_report.html").read_text()


def test_a_file_that_was_changed_or_searched_again_is_not_verified(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finds(monkeypatch, leak())
    out = tmp_path / "out"
    export(stage, out)
    AuditEditor(stage.store, EditLog(stage.store)).release(read_events(stage.store)[0].event_id, "a poster")
    video = out / f"clip{UNVERIFIED}"
    whole = video.read_bytes()
    video.write_bytes(whole + b"\0")
    with pytest.raises(ExportError, match="not the file that was searched"):
        finish_verification(stage.store, out)
    video.write_bytes(whole)
    store_result(stage.store, AuditResult((), 12, 1.0, (), 0, 11, 1, "another file"))
    store_result(stage.store, AuditResult((leak(),), 12, 1.0, (), 0, 11, 1, "yet another"))
    with pytest.raises(ExportError, match="later search"):
        finish_verification(stage.store, out)
    assert names(out) == [UNVERIFIED, MANIFEST, "_report.html", "_report.pdf"]


def test_what_was_covered_after_the_export_needs_another_one(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finds(monkeypatch, leak())
    out = tmp_path / "out"
    export(stage, out)
    AuditEditor(stage.store, EditLog(stage.store)).cover(read_events(stage.store)[0].event_id)
    with pytest.raises(ExportError, match="covered after"):
        finish_verification(stage.store, out)
    finds(monkeypatch)  # the cover holds
    summary = export(stage, out, overwrite=True)
    assert summary["verified"] is True
    assert names(out) == [VERIFIED, MANIFEST, "_report.html", "_report.pdf"]
    manifest = json.loads((out / f"clip{MANIFEST}").read_text())
    assert [e["state"] for e in manifest["audit"]["mended_earlier"]] == ["covered"]
    assert manifest["regions"][0]["mends"] == manifest["audit"]["mended_earlier"][0]["id"]


def test_a_damaged_or_missing_manifest_is_named(stage: Theatre, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="cannot be read"):
        finish_verification(stage.store, tmp_path)
    (tmp_path / f"clip{MANIFEST}").write_text("{")
    with pytest.raises(ExportError, match="damaged"):
        finish_verification(stage.store, tmp_path)


def test_stopping_in_the_search_leaves_nothing(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed()
    control = Control()
    out = tmp_path / "out"

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.stage == "audit" and event.done == 2:
            control.stop()

    request = ExportRequest(out, ("video",))
    with pytest.raises(Cancelled):
        run_export(stage.store, stage.footage, theatre.BODY, request, SOLID, control, stop)
    assert not out.exists()
    assert read_events(stage.store) == ()


def test_a_video_that_cannot_be_read_back_is_no_export(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finds(monkeypatch)

    def search(path: Path, **more: object) -> AuditResult:
        raise FootageError("Frame 3 is damaged and cannot be shown.")

    monkeypatch.setattr(verdict, "audit_file", search)
    with pytest.raises(FootageError):
        export(stage, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_where_findings_cannot_be_stored_the_video_stays_unverified(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finds(monkeypatch)

    def full(store: object, result: AuditResult) -> AuditResult:
        raise StorageError("The disk that holds clip.understudy is full.")

    monkeypatch.setattr(verdict, "store_result", full)
    summary = export(stage, tmp_path / "out")
    assert summary["verified"] is False
    assert "could not be stored" in str(summary["why_unverified"])
    assert UNVERIFIED in names(tmp_path / "out")


def installed() -> None:
    store = ModelStore()
    if not all(store.has(n) for n in ("centerface", "face-detector-full-range", "blazepose-detector")):
        pytest.skip("the audit's networks are not installed")


@pytest.mark.network_weights
def test_heads_that_the_export_leaves_open_are_found_by_arithmetic(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faces of one colour, that no network can see; the cover slips for two frames, one unsaid."""
    from app.export.frames import FrameCoverer, Prepared

    installed()
    prepare, paint = FrameCoverer.prepare, FrameCoverer.paint
    prepared: list[tuple[Prepared, int]] = []

    def numbered(
        self: FrameCoverer, index: int, rgb: np.ndarray, room: Plate | None = None
    ) -> Prepared:  # fmt: skip
        prepared.append((prepare(self, index, rgb, room), index))
        return prepared[-1][0]

    def slips(self: FrameCoverer, frame: Prepared, **rest: bool) -> tuple[np.ndarray, np.ndarray]:
        covered, mask = paint(self, frame, **rest)
        index = next(i for p, i in prepared if p is frame)
        if index == 4:
            return frame.rgb.copy(), np.zeros_like(mask)
        return (frame.rgb.copy() if index == 8 else covered), mask

    monkeypatch.setattr(FrameCoverer, "prepare", numbered)
    monkeypatch.setattr(FrameCoverer, "paint", slips)
    summary = export(stage, tmp_path / "out")
    heads = [e for e in read_events(stage.store) if e.kind == "head"]
    assert summary["verified"] is False
    assert {(e.track_id, f) for e in heads for f in e.frames} == {(1, 4), (2, 4), (1, 8), (2, 8)}


@pytest.mark.network_weights
def test_everybody_covered_is_verified_and_spared_people_are_not_findings(
    stage: Theatre, tmp_path: Path
) -> None:
    installed()
    heard: list[Event] = []
    assert export(stage, tmp_path / "a", heard)["verified"] is True
    stages = [e.stage for e in heard if isinstance(e, StageStarted)]
    assert stages == ["video", "check", "audit"]
    PlanEditor(stage.store, EditLog(stage.store)).spare(2, 0, 11, "the lecturer")
    summary = export(stage, tmp_path / "b")
    assert read_events(stage.store) == ()
    assert summary["verified"] is True
    manifest = json.loads((tmp_path / "b" / f"clip{MANIFEST}").read_text())
    assert not any(c["applies"] for c in manifest["dicom_codes"])
    assert "the lecturer" in (tmp_path / "b" / "clip_report.html").read_text()
    assert read_plan(stage.store).spared()


def test_dicom_is_made_from_the_video_and_becomes_verified_with_it(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finds(monkeypatch, leak())
    out = tmp_path / "out"
    export(stage, out, kinds=("dicom", "video"))
    assert {DICOM_UNVERIFIED, UNVERIFIED} <= set(names(out))
    event = read_events(stage.store)[0].event_id
    AuditEditor(stage.store, EditLog(stage.store)).release(event, "a poster")
    finish_verification(stage.store, out)
    assert {DICOM, VERIFIED} <= set(names(out))
    assert DICOM_UNVERIFIED not in names(out)
    codes = [c.CodeValue for c in dcmread(out / f"clip{DICOM}").DeidentificationMethodCodeSequence]
    assert CLEAN_VISUAL_FEATURES.value in codes
    manifest = json.loads((out / f"clip{MANIFEST}").read_text())
    output = next(o for o in manifest["outputs"] if o["kind"] == "dicom")
    assert output["sha256"] == file_sha256(out / output["name"])


def test_dicom_needs_the_video(stage: Theatre, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="Choose the video too"):
        export(stage, tmp_path / "out", kinds=("dicom",))
    assert not (tmp_path / "out").exists()
