"""The whole export: nobody is left, nothing half-written stays, everything says what it is."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import theatre
from theatre import N, Theatre, make_theatre, skin, stamps

from app.errors import Cancelled, ExportError, FootageError, StorageError
from app.export.atomic import written_whole
from app.export.names import UNVERIFIED, VERIFIED
from app.export.run import run_export
from app.footage import open_footage
from app.footage.writer import VideoWriter
from app.pipeline.events import Event, Progress, StageStarted, Warned
from app.pipeline.job import Control
from app.review.types import DeidSettings, ExportRequest

EVERYBODY = {1: range(N), 2: range(N)}
ORIGINAL = DeidSettings(background="original")


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("theatre")
    made = make_theatre(folder)
    made.store.close()
    made.footage.close()
    (folder / "clip.understudy").unlink()
    return folder


@pytest.fixture
def stage(clip_folder: Path, tmp_path: Path) -> Iterator[Theatre]:
    """A project that nothing has been found in yet."""
    from app.review.opening import create_project

    store, footage = create_project(clip_folder / "clip.mp4", tmp_path / "case 7.understudy")
    yield Theatre(store, footage)
    store.close()
    footage.close()


def export(
    stage: Theatre,
    folder: Path,
    *kinds: str,
    deid: DeidSettings = ORIGINAL,
    control: Control | None = None,
    events: list[Event] | None = None,
    **request: object,
) -> dict[str, object]:
    asked = {"audit": False, **request}  # what the search does to an export: see test_verdict.py
    wanted = ExportRequest(folder, kinds or ("video",), **asked)  # type: ignore[arg-type]
    heard = events if events is not None else []
    return run_export(
        stage.store, stage.footage, theatre.BODY, wanted, deid, control or Control(), heard.append
    )


def exported_frames(folder: Path) -> list[np.ndarray]:
    with open_footage(folder / f"case 7{UNVERIFIED}") as video:
        return [frame for _, frame in video.iter_frames()]


@pytest.mark.parametrize(
    "deid",
    [
        DeidSettings(),
        ORIGINAL,
        DeidSettings(fill="solid", background="original"),
        DeidSettings(fill="solid"),
    ],
)
def test_nobody_is_left_in_any_frame_and_every_time_stamp_is_kept(
    stage: Theatre, tmp_path: Path, deid: DeidSettings
) -> None:
    stage.run(EVERYBODY)
    summary = export(stage, tmp_path / "out", deid=deid)
    frames = exported_frames(tmp_path / "out")
    assert len(frames) == summary["frames"] == N
    for original, frame in zip((f for _, f in stage.footage.iter_frames()), frames):
        assert skin(original).sum() > 500
        assert not skin(frame).any()
    with open_footage(tmp_path / "out" / f"case 7{UNVERIFIED}") as video:
        written = (video.pts - video.pts[0]) * float(video.time_base)
    np.testing.assert_allclose(written, (stamps() - stamps()[0]) / 1000, atol=1e-4)


def test_over_the_empty_room_the_room_comes_back(stage: Theatre, tmp_path: Path) -> None:
    stage.run(EVERYBODY)
    export(stage, tmp_path / "out", deid=DeidSettings(look="shaded"))
    room = theatre.room()
    # Where the walking person was in frame 4 and no body is drawn: the wall behind them.
    frame = exported_frames(tmp_path / "out")[4]
    bodies = theatre.drawn([theatre.body_at(p, 4) for p in (1, 2)])
    clear = theatre.silhouette(theatre.body_at(1, 4)) & ~bodies
    assert clear.sum() > 20
    assert np.abs(frame[clear].astype(int) - room[clear]).mean() < 8


def test_somebody_lost_for_a_moment_is_covered_along_their_way(stage: Theatre, tmp_path: Path) -> None:
    # Person 1 walks; the tracker loses them for ten frames in the middle.
    stage.run({1: [*range(7), *range(17, N)], 2: range(N)})
    summary = export(stage, tmp_path / "out")
    assert summary["uncovered"] == 0
    assert not any(skin(f).any() for f in exported_frames(tmp_path / "out"))


def test_somebody_found_late_and_lost_early_is_covered_where_they_went(
    stage: Theatre, tmp_path: Path
) -> None:
    stage.run({1: range(5, 19), 2: range(N)})
    export(stage, tmp_path / "out")
    frames = exported_frames(tmp_path / "out")
    # At 20 frames a second eight frames on either side are covered.
    assert not any(skin(f).any() for f in frames)


def test_people_hidden_in_the_window_are_covered_all_the_same(stage: Theatre, tmp_path: Path) -> None:
    stage.run(EVERYBODY)
    with stage.store.transaction() as db:
        db.execute("UPDATE tracks SET hidden = 1 WHERE id = 1")
    export(stage, tmp_path / "out", deid=DeidSettings(fill="solid", background="original"))
    assert not any(skin(f).any() for f in exported_frames(tmp_path / "out"))


def test_a_person_without_body_and_mask_is_covered_by_box_and_keypoints(
    stage: Theatre, tmp_path: Path
) -> None:
    people = []
    for f in range(N):
        found = theatre.record(2, f)
        people.append(replace(found, body=None, estimate=replace(found.estimate, mask=None)))
    people += [theatre.record(1, f) for f in range(N)]
    stage.store.store_chunk(0, N - 1, people, {})
    export(stage, tmp_path / "out")
    assert not any(skin(f).any() for f in exported_frames(tmp_path / "out"))


def test_a_gap_too_long_to_guess_is_refused_and_told_when_allowed(tmp_path: Path) -> None:
    n = 70
    stage = make_theatre(tmp_path / "long", people=(2,), n=n)
    stage.run({2: [*range(4), *range(64, n)]}, last=n - 1)
    with pytest.raises(ExportError, match=r"lost from sight in .* frames, the first is frame 13"):
        export(stage, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    events: list[Event] = []
    summary = export(stage, tmp_path / "out", events=events, allow_uncovered=True)
    assert any(isinstance(e, Warned) and "lost from sight" in e.text for e in events)
    manifest = json.loads((tmp_path / "out" / "clip_manifest.json").read_text())
    assert len(manifest["frames_where_a_found_person_is_uncovered"]) == summary["uncovered"] == 44
    stage.store.close()
    stage.footage.close()


def test_frames_that_were_not_processed_are_refused_unless_left_out(stage: Theatre, tmp_path: Path) -> None:
    stage.run({1: range(10), 2: range(10)}, last=9)
    with pytest.raises(ExportError, match=r"14 of 24 frames.*frame 11.*not been processed"):
        export(stage, tmp_path / "out")
    summary = export(stage, tmp_path / "out", last=9)
    assert summary["frames"] == 10
    assert len(exported_frames(tmp_path / "out")) == 10


def test_footage_without_people_is_exported_only_after_a_warning(stage: Theatre, tmp_path: Path) -> None:
    stage.run({})
    with pytest.raises(ExportError, match="No people were found"):
        export(stage, tmp_path / "out")
    events: list[Event] = []
    export(stage, tmp_path / "out", events=events, allow_uncovered=True)
    assert any(isinstance(e, Warned) and "No people were found" in e.text for e in events)
    # The data need no such warning: they show nobody.
    export(stage, tmp_path / "data", "csv", "coco", "smplx")


def test_nothing_is_replaced_unless_asked(stage: Theatre, tmp_path: Path) -> None:
    stage.run(EVERYBODY)
    export(stage, tmp_path / "out", "csv")
    table = tmp_path / "out" / "case 7_confidence.csv"
    table.write_text("mine")
    with pytest.raises(ExportError, match="is there already"):
        export(stage, tmp_path / "out", "csv")
    assert table.read_text() == "mine"
    export(stage, tmp_path / "out", "csv", overwrite=True)
    assert table.read_text() != "mine"


@pytest.mark.parametrize("name", [VERIFIED, UNVERIFIED])
def test_the_footage_itself_is_never_replaced(
    stage: Theatre, tmp_path: Path, clip_folder: Path, name: str
) -> None:
    from app.review.opening import create_project

    twin = tmp_path / f"x{name}"
    shutil.copy(clip_folder / "clip.mp4", twin)
    store, footage = create_project(twin, tmp_path / "x.understudy")
    before = twin.read_bytes()
    with pytest.raises(ExportError, match="footage itself"):
        export(Theatre(store, footage), tmp_path, overwrite=True, allow_uncovered=True)
    assert twin.read_bytes() == before
    store.close()
    footage.close()


def test_nothing_chosen_and_an_empty_range_are_refused(stage: Theatre, tmp_path: Path) -> None:
    stage.run(EVERYBODY)
    with pytest.raises(ExportError, match="Nothing was chosen"):
        run_export(
            stage.store, stage.footage, theatre.BODY, ExportRequest(tmp_path / "out", ()), ORIGINAL,
            Control(), lambda event: None,
        )  # fmt: skip
    with pytest.raises(ExportError, match="empty"):
        export(stage, tmp_path / "out", first=9, last=3)
    with pytest.raises(ExportError, match="frames 0 to 23"):
        export(stage, tmp_path / "out", first=400)


def test_cancelling_leaves_nothing_behind(stage: Theatre, tmp_path: Path) -> None:
    stage.run(EVERYBODY)
    control = Control()

    def listener(event: Event) -> None:
        if isinstance(event, Progress) and event.stage == "video" and event.done == 5:
            control.stop()

    wanted = ExportRequest(tmp_path / "out", ("video", "csv"))
    with pytest.raises(Cancelled):
        run_export(stage.store, stage.footage, theatre.BODY, wanted, ORIGINAL, control, listener)
    assert not (tmp_path / "out").exists()
    assert stage.store.query("SELECT * FROM exports") == []


def test_a_frame_that_cannot_be_read_fails_the_export_and_leaves_nothing(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.run(EVERYBODY)
    whole = type(stage.footage).iter_frames

    def damaged(self: object, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
        for index, frame in whole(stage.footage, start, stop):
            if index == 11:
                raise FootageError("Frame 11 of clip.mp4 is damaged and cannot be shown.")
            yield index, frame

    monkeypatch.setattr(type(stage.footage), "iter_frames", damaged)
    with pytest.raises(FootageError, match="Frame 11"):
        export(stage, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_video_that_lost_a_frame_does_not_pass_its_check(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.run(EVERYBODY)
    write, count = VideoWriter.write, iter(range(N))

    def forgetful(self: VideoWriter, frame: np.ndarray) -> None:
        if next(count) != 6:
            write(self, frame)

    monkeypatch.setattr(VideoWriter, "write", forgetful)
    with pytest.raises(ExportError, match="23 frames instead of 24"):
        export(stage, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_video_with_shifted_time_stamps_does_not_pass_its_check(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.run(EVERYBODY)
    make = VideoWriter.__init__

    def even(
        self: VideoWriter, path: Path, width: int, height: int, pts: np.ndarray, *rest: object, **kw: object
    ) -> None:
        make(self, path, width, height, np.arange(len(pts)) * 50, *rest, **kw)  # type: ignore[arg-type]

    monkeypatch.setattr(VideoWriter, "__init__", even)
    with pytest.raises(ExportError, match="time stamps"):
        export(stage, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_told_and_leaves_nothing(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.run(EVERYBODY)

    def full(*args: object, **kw: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("app.export.coco.json.dump", full)
    with pytest.raises(StorageError, match="disk is full"):
        export(stage, tmp_path / "out", "coco")
    assert not (tmp_path / "out").exists()


_ON_A_SMALL_DISK = """
import sys
from pathlib import Path
sys.path[:0] = [sys.argv[1], sys.argv[2]]
import theatre
from app.errors import StorageError
from app.export.names import UNVERIFIED, VERIFIED
from app.export.run import run_export
from app.pipeline.job import Control
from app.review.opening import open_project
from app.review.types import DeidSettings, ExportRequest
store, footage = open_project(Path(sys.argv[3]))
disk = Path(sys.argv[4])
for kind in ("video", "meshes_ply", "coco"):
    try:
        request = ExportRequest(disk, (kind,))
        deid = DeidSettings(background="original")
        run_export(store, footage, theatre.BODY, request, deid, Control(), print)
    except StorageError as error:
        print(kind, "STORAGE", error, sorted(p.name for p in disk.iterdir()))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="makes a small disk of its own, which needs Linux")
