"""All cameras of a room exported in one go."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.errors import Cancelled, ExportError, StorageError
from app.export.cameras import CameraExport, export_cameras
from app.pipeline.events import Event, FrameWritten, Listener, Progress, StagesPlanned, StageStarted
from app.pipeline.job import Control
from app.pipeline.tasks import export_cameras_task
from app.review.types import DeidSettings, ExportRequest
from tests.app.multiview import room as scene

CAMERAS = tuple(CameraExport(n, Path(f"{n}.understudy"), Path(f"{n}.mp4")) for n in ("a", "b", "c"))


def summary(name: str, *, verified: bool = True, n_open: int = 0) -> dict[str, Any]:
    return {
        "files": [f"{name}.mp4"], "outputs": [{"kind": "video", "path": f"{name}.mp4"}], "frames": 10,
        "uncovered": 0, "spared": 0, "verified": verified,
        "why_unverified": "" if verified else "not searched.",
        "audit": {"events": n_open, "open": n_open, "released": 0, "seconds": 1.0},
    }  # fmt: skip


def written(does: Callable[[str], dict[str, Any]], events: list[Event]) -> dict[str, Any]:
    def export(camera: CameraExport, listener: Listener) -> dict[str, Any]:
        listener(StagesPlanned((("video", "Writing the video"),)))
        listener(StageStarted("video", "Writing the video"))
        listener(Progress("video", 5, 10, 2.0, 3.0))
        return does(camera.name)

    return export_cameras(CAMERAS, export, ExportRequest(Path("out")), events.append)


def test_every_camera_is_a_stage_and_all_are_summed_up() -> None:
    events: list[Event] = []
    told = written(lambda name: summary(name, n_open=1 if name == "b" else 0, verified=name != "b"), events)
    assert [n for n, _ in events[0].stages] == ["camera a", "camera b", "camera c"]  # type: ignore[union-attr]
    assert sum(isinstance(e, StagesPlanned) for e in events) == 1
    texts = [e.text for e in events if isinstance(e, StageStarted)]
    assert texts == [f"{n}: Writing the video" for n in "abc"]
    left = [e.remaining_s for e in events if isinstance(e, Progress)]
    assert left[0] > left[-1], "the time that is left is that of all cameras"
    assert told["files"] == ["a.mp4", "b.mp4", "c.mp4"]
    assert told["frames"] == 30
    assert not told["verified"]
    assert told["audit"]["open"] == 1
    assert told["why_unverified"] == "b: not searched."
    assert [c["open"] for c in told["cameras"]] == [0, 1, 0]


def test_one_that_cannot_be_written_does_not_keep_the_others_from_it() -> None:
    def does(name: str) -> dict[str, Any]:
        if name == "b":
            raise ExportError("Somebody is lost from sight in 4 frames.")
        return summary(name)

    told = written(does, [])
    assert told["files"] == ["a.mp4", "c.mp4"]
    assert told["verified"]
    assert told["cameras"][1]["error"] == "Somebody is lost from sight in 4 frames."


def test_where_none_can_be_written_all_reasons_are_told() -> None:
    def does(name: str) -> dict[str, Any]:
        raise ExportError(f"No {name}.")

    with pytest.raises(ExportError, match=r"a: No a\.\nb: No b\.\nc: No c\."):
        written(does, [])


@pytest.mark.parametrize("error", [Cancelled("Stopped."), StorageError("The disk is full.")])
def test_a_stop_and_a_full_disk_end_it_at_once(error: Exception) -> None:
    begun = []

    def does(name: str) -> dict[str, Any]:
        begun.append(name)
        raise error

    with pytest.raises(type(error)):
        written(does, [])
    assert begun == ["a"]


def test_the_range_is_that_of_the_moment() -> None:
    late = CameraExport("b", Path("b"), Path("b"), shift=3)
    wanted = late.of(ExportRequest(Path("out"), first=2, last=9))
    assert (wanted.first, wanted.last) == (5, 12)
    early = CameraExport("b", Path("b"), Path("b"), shift=-4)
    assert early.of(ExportRequest(Path("out"), first=2, last=9)).first == 0
    assert late.of(ExportRequest(Path("out"))).first is None


def test_people_have_the_same_number_in_the_files_of_all_cameras(tmp_path: Path) -> None:
    out = scene.make_projects(tmp_path)
    cameras = tuple(
        CameraExport(n, out / f"{n}.understudy", tmp_path / f"{n}.mp4", shift)
        for n, shift in zip(scene.NAMES, (0, 2, 0))
    )
    events: list[Event] = []
    request = ExportRequest(tmp_path / "export", ("coco",), 8, 9, report=False)
    told = export_cameras_task(Control(), events.append, cameras, request, DeidSettings())
    assert [c["error"] for c in told["cameras"]] == [""] * 3
    assert not any(isinstance(e, FrameWritten) for e in events)
    noses: list[dict[int, list[float]]] = []
    for name in scene.NAMES:
        said = json.loads((tmp_path / "export" / f"{name}_keypoints.json").read_text())
        people = {a["track_id"]: a for a in said["annotations"]}
        assert set(people) == {1, 2}
        noses.append({n: a["keypoints"][:2] for n, a in people.items()})
    # The same person's nose, in each camera, is where the truth has one person's, not the other's.
    truth = [[scene.keypoints_of(v, p, 9).xy[0] for p in range(2)] for v in range(3)]
    for v in range(3):
        apart = [
            abs(noses[v][1][0] - truth[v][p][0]) + abs(noses[v][1][1] - truth[v][p][1]) for p in range(2)
        ]
        assert (apart[0] < apart[1]) == (
            sum(abs(noses[0][1][i] - truth[0][0][i]) for i in range(2))
            < sum(abs(noses[0][1][i] - truth[0][1][i]) for i in range(2))
        )
