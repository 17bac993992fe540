"""The seam for E2FGVI, with a small network of the same call and a checkpoint of the same layout."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
import torch

from app.errors import ModelError
from app.export import inpainters
from app.export.inpainters import open_inpainter
from backends.background import MaskedFrame
from backends.errors import InputError, WeightsError
from plugins.e2fgvi.inpainter import E2FGVI
from plugins.e2fgvi.load import load_network, read_checkpoint

HEIGHT, WIDTH = 48, 80

_CODE = """
import torch
from core.utils import grey


class InpaintGenerator(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.Conv2d(3, 4, 3, padding=1)
        self.decoder = torch.nn.Conv2d(4, 3, 3, padding=1)

    def forward(self, masked_frames, num_local_frames):
        b, t, c, h, w = masked_frames.size()
        out = torch.tanh(self.decoder(self.encoder(masked_frames.view(b * t, c, h, w))))
        return out[:num_local_frames] + grey, None
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder laid out as the authors' repository is."""
    for name, text in {
        "model/__init__.py": "", "model/e2fgvi_hq.py": _CODE, "core/__init__.py": "",
        "core/utils.py": "grey = 0.0",
    }.items():  # fmt: skip
        file = tmp_path / "clone" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "clone"


def weights(folder: Path) -> Path:
    generator = torch.Generator().manual_seed(3)
    shapes = {
        "encoder.weight": (4, 3, 3, 3),
        "encoder.bias": (4,),
        "decoder.weight": (3, 4, 3, 3),
        "decoder.bias": (3,),
    }
    path = folder / "checkpoint.pth"
    torch.save({k: 0.1 * torch.randn(s, generator=generator) for k, s in shapes.items()}, path)
    return path


class Recorder:
    """Paints frames in a grey that tells which call it was; keeps what it was shown."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, tuple[int, ...]]] = []
        self.shown: list[torch.Tensor] = []

    def __call__(self, frames: torch.Tensor, n_local: int) -> tuple[torch.Tensor, None]:
        self.calls.append((n_local, tuple(frames.shape)))
        self.shown.append(frames)
        value = -1 + 0.1 * len(self.calls)
        return torch.full((n_local, *frames.shape[2:]), value), None


def recording(n: int) -> Iterator[MaskedFrame]:
    for index in range(n):
        image = np.full((HEIGHT, WIDTH, 3), 10 + index, np.uint8)
        mask = np.zeros((HEIGHT, WIDTH), np.bool_)
        mask[10:30, 20:40] = True
        image[mask] = (250, 0, 200)
        yield MaskedFrame(index, image, mask)


def test_neighbours_references_and_padding_are_the_authors() -> None:
    network = Recorder()
    rooms = list(E2FGVI(network, size=(WIDTH, HEIGHT)).rooms(recording(23)))
    assert len(rooms) == 23
    # Asked about frames 0, 5, 10, 15, 20 with five neighbours on each side, within the video.
    assert [local for local, _ in network.calls] == [6, 11, 11, 11, 8]
    # Every tenth frame that is no neighbour: 10 and 20; 20; 0 and 20; 0; 0 and 10.
    references = [shape[1] - local for local, shape in network.calls]
    assert references == [2, 1, 2, 1, 2]
    assert all(shape[3:] == (60, 108) for _, shape in network.calls)


def test_frames_painted_twice_are_the_mean_of_both() -> None:
    frames = list(recording(12))
    rooms = list(E2FGVI(Recorder(), size=(WIDTH, HEIGHT)).rooms(iter(frames)))
    calls_of = {0: [1, 2], 3: [1, 2], 11: [3]}
    calls_of[7] = [2, 3]
    for index, calls in calls_of.items():
        value = np.mean([-1 + 0.1 * c for c in calls])
        expected = round((value + 1) * 127.5)
        assert np.abs(rooms[index].rgb[frames[index].hidden].astype(int) - expected).max() <= 1
        np.testing.assert_array_equal(
            rooms[index].rgb[~frames[index].hidden], frames[index].rgb[~frames[index].hidden]
        )
        assert rooms[index].lit
        assert rooms[index].seen_fraction == pytest.approx(1 - frames[index].hidden.mean())


def test_the_network_is_shown_no_pixel_of_a_person() -> None:
    network = Recorder()
    list(E2FGVI(network, size=(WIDTH, HEIGHT)).rooms(recording(6)))
    shown = network.shown[0][0, :, :, 10:30, 20:40]
    assert (shown == 0).all()


def test_upright_video_is_shown_upright() -> None:
    network = Recorder()
    upright = [
        MaskedFrame(i, np.full((160, 90, 3), 90, np.uint8), np.ones((160, 90), np.bool_)) for i in range(2)
    ]
    rooms = list(E2FGVI(network, size=(WIDTH, HEIGHT)).rooms(upright))
    assert all(room.rgb.shape == (160, 90, 3) for room in rooms)
    shape = network.calls[0][1]
    assert shape[3] >= WIDTH
    assert shape[3:] == (-(-WIDTH // 60) * 60, -(-HEIGHT // 108) * 108)


def test_a_long_video_is_not_held_in_memory() -> None:
    alive: list[weakref.ref[np.ndarray]] = []

    def camera() -> Iterator[MaskedFrame]:
        for frame in recording(160):
            alive.append(weakref.ref(frame.rgb))
            yield frame

    most = 0
    count = 0
    for _ in E2FGVI(Recorder(), size=(WIDTH, HEIGHT)).rooms(camera()):
        count += 1
        most = max(most, sum(r() is not None for r in alive))
    assert count == 160
    assert most <= 70


def test_nothing_and_one_frame() -> None:
    assert list(E2FGVI(Recorder(), size=(WIDTH, HEIGHT)).rooms(iter([]))) == []
    assert len(list(E2FGVI(Recorder(), size=(WIDTH, HEIGHT)).rooms(recording(1)))) == 1


def test_a_network_that_gives_something_else_is_told() -> None:
    def wrong(frames: torch.Tensor, n_local: int) -> tuple[torch.Tensor, None]:
        return frames[0, :1], None

    with pytest.raises(InputError, match="the network gave"):
        list(E2FGVI(wrong, size=(WIDTH, HEIGHT)).rooms(recording(4)))


def test_code_and_checkpoint_of_the_authors_layout_are_loaded(clone: Path, tmp_path: Path) -> None:
    path = weights(tmp_path)
    before = set(sys.modules), list(sys.path)
    inpainter = open_inpainter("e2fgvi", clone, path)
    assert {n for n in set(sys.modules) - before[0] if n.split(".")[0] in ("model", "core")} == set()
    assert sys.path == before[1]
    network = load_network(clone, path)
    torch.testing.assert_close(dict(network.state_dict()), dict(read_checkpoint(path)))
    rooms = list(inpainter.rooms(recording(3)))
    assert len(rooms) == 3
    assert all(len(np.unique(r.rgb[10:30, 20:40])) > 1 for r in rooms)


def test_what_is_missing_or_does_not_fit_is_told(clone: Path, tmp_path: Path) -> None:
    path = weights(tmp_path)
    with pytest.raises(ModelError, match="no inpainter 'propainter'"):
        open_inpainter("propainter", clone, path)
    with pytest.raises(ModelError, match="no copy of E2FGVI"):
        open_inpainter("e2fgvi", tmp_path, path)
    with pytest.raises(ModelError, match="cannot be read"):
        open_inpainter("e2fgvi", clone, tmp_path / "missing.pth")
    torch.save({"encoder.weight": torch.zeros(4, 3, 3, 3)}, tmp_path / "other.pth")
    with pytest.raises(ModelError, match="does not fit"):
        open_inpainter("e2fgvi", clone, tmp_path / "other.pth")
    (clone / "core" / "utils.py").write_text("import a_package_that_nobody_has")
    with pytest.raises(ModelError, match="does not start"):
        open_inpainter("e2fgvi", clone, path)


class _Hostile:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return (Path.touch, (self.target,))


def test_a_checkpoint_that_holds_more_than_weights_runs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "bad.pth"
    torch.save({"encoder.weight": _Hostile(tmp_path / "touched")}, path)
    with pytest.raises(WeightsError, match="more than weights"):
        read_checkpoint(path)
    assert not (tmp_path / "touched").exists()
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(WeightsError, match="damaged"):
        read_checkpoint(path)
    torch.save([1, 2], path)
    with pytest.raises(WeightsError, match="by name"):
        read_checkpoint(path)
    torch.save({"a": torch.tensor([float("nan")])}, path)
    with pytest.raises(WeightsError, match="no numbers"):
        read_checkpoint(path)
    torch.save({"a": 3}, path)
    with pytest.raises(WeightsError, match="something else"):
        read_checkpoint(path)


def test_others_are_found_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = EntryPoint("painter", "plugins.e2fgvi:open_inpainter", inpainters.GROUP)
    monkeypatch.setattr("app.export.inpainters.entry_points", lambda group: [theirs])
    assert set(inpainters.inpainters()) == {"e2fgvi", "painter"}