def test_a_really_full_disk_leaves_it_empty(stage: Theatre, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    here = Path(__file__).parent
    stage.run(EVERYBODY)
    command = 'mount -t tmpfs -o size=12k tmpfs "$1" && shift && exec "$@"'
    if (
        not shutil.which("unshare")
        or subprocess.run(
            ["unshare", "-rm", "sh", "-c", command, "sh", str(disk), "true"], capture_output=True
        ).returncode
    ):
        pytest.skip("a small disk of our own cannot be mounted here (unshare is not allowed)")
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", command, "sh", str(disk), sys.executable, "-c", _ON_A_SMALL_DISK,
         str(here.parents[2]), str(here), str(stage.store.path), str(disk)],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if "STORAGE" in line]
    assert [line.split()[0] for line in lines] == ["video", "meshes_ply", "coco"], done.stdout + done.stderr
    for line in lines:
        assert "disk is full" in line
        assert line.endswith("[]")


def test_sound_and_titles_stay_out_unless_sound_is_asked_for(tmp_path: Path) -> None:
    stage = make_theatre(tmp_path / "loud", sound=True)
    assert stage.footage.has_audio
    stage.run(EVERYBODY)
    for keep in (False, True):
        out = tmp_path / f"out {keep}"
        events: list[Event] = []
        export(stage, out, deid=replace(ORIGINAL, keep_audio=keep), events=events)
        assert any(isinstance(e, Warned) and "A voice identifies" in e.text for e in events) == keep
        with av.open(str(out / f"clip{UNVERIFIED}")) as video:
            assert len(video.streams.audio) == int(keep)
            told = " ".join([*video.metadata.values(), *video.streams.video[0].metadata.values()])
        assert "Smith" not in told
        assert b"Smith" not in (out / f"clip{UNVERIFIED}").read_bytes()
    stage.store.close()
    stage.footage.close()


