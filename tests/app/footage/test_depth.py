"""Depth beside footage: every way it is stored, and everything that can be wrong with it."""

from __future__ import annotations

import zipfile
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from app.errors import FootageError
from app.footage import Footage, open_footage
from app.footage.depth import find_depth, open_depth
from app.footage.writer import VideoWriter
from backends.camera import Camera

W, H, N = 64, 48, 6


def metres(i: int) -> float:
    return 2.0 + 0.1 * i


def picture(i: int) -> np.ndarray:
    return np.full((H, W), round(1000 * metres(i)), np.uint16)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "ward.mp4"
    writer = VideoWriter(path, W, H, np.arange(N, dtype=np.int64), Fraction(1, 10))
    for i in range(N):
        writer.write(np.full((H, W, 3), 20 * i, np.uint8))
    writer.close()
    return path


def folder(path: Path, names: list[str], pictures: list[np.ndarray] | None = None) -> Path:
    path.mkdir()
    for i, name in enumerate(names):
        assert cv2.imwrite(str(path / name), picture(i) if pictures is None else pictures[i])
    return path


def grey_video(path: Path, kind: str = "gray16le", n: int = N) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = W, H, kind
        for i in range(n):
            data = picture(i) if kind == "gray16le" else np.full((H, W), 9, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(data, format=kind)))
        container.mux(stream.encode())
    return path


def read(path: Path, clip: Path, **options: object) -> list[float | None]:
    """The middle of each frame's distances."""
    with open_footage(clip) as footage:
        depth = open_depth(path, footage, **options)  # type: ignore[arg-type]
        try:
            frames = [depth.frame(i) for i in range(N)]
            back = depth.frame(0)
        finally:
            depth.close()
    assert (back is None) == (frames[0] is None)
    if back is not None:
        assert np.array_equal(back, frames[0])
    return [None if f is None else round(float(np.median(f)), 3) for f in frames]


EXPECTED = [round(metres(i), 3) for i in range(N)]


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_a_folder_of_pictures(tmp_path: Path, clip: Path, ending: str) -> None:
    assert read(folder(tmp_path / "d", [f"{i:06d}.{ending}" for i in range(N)]), clip) == EXPECTED


def test_stacks_are_read_frame_by_frame(tmp_path: Path, clip: Path) -> None:
    stack = np.stack([picture(i) for i in range(N)])
    np.save(tmp_path / "d.npy", stack)
    np.savez_compressed(tmp_path / "d.npz", depth=stack, ids=np.arange(3))
    np.savez(tmp_path / "each.npz", **{f"frame_{i}": picture(i) for i in range(N)})
    np.save(tmp_path / "metres.npy", stack.astype(np.float32) / 1000)
    for name in ("d.npy", "d.npz", "each.npz", "metres.npy"):
        assert read(tmp_path / name, clip) == EXPECTED, name


def test_a_grey_video_keeps_its_sixteen_bits(tmp_path: Path, clip: Path) -> None:
    assert read(grey_video(tmp_path / "d.mkv"), clip) == EXPECTED
    with pytest.raises(FootageError, match="16 bits"):
        read(grey_video(tmp_path / "eight.mkv", "gray"), clip)


def test_units_can_be_said_and_are_checked(tmp_path: Path, clip: Path) -> None:
    quarter = [np.full((H, W), round(4000 * metres(i)), np.uint16) for i in range(N)]
    path = folder(tmp_path / "d", [f"{i}.png" for i in range(N)], quarter)
    assert read(path, clip, scale=0.00025) == EXPECTED
    with pytest.raises(FootageError, match="depth-scale"):
        read(path, clip, scale=1.0)
    with pytest.raises(FootageError, match="positive"):
        read(path, clip, scale=0.0)


def test_frames_without_a_picture_have_no_depth(tmp_path: Path, clip: Path) -> None:
    kept = [0, 1, 4]
    path = folder(tmp_path / "d", [f"depth_{i:04d}.png" for i in kept], [picture(i) for i in kept])
    assert read(path, clip) == [2.0, 2.1, None, None, 2.4, None]


def test_time_stamps_find_their_frames(tmp_path: Path, clip: Path) -> None:
    """The sensor was three times as quick; its clock counts microseconds."""
    names = [f"{1_700_000_000_000_000 + 33_333 * i}.png" for i in range(3 * N)]
    shown = [np.full((H, W), 2000 + round(100 * i / 3), np.uint16) for i in range(3 * N)]
    assert read(folder(tmp_path / "d", names, shown), clip) == EXPECTED
    seconds = [f"{1305031102.16 + 0.1 * i:.6f}.png" for i in range(N - 1)]
    assert read(folder(tmp_path / "s", seconds), clip) == [*EXPECTED[:-1], None]
    assert read(grey_video(tmp_path / "short.mkv", n=N - 2), clip) == [*EXPECTED[:-2], None, None]


