"""ONNX networks take pictures of any size, give what another engine gives, and damaged ones are named."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from app.models.store import ModelStore
from backends.errors import WeightsError
from backends.onnx import PictureNetwork, of_any_size
from backends.synthetic import open_scene

F4 = np.ndarray


def _network(weights: F4) -> bytes:
    """Two convolutions side by side, stored for ten pictures of 32x32, weights listed among the inputs."""

    def value(name: str, shape: tuple[int, ...]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)

    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["in", w], [name], pads=[1, 1, 1, 1])
            for name, w in (("used", "w"), ("unused", "w2"))
        ],
        "net",
        [value("in", (10, 3, 32, 32)), value("w", weights.shape), value("w2", weights.shape)],
        [value(name, (10, 2, 32, 32)) for name in ("used", "unused")],
        [numpy_helper.from_array(weights, name) for name in ("w", "w2")],
    )
    model = helper.make_model(graph, ir_version=4, opset_imports=[helper.make_opsetid("", 9)])
    return bytes(model.SerializeToString())


@pytest.fixture(scope="module")
def weights() -> F4:
    return np.random.default_rng(1).normal(size=(2, 3, 3, 3)).astype(np.float32)


def test_a_network_stored_for_one_size_takes_any(tmp_path: Path, weights: F4) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(_network(weights))
    network = PictureNetwork(path, ("used",), "net")
    for height, width in ((8, 12), (33, 20)):
        picture = np.random.default_rng(2).normal(size=(1, 3, height, width)).astype(np.float32)
        expected = [
            sum(
                cv2.filter2D(picture[0, c], -1, kernel[c], borderType=cv2.BORDER_CONSTANT)
                for c in range(3)
            )
            for kernel in weights
        ]  # fmt: skip
        (found,) = network.run(picture)
        np.testing.assert_allclose(found[0], np.stack(expected), atol=1e-4)


def test_nothing_is_kept_that_only_other_outputs_need(weights: F4) -> None:
    whole = _network(weights)
    bare = of_any_size(whole, ("used",))
    assert b"unused" not in bare
    assert b"w2" not in bare
    assert len(bare) < len(whole) - weights.nbytes


def test_another_network_is_named(tmp_path: Path, weights: F4) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(_network(weights))
    with pytest.raises(WeightsError, match="another network"):
        PictureNetwork(path, ("537",), "net")


def test_a_file_cut_anywhere_is_named(tmp_path: Path, weights: F4) -> None:
    whole = _network(weights)
    path = tmp_path / "net.onnx"
    for length in [*range(0, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(WeightsError, match=r"net\.onnx"):
            PictureNetwork(path, ("used",), "net")


def test_constants_in_other_files_are_not_read(tmp_path: Path, weights: F4) -> None:
    model = onnx.load_model_from_string(_network(weights))
    outside = model.graph.initializer[0]
    outside.ClearField("raw_data")
    outside.data_location = onnx.TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="/etc/hostname")
    path = tmp_path / "net.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(WeightsError, match=r"net\.onnx is damaged"):
        PictureNetwork(path, ("used",), "net")


@pytest.mark.parametrize(
    "data",
    [
        b"\xff" * 40,
        b"\x0b\x00",
        b"\x3a\x02\xff\xff",
        struct.pack("<Q", 1),
        b"\x3a\x05\x5a\x03\x0a\xff\xff",
    ],
)
def test_nonsense_is_no_network(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=r"net\.onnx"):
        PictureNetwork(path, ("used",), "net")


@pytest.mark.network_weights
def test_centerface_gives_what_opencv_makes_of_it() -> None:
    store = ModelStore()
    if not store.has("centerface"):
        pytest.skip("the face network is not installed")
    path, names = store.path("centerface"), ("537", "538", "539", "540")
    image = next(open_scene("interview", people=2, seconds=1, seed=3).frames()).views[0].image
    other, network = cv2.dnn.readNetFromONNX(str(path)), PictureNetwork(path, names, "centerface")
    for size in ((320, 192), (96, 128)):
        picture = cv2.dnn.blobFromImage(image, 1.0, size, (0, 0, 0), swapRB=False)
        other.setInput(picture)
        for ours, theirs in zip(network.run(picture), other.forward(list(names))):
            np.testing.assert_allclose(ours, theirs, atol=1e-3)