def test_the_manifest_says_what_was_made_of_what_and_names_nobody(stage: Theatre, tmp_path: Path) -> None:
    stage.run(EVERYBODY)
    with stage.store.transaction() as db:
        db.execute("UPDATE tracks SET name = 'Dr Jones' WHERE id = 2")
    kinds = ("video", "coco", "smplx", "csv", "meshes_glb")
    summary = export(stage, tmp_path / "out", *kinds, last=3)
    text = (tmp_path / "out" / "case 7_manifest.json").read_text()
    manifest = json.loads(text)
    assert manifest["input"]["sha256"] == stage.footage.sha256()
    assert manifest["frames"] == [0, 3]
    assert manifest["deidentification"] == {
        "cover": "whole", "fill": "mesh", "background": "original", "keep_audio": False,
        "look": "clothed", "codec": "h264", "believed_only": True, "shadows": True,
    }  # fmt: skip
    assert [o["kind"] for o in manifest["outputs"]] == list(kinds)
    for output in manifest["outputs"]:
        path = tmp_path / "out" / output["name"]
        if path.is_file():
            assert hashlib.sha256(path.read_bytes()).hexdigest() == output["sha256"]
    assert {Path(f).name for f in summary["files"]} == {p.name for p in (tmp_path / "out").iterdir()}  # type: ignore[attr-defined]
    assert "clip.mp4" not in text
    assert str(tmp_path) not in text
    for path in (tmp_path / "out").rglob("*"):
        assert path.is_dir() or b"Jones" not in path.read_bytes()
    (row,) = stage.store.query("SELECT manifest FROM exports")
    assert json.loads(row["manifest"]) == manifest