def test_holes_nan_and_empty_pictures_are_no_depth(tmp_path: Path, clip: Path) -> None:
    stack = np.stack([picture(i) for i in range(N)]).astype(np.float32) / 1000
    stack[1] = np.nan
    stack[2] = 0
    stack[3, :, : W // 3] = -1.0
    stack[4, :5] = np.inf
    np.save(tmp_path / "d.npy", stack)
    assert read(tmp_path / "d.npy", clip)[:3] == [2.0, None, None]
    with open_footage(clip) as footage:
        depth = open_depth(tmp_path / "d.npy", footage)
        three, four = depth.frame(3), depth.frame(4)
        assert three is not None
        assert four is not None
        assert (three[:, : W // 3] == 0).all()
        assert np.isfinite(four).all()
        with pytest.raises(IndexError):
            depth.frame(N)
        depth.close()
    np.save(tmp_path / "nothing.npy", np.zeros((N, H, W), np.uint16))
    with pytest.raises(FootageError, match="every reading"):
        read(tmp_path / "nothing.npy", clip)


def test_what_is_no_depth_is_refused(tmp_path: Path, clip: Path) -> None:
    names = [f"{i}.png" for i in range(N)]
    eight = [np.full((H, W), 9, np.uint8)] * N
    with pytest.raises(FootageError, match="8 bits"):
        read(folder(tmp_path / "eight", names, eight), clip)
    with pytest.raises(FootageError, match="colour"):
        read(folder(tmp_path / "colour", names, [np.full((H, W, 3), 9, np.uint16)] * N), clip)
    with pytest.raises(FootageError, match="aligned"):
        read(folder(tmp_path / "size", names, [np.full((H, H), 900, np.uint16)] * N), clip)
    with pytest.raises(FootageError, match="Check the path"):
        read(tmp_path / "missing", clip)
    with pytest.raises(FootageError, match="no depth pictures"):
        read(folder(tmp_path / "empty", []), clip)
    mixed = [picture(0)] * 4 + [np.full((H // 2, W // 2), 900, np.uint16)] * 2
    with pytest.raises(FootageError, match="one size"):
        read(folder(tmp_path / "mixed", names, mixed), clip)
    np.save(tmp_path / "few.npy", np.full((N + 5, H, W), 900, np.uint16))
    with pytest.raises(FootageError, match="neither numbers"):
        read(tmp_path / "few.npy", clip)
    np.save(tmp_path / "flat.npy", np.full((H, W), 900, np.uint16))
    with pytest.raises(FootageError, match="shape"):
        read(tmp_path / "flat.npy", clip)
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}]), allow_pickle=True)
    with pytest.raises(FootageError, match="damaged"):
        read(tmp_path / "objects.npy", clip)


def test_damaged_files_say_so(tmp_path: Path, clip: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez_compressed(tmp_path / "d.npz", depth=rng.integers(900, 3000, (N, H, W)).astype(np.uint16))
    whole = (tmp_path / "d.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "noise.npy").write_bytes(rng.bytes(500))
    (tmp_path / "none.npz").write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "text.npz", "w") as archive:
        archive.writestr("depth.npy", "no array")
    for name in ("cut.npz", "noise.npy", "text.npz", "none.npz"):
        with pytest.raises(FootageError):
            read(tmp_path / name, clip)
    path = folder(tmp_path / "f", [f"{i}.png" for i in range(N)])
    (path / "0.png").write_bytes(b"\x89PNG nothing")
    with pytest.raises(FootageError, match="damaged"):
        read(path, clip)


def test_a_sensor_with_its_own_camera_is_brought_to_the_colour_picture(tmp_path: Path, clip: Path) -> None:
    def camera(width: int, height: int, shift: float) -> Camera:
        K = np.array([[60.0, 0, (width - 1) / 2], [0, 60.0, (height - 1) / 2], [0, 0, 1.0]])
        return Camera(K, width, height, t=np.array([shift, 0.0, 0.0]))

    square = [np.full((40, 40), 1000 * (i + 2), np.uint16) for i in range(N)]
    path = folder(tmp_path / "d", [f"{i}.png" for i in range(N)], square)
    cameras = camera(W, H, 0.0), camera(40, 40, 0.1)
    with open_footage(clip) as footage:
        depth = open_depth(path, footage, cameras=cameras)
        first = depth.frame(0)
        assert first is not None
        assert first.shape == (H, W)
        assert first.max() == 2.0
        assert (first[:, :5] == 0).all()  # there the narrower sensor sees nothing
        with pytest.raises(FootageError, match="calibrated at"):
            open_depth(path, footage, cameras=(cameras[0], camera(80, 80, 0.1)))


def test_depth_that_lies_beside_is_found(tmp_path: Path, clip: Path) -> None:
    video = tmp_path / "ward.mp4"
    video.write_bytes(clip.read_bytes())
    assert find_depth(video) is None
    folder(tmp_path / "ward_depth", [f"{i}.png" for i in range(N)])
    assert find_depth(video) == tmp_path / "ward_depth"
    (tmp_path / "other.mp4").write_bytes(b"")
    (tmp_path / "other_depth.mkv").write_bytes(b"")
    assert find_depth(tmp_path / "other.mp4") == tmp_path / "other_depth.mkv"


def test_one_folder_may_hold_colour_and_depth(tmp_path: Path) -> None:
    both = tmp_path / "cn01"
    both.mkdir()
    for i in (3, 5, 9):  # a recording of every other picture
        cv2.imwrite(str(both / f"{i:010d}_color.jpg"), np.full((H, W, 3), 90, np.uint8))
        if i != 5:
            cv2.imwrite(str(both / f"{i:010d}_rgbd.tiff"), picture(i))
    assert find_depth(both) == both
    footage: Footage
    with open_footage(both) as footage:
        depth = open_depth(both, footage)
        seen = [depth.frame(i) for i in range(3)]
    assert seen[1] is None
    assert [round(float(s.max()), 2) for s in seen if s is not None] == [2.3, 2.9]
