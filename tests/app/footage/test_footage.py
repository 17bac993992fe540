"""Frame i is always frame i, in every kind of file; bad files give one clear error."""

from __future__ import annotations

import importlib.util
import os
import stat
import subprocess
import threading
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from app.errors import FootageError, StorageError
from app.footage import open_footage
from app.footage.cache import FrameCache
from app.footage.decoder import Decoder, rotate
from app.footage.writer import VideoWriter

_spec = importlib.util.spec_from_file_location("clips", Path(__file__).with_name("clips.py"))
assert _spec is not None
assert _spec.loader is not None
clips = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(clips)

VFR = np.cumsum(np.random.default_rng(1).integers(20, 80, 200)).tolist()


def _cut(folder: Path) -> Path:
    whole = clips.write_clip(folder / "whole.mp4", options={"g": "25", "bf": "2"})
    return clips.stream_copied_cut(whole, folder / "cut.mp4", 3.3)


def _truncated(folder: Path) -> Path:
    whole = clips.write_clip(folder / "whole.ts", codec="mpeg2video", options={"g": "12", "bf": "2"})
    data = whole.read_bytes()
    path = folder / "truncated.ts"
    path.write_bytes(data[: int(len(data) * 0.71)])
    return path


KINDS = {
    "constant rate mp4": lambda d: clips.write_clip(d / "a.mp4", options={"g": "30", "bf": "3"}),
    "variable rate mp4": lambda d: clips.write_clip(
        d / "v.mp4", pts=VFR, time_base=Fraction(1, 1000), options={"g": "30", "bf": "2"}
    ),
    "mpeg transport stream": lambda d: clips.write_clip(d / "a.ts", options={"g": "40", "bf": "2"}),
    "avi with b-frames": lambda d: clips.write_clip(
        d / "a.avi", codec="mpeg4", options={"g": "25"}, b_frames=2
    ),
    "open group of pictures": lambda d: clips.write_clip(
        d / "o.mp4", options={"g": "20", "bf": "3", "x264-params": "open-gop=1:scenecut=0"}
    ),
    "stream-copied cut": _cut,
    "truncated file": _truncated,
}


@pytest.mark.parametrize("kind", list(KINDS))
def test_150_random_frames_are_the_ones_asked_for(kind: str, tmp_path: Path) -> None:
    with open_footage(KINDS[kind](tmp_path)) as footage:
        truth = {i: clips.number_in(image) for i, image in footage.iter_frames()}
        assert len(truth) == footage.n_frames > 100
        # In order of time the painted numbers rise one by one: the table itself is right.
        assert list(truth.values()) == list(range(truth[0], truth[0] + len(truth)))
        wanted = np.random.default_rng(7).integers(0, footage.n_frames, 150)
        wrong = [int(i) for i in wanted if clips.number_in(footage.frame(int(i))) != truth[int(i)]]
        assert wrong == []


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.mkv", "libx264", "yuv420p"),
        ("a.mov", "libx264", "yuv420p"),
        ("a.webm", "libvpx", "yuv420p"),
        ("ten_bit.mp4", "libx264", "yuv420p10le"),
    ],
)
def test_other_containers_and_depths_read_exactly(
    tmp_path: Path, name: str, codec: str, pix_fmt: str
) -> None:
    path = clips.write_clip(tmp_path / name, 60, codec=codec, pix_fmt=pix_fmt, options={"g": "20"})
    with open_footage(path) as footage:
        assert footage.n_frames == 60
        for i in (59, 0, 31, 7, 32):
            assert clips.number_in(footage.frame(i)) == i
            assert footage.frame(i).dtype == np.uint8


def test_variable_rate_times_are_kept(tmp_path: Path) -> None:
    with open_footage(KINDS["variable rate mp4"](tmp_path)) as footage:
        expected = (np.array(VFR) - VFR[0]) / 1000
        np.testing.assert_allclose(footage.times, expected, atol=0.001)


