"""What was written is read back before it gets its name, at any length, and can be cancelled there too."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from theatre import BODY, N, Theatre, make_theatre

from app.errors import Cancelled, ExportError
from app.export import coco, smplx
from app.export.run import run_export
from app.footage.writer import VideoWriter
from app.pipeline.events import Event, Progress, StageStarted
from app.pipeline.job import Control
from app.review.types import DeidSettings, ExportRequest

ORIGINAL = DeidSettings(background="original")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    made = make_theatre(tmp_path_factory.mktemp("checks"))
    made.run({1: range(N), 2: range(3, N)})
    yield made
    made.store.close()
    made.footage.close()


def export(
    stage: Theatre, folder: Path, kind: str, listener: Callable[[Event], None], control: Control | None = None
) -> None:
    wanted = ExportRequest(folder, (kind,))  # type: ignore[arg-type]
    run_export(stage.store, stage.footage, BODY, wanted, ORIGINAL, control or Control(), listener)


def test_the_check_of_the_video_is_told_and_counts_every_frame(stage: Theatre, tmp_path: Path) -> None:
    events: list[Event] = []
    export(stage, tmp_path, "video", events.append)
    at = next(i for i, e in enumerate(events) if isinstance(e, StageStarted) and e.stage == "check")
    checked = [e.done for e in events[at:] if isinstance(e, Progress) and e.stage == "check"]
    assert checked == list(range(1, N + 1))
    assert not any(isinstance(e, Progress) and e.stage == "video" for e in events[at:])


@pytest.mark.parametrize("kind", ["video", "coco", "smplx", "csv", "meshes_obj"])
def test_cancelling_at_any_step_leaves_nothing_behind(stage: Theatre, tmp_path: Path, kind: str) -> None:
    reached = "check" if kind == "video" else kind
    control = Control()

    def listener(event: Event) -> None:
        if isinstance(event, Progress) and event.stage == reached:
            control.stop()

    with pytest.raises(Cancelled):
        export(stage, tmp_path, kind, listener, control)
    assert list(tmp_path.iterdir()) == []


def test_bodies_read_in_many_batches_are_the_same(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Event] = []
    export(stage, tmp_path / "one", "smplx", events.append)
    monkeypatch.setattr(smplx, "_BATCH", 5)
    export(stage, tmp_path / "many", "smplx", events.append)
    with (
        np.load(tmp_path / "one" / "clip_smplx.npz") as a,
        np.load(tmp_path / "many" / "clip_smplx.npz") as b,
    ):
        assert set(a.files) == set(b.files)
        for key in a.files:
            np.testing.assert_array_equal(a[key], b[key])
    last = [e for e in events if isinstance(e, Progress)][-1]
    assert (last.done, last.total) == (N, N)


def test_bodies_of_nobody_are_a_whole_file(tmp_path: Path) -> None:
    empty = make_theatre(tmp_path / "empty", people=())
    empty.run({})
    export(empty, tmp_path / "out", "smplx", lambda event: None)
    with np.load(tmp_path / "out" / "clip_smplx.npz", allow_pickle=False) as data:
        assert data["people"].tolist() == []
        assert len(data["times_s"]) == N
    empty.store.close()
    empty.footage.close()


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-300])


def without_last_frames(path: Path) -> None:
    with np.load(path) as back:
        arrays = dict(back)
    arrays["2/frames"] = arrays["2/frames"][:-2]
    with zipfile.ZipFile(path, "w") as archive:
        smplx._add(archive, arrays)


def without_a_person(path: Path) -> None:
    with np.load(path) as back:
        arrays = dict(back)
    arrays["people"] = arrays["people"][:1]
    with zipfile.ZipFile(path, "w") as archive:
        smplx._add(archive, arrays)


def without_a_line(path: Path) -> None:
    lines = path.read_text().split("\n")
    path.write_text("\n".join(lines[:4] + lines[5:]))


def without_a_comma(path: Path) -> None:
    lines = path.read_text().split("\n")
    lines[4] = lines[4].removesuffix(",")
    path.write_text("\n".join(lines))


def with_a_comma_too_many(path: Path) -> None:
    lines = path.read_text().split("\n")
    lines[-2] += ","
    path.write_text("\n".join(lines))


def with_a_tail(path: Path) -> None:
    path.write_text(path.read_text() + "]")


@pytest.mark.parametrize(
    ("kind", "damage"),
    [
        ("smplx", cut_short),
        ("smplx", without_last_frames),
        ("smplx", without_a_person),
        ("coco", cut_short),
        ("coco", without_a_line),
        ("coco", without_a_comma),
        ("coco", with_a_comma_too_many),
        ("coco", with_a_tail),
    ],
)
def test_a_damaged_file_never_gets_its_name(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, damage: Callable[[Path], None]
) -> None:
    module = {"smplx": smplx, "coco": coco}[kind]
    check = module._check

    def after_damage(*args: object) -> None:
        damage(next(a for a in args if isinstance(a, Path)))
        check(*args)

    monkeypatch.setattr(module, "_check", after_damage)
    with pytest.raises(ExportError, match=r"Export again\."):
        export(stage, tmp_path, kind, lambda event: None)
    assert list(tmp_path.iterdir()) == []


def test_a_video_that_says_more_than_its_pictures_never_gets_its_name(
    stage: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = VideoWriter.close

    def talkative(self: VideoWriter) -> None:
        close(self)
        with self.path.open("ab") as file:
            file.write(struct.pack(">I", 17) + b"freeDr Jones.")

    monkeypatch.setattr(VideoWriter, "close", talkative)
    with pytest.raises(ExportError, match="more than pictures: bytes in unused space"):
        export(stage, tmp_path, "video", lambda event: None)
    assert list(tmp_path.iterdir()) == []


def test_the_codec_is_the_one_that_was_chosen(stage: Theatre, tmp_path: Path) -> None:
    wanted = ExportRequest(tmp_path, ("video",))
    deid = replace(ORIGINAL, codec="h265")
    run_export(stage.store, stage.footage, BODY, wanted, deid, Control(), lambda event: None)
    (video,) = tmp_path.glob("*.mp4")
    with av.open(str(video)) as container:
        assert container.streams.video[0].codec_context.name == "hevc"
        np.testing.assert_allclose(
            [f.time for f in container.decode(video=0)], stage.footage.times, atol=5e-4
        )
