"""dlib's face network: read as dlib writes it, computed as dlib computes it, and closed to damaged files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from backends.errors import InputError, WeightsError
from backends.identity.dlib_face import DlibFaceEmbedder
from tests.backends.identity.dlib_writer import MEAN, STAGES, Network, number, numbers, text


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.integers(0, 256, (150, 150, 3), np.uint8) for _ in range(3)]


def plainly(network: Network, pictures: list[np.ndarray]) -> np.ndarray:
    """What the network says, layer by layer in the order in which dlib names them."""
    x = torch.from_numpy(np.stack(pictures).astype(np.float32)).permute(0, 3, 1, 2)
    x = (x - torch.tensor(MEAN).view(1, 3, 1, 1)) / 256
    left = iter(network.convolutions)

    def layer(x: torch.Tensor, stride: int) -> torch.Tensor:
        w, b, g, s = (torch.from_numpy(v) for v in next(left))
        x = functional.conv2d(x, w, b, stride, w.shape[-1] // 2 if stride == 1 else 0)
        return x * g.view(1, -1, 1, 1) + s.view(1, -1, 1, 1)

    x = functional.max_pool2d(functional.relu(layer(x, 2)), 3, 2)
    for _, blocks, halves in network.stages:
        for i in range(blocks):
            down = halves and i == 0
            y = layer(functional.relu(layer(x, 2 if down else 1)), 1)
            if down:
                x = functional.avg_pool2d(x, 2)
            total = torch.zeros(len(x), *(max(p, q) for p, q in zip(x.shape[1:], y.shape[1:])))
            for part in (x, y):
                total[:, : part.shape[1], : part.shape[2], : part.shape[3]] += part
            x = functional.relu(total)
    return (x.mean(dim=(2, 3)) @ torch.from_numpy(network.last)).numpy()


def test_every_layer_is_read_and_computed_as_dlib_does(tmp_path: Path, pictures: list[np.ndarray]) -> None:
    network = Network()
    net = DlibFaceEmbedder(network.write(tmp_path / "net.dat"), STAGES)
    expected = plainly(network, pictures)
    np.testing.assert_allclose(net.raw(pictures), expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    np.testing.assert_allclose(np.linalg.norm(net.embed(pictures), axis=1), 1, atol=1e-6)


@pytest.mark.network_weights
def test_dlibs_own_weights_say_what_they_say_in_dlib() -> None:
    """The first numbers of dlib 20.0 for a made-up picture."""
    from app.models.store import ModelStore

    models = ModelStore()
    if not models.has("face-identity"):
        pytest.skip("dlib's face network is not installed (understudy models install face-identity)")
    y, x = np.mgrid[:150, :150]
    picture = np.stack([(x * 1.7) % 256, (y * 1.3) % 256, (x * y / 40) % 256], axis=-1).astype(np.uint8)
    found = DlibFaceEmbedder(models.path("face-identity")).raw([picture])[0]
    expected = [-0.054574, 0.108572, 0.062529, 0.003366, -0.069382, -0.033258]
    np.testing.assert_allclose(found[:6], expected, atol=1e-4)
    assert float(np.linalg.norm(found)) == pytest.approx(1.316582, abs=1e-4)


def test_no_picture_gives_no_vector(tmp_path: Path) -> None:
    net = DlibFaceEmbedder(Network().write(tmp_path / "net.dat"), STAGES)
    assert net.embed([]).shape == (0, 128)


@pytest.mark.parametrize(
    "picture", [np.zeros((149, 150, 3), np.uint8), np.zeros((150, 150, 3)), np.zeros((150, 150), np.uint8)]
)
def test_other_pictures_are_refused(tmp_path: Path, picture: np.ndarray) -> None:
    net = DlibFaceEmbedder(Network().write(tmp_path / "net.dat"), STAGES)
    with pytest.raises(InputError, match="150 x 150"):
        net.embed([picture])


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = Network().written()
    path = tmp_path / "net.dat"
    for end in (0, 1, 3, 17, 60, 120, 5000, len(whole) // 2, len(whole) - 40, len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(WeightsError, match=r"net\.dat"):
            DlibFaceEmbedder(path, STAGES)


WHOLE = Network().written()
HOSTILE = {
    "nothing of dlib's": b"\x80\x04\x95" + WHOLE,
    "another network": WHOLE.replace(text("loss_metric_2"), text("loss_multi_9x")),
    "other layers": WHOLE.replace(text("relu_"), text("tanh_"), 1),
    "a huge tensor": WHOLE.replace(
        text("con_4") + number(2), text("con_4") + numbers(2, 1 << 60, 1 << 60, 1, 1), 1
    ),
    "a negative size": WHOLE.replace(text("con_4") + number(2), text("con_4") + numbers(2, -5), 1),
    "a name without end": WHOLE.replace(text("loss_metric_2"), number(1 << 62), 1),
    "a number of 100 bytes": b"\x64" + WHOLE[1:],
    "no truth value": WHOLE.replace(b"110", b"1x0", 1),
    "more behind it": WHOLE + b"\0",
    "an endless exponent": WHOLE.replace(
        text("loss_metric_2"), text("loss_metric_2") + numbers(1, 1 << 40), 1
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_files_are_refused(tmp_path: Path, name: str) -> None:
    assert HOSTILE[name] != WHOLE
    (tmp_path / "net.dat").write_bytes(HOSTILE[name])
    with pytest.raises(WeightsError, match=r"net\.dat is damaged, or another network"):
        DlibFaceEmbedder(tmp_path / "net.dat", STAGES)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    data = bytearray(WHOLE)
    place = data.index(text("con_4")) + len(text("con_4") + numbers(2, 32 * 3 * 49 + 32, 1, 1, 1)) + 40
    data[place : place + 8] = np.full(2, value, "<f4").tobytes()
    (tmp_path / "net.dat").write_bytes(bytes(data))
    with pytest.raises(WeightsError, match="no numbers"):
        DlibFaceEmbedder(tmp_path / "net.dat", STAGES)


def test_a_file_that_is_not_there_or_far_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be read"):
        DlibFaceEmbedder(tmp_path / "none.dat")
    huge = tmp_path / "huge.dat"
    with huge.open("wb") as file:
        file.truncate(300_000_000)
    with pytest.raises(WeightsError, match="larger"):
        DlibFaceEmbedder(huge)