@pytest.mark.parametrize(("degrees", "shape"), [(0, (2, 3)), (90, (3, 2)), (-90, (3, 2)), (180, (2, 3))])
def test_rotation_metadata_turns_the_picture(degrees: int, shape: tuple[int, int]) -> None:
    image = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    turned = rotate(image, degrees)
    assert turned.shape[:2] == shape
    np.testing.assert_array_equal(turned, np.rot90(image, degrees // 90))


def test_pictures_and_folders_read_in_natural_order(tmp_path: Path) -> None:
    for i in (1, 2, 10):
        cv2.imwrite(str(tmp_path / f"f_{i}.png"), clips.painted(i)[:, :, ::-1])
    with open_footage(tmp_path) as footage:
        assert footage.kind == "pictures"
        assert [clips.number_in(footage.frame(i)) for i in range(3)] == [1, 2, 10]
    with open_footage(tmp_path / "f_10.png") as single:
        assert single.kind == "picture"
        assert single.n_frames == 1


def test_grey_deep_and_transparent_pictures_become_rgb(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((8, 9), 100, np.uint8))
    cv2.imwrite(str(tmp_path / "deep.png"), np.full((8, 9, 3), 25700, np.uint16))
    cv2.imwrite(str(tmp_path / "alpha.png"), np.full((8, 9, 4), 100, np.uint8))
    for name in ("grey", "deep", "alpha"):
        frame = open_footage(tmp_path / f"{name}.png").frame(0)
        assert frame.shape == (8, 9, 3)
        assert abs(int(frame.mean()) - 100) <= 1


def test_pictures_of_different_sizes_are_named(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((8, 8, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "b.png"), np.zeros((9, 8, 3), np.uint8))
    with pytest.raises(FootageError, match=r"b\.png is 8 x 9"):
        open_footage(tmp_path).frame(1)


def _audio_only(path: Path) -> None:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44100
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def test_bad_files_give_one_clear_error_each(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    noise = np.random.default_rng(0)
    (tmp_path / "noise.mp4").write_bytes(noise.bytes(20000))
    (tmp_path / "noise.jpg").write_bytes(noise.bytes(2000))
    (tmp_path / "folder").mkdir()
    _audio_only(tmp_path / "sound.m4a")
    whole = clips.write_clip(tmp_path / "w.mp4", 20).read_bytes()
    (tmp_path / "no_header.mp4").write_bytes(whole[: len(whole) // 2])
    os.mkfifo(tmp_path / "pipe.mp4")
    expected = {
        "gone.mp4": "There is no file", "empty.mp4": "empty", "noise.mp4": "not a video",
        "noise.jpg": "not a picture", "folder": "no pictures", "sound.m4a": "sound only",
        "pipe.mp4": "not an ordinary file", "no_header.mp4": "no_header.mp4",
    }  # fmt: skip
    for name, words in expected.items():
        with pytest.raises(FootageError, match=words):
            open_footage(tmp_path / name)


def test_noise_is_refused_whatever_format_it_passes_for(tmp_path: Path) -> None:
    for seed in range(200):
        path = tmp_path / f"{seed}.mp4"
        path.write_bytes(np.random.default_rng(seed).bytes(20000))
        with pytest.raises(FootageError, match=path.name):
            open_footage(path)


def test_a_video_without_frames_is_refused(tmp_path: Path) -> None:
    clips.write_clip(tmp_path / "none.mkv", 0)
    with pytest.raises(FootageError, match=r"none\.mkv"):
        open_footage(tmp_path / "none.mkv")


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "secret.mp4", 5)
    path.chmod(0)
    if os.geteuid() == 0:
        # Root reads everything: ask as an ordinary user in a child process.
        tmp_path.chmod(0o755)
        code = (
            "import os, sys; os.setuid(65534)\n"
            "try: open(sys.argv[1], 'rb')\nexcept PermissionError: print('refused')"
        )
        done = subprocess.run(["python3", "-c", code, str(path)], capture_output=True, text=True, check=False)
        assert "refused" in done.stdout or done.returncode != 0
        path.chmod(stat.S_IRUSR)
        return
    with pytest.raises(FootageError, match="may not be read"):
        open_footage(path)


def test_frames_before_the_damage_are_kept_and_the_damaged_one_is_named(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "a.mkv", 120, options={"g": "120", "bf": "0"})
    data = bytearray(path.read_bytes())
    middle = int(len(data) * 0.6)
    data[middle : middle + 3000] = bytes(3000)
    path.write_bytes(data)
    seen = []
    with open_footage(path) as footage:
        try:
            for i, image in footage.iter_frames():
                seen.append(clips.number_in(image))
                assert seen[-1] == i
        except FootageError as error:
            assert f"Frame {len(seen) + 1} of" in str(error)  # noqa: PT017
    assert len(seen) >= 40


def test_reading_leaves_the_file_untouched(tmp_path: Path) -> None:
    path = clips.write_clip(tmp_path / "a.mp4", 20)
    path.chmod(0o444)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    with open_footage(path) as footage:
        footage.frame(10)
        assert len(footage.sha256()) == 64
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


# --- cache ------------------------------------------------------------------------------------


def test_the_cache_keeps_to_its_byte_limit(tmp_path: Path) -> None:
    with open_footage(clips.write_clip(tmp_path / "a.mp4", 60)) as footage:
        cache = FrameCache(footage, byte_limit=10 * clips.W * clips.H * 3)
        for i in range(60):
            assert clips.number_in(cache.get(i)) == i
        assert cache.n_bytes <= 10 * clips.W * clips.H * 3
        cache.close()
    assert not [t for t in threading.enumerate() if t.name == "frames"]


def test_only_the_newest_request_is_answered(tmp_path: Path) -> None:
    with open_footage(clips.write_clip(tmp_path / "a.mp4", 120)) as footage:
        cache = FrameCache(footage)
        first_started, go, done = threading.Event(), threading.Event(), threading.Event()
        answered: list[int] = []

        def slow(i: int, image: np.ndarray) -> None:
            answered.append(i)
            first_started.set()
            go.wait(5)

        def last(i: int, image: np.ndarray) -> None:
            answered.append(i)
            done.set()

        cache.request(0, slow)
        assert first_started.wait(5)
        for i in range(1, 100):
            cache.request(i, last)
        go.set()
        assert done.wait(5)
        cache.close()
        assert answered == [0, 99]


def test_reading_ahead_follows_the_direction_and_stops_at_jumps(tmp_path: Path) -> None:
    with open_footage(clips.write_clip(tmp_path / "a.mp4", 200)) as footage:
        cache = FrameCache(footage)
        cache.prefetch(50, -1)
        for _ in range(200):
            if cache.peek(49) is not None:
                break
            threading.Event().wait(0.02)
        assert cache.peek(38) is not None
        cache.prefetch(150, 1)
        threading.Event().wait(0.2)
        assert cache.peek(151) is None
        cache.close()


# --- writing ----------------------------------------------------------------------------------


def test_written_video_keeps_time_stamps_and_says_nothing_else(tmp_path: Path) -> None:
    source = KINDS["variable rate mp4"](tmp_path)
    with open_footage(source) as footage:
        writer = VideoWriter(tmp_path / "out.mp4", clips.W, clips.H, footage.pts, footage.time_base)
        for _, image in footage.iter_frames():
            writer.write(image)
        writer.close()
        with open_footage(tmp_path / "out.mp4") as back:
            np.testing.assert_allclose(back.times, footage.times, atol=0.0005)
            assert clips.number_in(back.frame(77)) == 77
            assert sum(1 for _ in back.iter_frames()) == footage.n_frames
            assert not back.has_audio
    with av.open(str(tmp_path / "out.mp4")) as container:
        keys = {
            k for k in container.metadata if k not in ("major_brand", "minor_version", "compatible_brands")
        }
        assert keys <= {"encoder"}
        assert container.metadata.get("encoder", "Lavf") == "Lavf"
        assert not {"creation_time", "encoder"} & set(container.streams.video[0].metadata)


def test_odd_sizes_are_padded(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "odd.mp4", 33, 17, np.arange(3), Fraction(1, 10))
    for _ in range(3):
        writer.write(np.full((17, 33, 3), 90, np.uint8))
    writer.close()
    with open_footage(tmp_path / "odd.mp4") as back:
        assert (back.width, back.height) == (34, 18)
        assert abs(int(back.frame(2).mean()) - 90) < 4


def test_giving_up_removes_the_file(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "out.mp4", 32, 32, np.arange(5), Fraction(1, 25))
    writer.write(np.zeros((32, 32, 3), np.uint8))
    writer.abort()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(
    not Path("/dev/full").exists() or os.geteuid() != 0, reason="needs root and Linux to mount a small disk"
)
def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], check=False
    ).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        rng = np.random.default_rng(0)
        writer = VideoWriter(small / "out.mp4", 320, 240, np.arange(100), Fraction(1, 25), crf=1)

        def fill() -> None:
            for _ in range(100):
                writer.write(rng.integers(0, 255, (240, 320, 3), dtype=np.uint8))
            writer.close()

        with pytest.raises(StorageError, match="disk is full"):
            fill()
        writer.abort()
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_the_tail_of_a_file_is_tried_once_and_again_when_the_file_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _truncated(tmp_path)
    read: list[int] = []
    plain = Decoder.read
    monkeypatch.setattr(Decoder, "read", lambda self, index: read.append(index) or plain(self, index))

    def opened(**rest: bool) -> int:
        read.clear()
        with open_footage(path, **rest) as footage:
            return footage.n_frames

    n = opened()
    assert len(read) > 1
    assert opened() == n
    assert read == [0]
    os.utime(path, ns=(5, 5))
    assert opened() == n
    assert len(read) > 1
    os.utime(path, ns=(6, 6))
    assert opened(complete=True) >= n
    assert read == [0]