def test_progress_is_told_stage_by_stage(stage: Theatre, tmp_path: Path) -> None:
    stage.run(EVERYBODY)
    events: list[Event] = []
    export(stage, tmp_path / "out", "video", "csv", deid=DeidSettings(), events=events)
    assert [e.stage for e in events if isinstance(e, StageStarted)] == ["plate", "video", "check", "csv"]
    ends = {e.stage: (e.done, e.total) for e in events if isinstance(e, Progress)}
    assert ends == dict.fromkeys(("plate", "video", "check", "csv"), (N, N))


def test_a_camera_that_moves_is_told_and_its_people_are_covered(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.run(EVERYBODY)
    monkeypatch.setattr("backends.background.still.agreement", lambda *args: 0.3)
    events: list[Event] = []
    summary = export(stage, tmp_path / "out", deid=DeidSettings(), events=events)
    assert any(isinstance(e, Warned) and "camera moves" in e.text for e in events)
    frames = exported_frames(tmp_path / "out")
    assert not any(skin(f).any() for f in frames)
    assert summary["background"]["camera"] == "moving"
    # Who walks across uncovers the wall behind: it is taken from other frames, not blurred together.
    walked = theatre.room()[20:60, 42:56].astype(int)
    assert np.abs(frames[12][20:60, 42:56].astype(int) - walked).mean() < 12


def test_the_share_of_the_room_that_nobody_saw_is_told(stage: Theatre, tmp_path: Path) -> None:
    stage.run(EVERYBODY)
    summary = export(stage, tmp_path / "out", deid=DeidSettings())
    background = summary["background"]
    assert background["camera"] == "fixed"
    assert background["states_of_the_room"] == 1
    # Person 2 stands all the time.
    assert 0.005 < background["never_seen_share_of_picture"] < 0.3
    assert 0.05 < background["never_seen_share_of_replaced_pixels"] < 0.95
    manifest = json.loads((tmp_path / "out" / f"{stage.store.path.stem}_manifest.json").read_text())
    assert manifest["background"] == background
    original = export(stage, tmp_path / "other", deid=DeidSettings(background="original"))
    assert original["background"] is None


def test_a_folder_that_cannot_be_made_is_told(stage: Theatre, tmp_path: Path) -> None:
    stage.run(EVERYBODY)
    (tmp_path / "file").write_text("")
    with pytest.raises((ExportError, StorageError)):
        export(stage, tmp_path / "file" / "out", "csv")


def test_a_folder_that_cannot_be_written_is_told_before_the_work_begins(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.run(EVERYBODY)

    def locked(self: Path, *args: object, **options: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(self))

    events: list[Event] = []
    with monkeypatch.context() as patch:
        patch.setattr(Path, "touch", locked)
        with pytest.raises(StorageError, match="cannot be written"):
            export(stage, tmp_path / "out", "csv", events=events)
    assert events == []
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", locked)
        with pytest.raises(StorageError, match="cannot be written"), written_whole(tmp_path / "a.csv"):
            pytest.fail("there is nothing to write to")
