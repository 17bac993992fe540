"""Mask2Mesh's conversion of an action data set: tree and splits kept, resumed, faults told."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import theatre

from app.deidentify import clips, one_file
from app.deidentify.clips import occluded_share, scaled_copy
from app.deidentify.data_set import TABLE, Conversion, convert_data_set
from app.deidentify.request import BatchRequest, ClipForm
from app.deidentify.splits import read_split, write_split
from app.errors import FootageError
from app.footage import open_footage
from app.footage.writer import VideoWriter
from app.pipeline.engine import Engine
from app.pipeline.job import Control
from app.project.records import PersonRecord
from app.review.types import DeidSettings
from backends.masks import encode_mask

Convert = Callable[..., Conversion]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "cache" / name)


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("master")
    for name in ("walk/a.mp4", "sit/c.mp4"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = VideoWriter(path, theatre.WIDTH, theatre.HEIGHT, theatre.stamps(5), theatre.TIME_BASE, crf=8)
        for i in range(5):
            writer.write(theatre.picture(i))
        writer.close()
    with av.open(str(folder / "walk" / "b.avi"), "w") as out:
        stream = out.add_stream("mpeg4", rate=20)
        stream.width, stream.height, stream.pix_fmt = theatre.WIDTH, theatre.HEIGHT, "yuv420p"
        stream.bit_rate = 4_000_000
        for i in range(5):
            frame = av.VideoFrame.from_ndarray(theatre.picture(i), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 20)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    (folder / "walk" / "cut.mp4").write_bytes((folder / "walk" / "a.mp4").read_bytes()[:500])
    (folder / "train.csv").write_text("walk/a.mp4 3\nwalk/b.avi 3\nwalk/cut.mp4 0\nwalk/gone.mp4 1\n")
    return folder


@pytest.fixture
def tree(tmp_path: Path, master: Path) -> Path:
    return Path(shutil.copytree(master, tmp_path / "tree"))


@pytest.fixture
def convert(tmp_path: Path, tree: Path, engine: Engine) -> Convert:
    def call(form: ClipForm, *splits: Path, **changes: object) -> Conversion:
        deid = DeidSettings(fill="solid", background="original")
        request = BatchRequest(tmp_path / "out", deid, audit=False, report=False, clips=form)
        request = replace(request, **changes)  # type: ignore[arg-type]
        return convert_data_set(tree, splits, request, Control(), lambda event: None, engine=engine)

    return call


def _files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_tree_splits_and_frame_times_are_kept_and_failures_told(
    tmp_path: Path, tree: Path, convert: Convert
) -> None:
    before = {p: p.read_bytes() for p in tree.rglob("*.*")}
    (tmp_path / "val.csv").write_text("path,label\nsit/c,7\n")
    done = convert(ClipForm(), tree / "train.csv", tmp_path / "val.csv")
    out = tmp_path / "out"
    assert _files(out) == {
        "walk/a.mp4", "walk/b.mp4", "sit/c.mp4", "train.csv", "val.csv", TABLE, "understudy_batch.jsonl",
    }  # fmt: skip
    assert (out / "train.csv").read_text() == "walk/a.mp4 3\nwalk/b.mp4 3\n"
    assert (out / "val.csv").read_text() == "path,label\nsit/c,7\n"
    assert done.splits == (("train.csv", 2, 2), ("val.csv", 1, 0))
    assert done.missing == ("walk/gone.mp4",)
    for name, source in (("walk/a.mp4", "walk/a.mp4"), ("walk/b.mp4", "walk/b.avi")):
        with open_footage(out / name) as made, open_footage(tree / source) as given:
            np.testing.assert_allclose(made.times, given.times, atol=1e-3)
            assert not any(theatre.skin(image).any() for _, image in made.iter_frames())
    with (out / TABLE).open() as file:
        rows = {r["clip"]: r for r in csv.DictReader(file)}
    assert {name: row["state"] for name, row in rows.items()} == {
        "sit/c": "done", "walk/a": "done", "walk/b": "done", "walk/cut": "failed",
    }  # fmt: skip
    assert rows["walk/a"]["fps"] == "20.0"
    assert rows["walk/cut"]["message"]
    assert before == {p: p.read_bytes() for p in before}
    again = convert(ClipForm(), tree / "train.csv", tmp_path / "val.csv")
    assert [r.state for r in again.results] == ["kept", "kept", "kept", "failed"]
    assert (out / "train.csv").read_text() == "walk/a.mp4 3\nwalk/b.mp4 3\n"


def test_scaled_clips_and_intermediate_videos_bear_mask2meshs_names(
    tmp_path: Path, tree: Path, convert: Convert
) -> None:
    (tree / "one.txt").write_text("sit/c.mp4 0\n")
    size = (theatre.WIDTH, theatre.HEIGHT)
    large = VideoWriter(tree / "sit" / "c.mp4", 384, 288, theatre.stamps(5), theatre.TIME_BASE, crf=8)
    for i in range(5):
        large.write(cv2.resize(theatre.picture(i), (384, 288), interpolation=cv2.INTER_NEAREST))
    large.close()
    convert(ClipForm(size, intermediate=True), tree / "one.txt")
    beside = tmp_path / "out" / "intermediate" / "sit"
    assert _files(beside) == {"c_resize.mp4", "c_inpaint.mp4", "c_inpaint_final.mp4"}
    final = tmp_path / "out" / "sit" / "c.mp4"
    assert final.read_bytes() == (beside / "c_inpaint_final.mp4").read_bytes()
    for path in (final, *beside.iterdir()):
        with open_footage(path) as video, open_footage(tree / "sit" / "c.mp4") as source:
            assert (video.width, video.height) == size
            np.testing.assert_allclose(video.times, source.times, atol=1e-3)
            shown = any(theatre.skin(image).any() for _, image in video.iter_frames())
            assert shown == (path.name == "c_resize.mp4")
    assert (tmp_path / "out" / "one.txt").read_text() == "sit/c.mp4 0\n"


def test_a_clip_in_which_somebody_may_be_seen_stays_out_of_the_split(
    tmp_path: Path, tree: Path, convert: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = clips.run_export

    def leaky(*args: Any) -> dict[str, object]:
        summary = export(*args[:3], replace(args[3], audit=False), *args[4:])
        is_a = args[0].path.stem == "a"
        return {
            **summary,
            "why_unverified": "",
            "audit": {"events": 2, "open": 2 * is_a},
            "verified": not is_a,
        }

    monkeypatch.setattr(clips, "run_export", leaky)
    done = convert(ClipForm(), tree / "train.csv", audit=True)
    assert {r.item.place.as_posix(): r.state for r in done.results} == {
        "walk/a": "leaks", "walk/b": "done", "walk/cut": "failed",
    }  # fmt: skip
    assert {"walk/a_unverified.mp4", "walk/b.mp4"} <= _files(tmp_path / "out")
    assert not (tmp_path / "out" / "walk" / "a.mp4").exists()
    assert (tmp_path / "out" / "train.csv").read_text() == "walk/b.mp4 3\n"


def test_without_splits_every_clip_is_made_and_a_wrong_tree_is_told(
    tmp_path: Path, tree: Path, convert: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def note(item: one_file.BatchInput, *rest: object) -> None:
        made.append(item.place.as_posix())
        raise FootageError("no")

    monkeypatch.setattr("app.deidentify.batch.deidentify_file", note)
    convert(ClipForm())
    assert made == ["sit/c", "walk/a", "walk/b", "walk/cut"]
    (tree / "wrong.csv").write_text("nothing,here\n")
    with pytest.raises(FootageError, match=r"No line of wrong\.csv"):
        convert(ClipForm(), tree / "wrong.csv")
    (tree / "blob.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(FootageError, match="cannot be read"):
        convert(ClipForm(), tree / "blob.csv")


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("walk/a.mp4,3\nwalk/b.avi,4\n", "walk/a.mp4,3\nwalk/b.mp4,4\n"),
        ("label;clip\n3;walk/a\n4;walk/b\n", "label;clip\n3;walk/a\n4;walk/b\n"),
        ("walk/a.mp4\t3\r\nwalk/b.avi\t4\r\n", "walk/a.mp4\t3\nwalk/b.mp4\t4\n"),
        ("walk/b.avi 4\n\nno such clip.mp4 2\n", "walk/b.mp4 4\n"),
        ('"walk/b.avi",4\n', '"walk/b.mp4",4\n'),
        ("../tree/walk/b.avi 4\n../../etc/passwd 1\n", "../tree/walk/b.mp4 4\n"),
        ("{tree}/walk/b.avi,4\n", "{out}/walk/b.mp4,4\n"),
        ("walk/a.mp4\n", "walk/a.mp4\n"),
    ],
)
def test_split_files_come_back_as_they_were(text: str, want: str, tmp_path: Path, tree: Path) -> None:
    path, out = tmp_path / "s.csv", tmp_path / "out"
    path.write_text(text.replace("{tree}", str(tree.resolve())))
    split = read_split(path, tree)
    names = {"a": "mp4", "b": "avi"}
    outputs = {(tree / f"walk/{n}.{e}").resolve(): out / "walk" / f"{n}.mp4" for n, e in names.items()}
    write_split(split, out / "s.csv", outputs, set())
    assert (out / "s.csv").read_text() == want.replace("{out}", str(out))


def test_a_scaled_copy_is_made_once_and_keeps_times(tmp_path: Path, tree: Path) -> None:
    source = tree / "walk" / "a.mp4"
    target = scaled_copy(source, tmp_path / "work", (64, 48), Control(), lambda event: None)
    stamp = target.stat().st_mtime_ns
    assert scaled_copy(source, tmp_path / "work", (64, 48), Control(), lambda event: None) == target
    assert target.stat().st_mtime_ns == stamp


def _cut_below(record: PersonRecord, share: float) -> PersonRecord:
    """The person as if a table stood before the lower part of them."""
    mask = record.estimate.mask
    assert mask is not None
    seen = mask.decode().copy()
    seen[int(seen.shape[0] * share) :] = False
    return replace(record, estimate=replace(record.estimate, mask=encode_mask(seen, mask.x0, mask.y0)))


def test_a_person_behind_something_is_an_occlusion_fault(tmp_path: Path) -> None:
    stage = theatre.make_theatre(tmp_path)
    whole = [theatre.record(2, frame) for frame in range(theatre.N)]
    stage.store.store_chunk(0, theatre.N - 1, whole, {})
    assert occluded_share(stage.store, theatre.BODY, stage.footage) == 0.0
    half = [_cut_below(r, 0.4) if r.frame < 12 else r for r in whole]
    stage.store.store_chunk(0, theatre.N - 1, half, {})
    assert 0.3 < occluded_share(stage.store, theatre.BODY, stage.footage) < 0.7
    stage.store.close()
    stage.footage.close()
