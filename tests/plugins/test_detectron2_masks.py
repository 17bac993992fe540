"""Masks by Detectron2: a small package of the same calls, weights in all three forms that people have."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from app.errors import ModelError
from app.models.convert import convert_weights
from backends.errors import InputError, WeightsError
from plugins.detectron2_masks import open_masks
from plugins.detectron2_masks.load import read_weights

H, W = 60, 100

_CONFIG = """
from types import SimpleNamespace


class Settings(SimpleNamespace):
    def merge_from_file(self, path, allow_unsafe=True):
        with open(path) as file:
            text = file.read()
        if allow_unsafe or "!!python" in text:
            raise ValueError("would run what it names")
        if "short:" in text:
            self.INPUT.MIN_SIZE_TEST = int(text.split("short:")[1].split()[0])
        if "format:" in text:
            self.INPUT.FORMAT = text.split("format:")[1].split()[0]
        if "masks: off" in text:
            self.MODEL.MASK_ON = False


def get_cfg():
    return Settings(
        MODEL=SimpleNamespace(DEVICE="cuda", WEIGHTS="somewhere", MASK_ON=True),
        INPUT=SimpleNamespace(FORMAT="BGR", MIN_SIZE_TEST=40, MAX_SIZE_TEST=80),
    )
"""
_MODELING = """
import torch
from types import SimpleNamespace


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(2, 2)
        self.register_buffer("pixel_mean", torch.zeros(3))

    def forward(self, given):
        (one,) = given
        self.shown = one["image"]
        h, w = one["height"], one["width"]
        masks = torch.zeros(4, h, w, dtype=torch.bool)
        masks[0, 10:30, 20:50] = True
        masks[1, 0:5, 0:5] = True
        masks[2, 50:, 90:] = True
        found = SimpleNamespace(
            pred_classes=torch.tensor([0, 2, 0, 0]), scores=torch.tensor([0.9, 0.99, 0.2, 0.8]),
            pred_masks=masks[:, : h - 1] if getattr(self, "odd", False) else masks,
        )
        return [{"instances": found}]


def build_model(cfg):
    assert cfg.MODEL.WEIGHTS == "" and cfg.MODEL.DEVICE == "cpu"
    return Net()
"""


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("1 + 1",)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration, and a package called detectron2 that can be imported while a test runs."""
    package = tmp_path / "site" / "detectron2"
    package.mkdir(parents=True)
    for name, text in {"__init__": "", "config": _CONFIG, "modeling": _MODELING}.items():
        (package / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    for name in [n for n in sys.modules if n.split(".")[0] == "detectron2"]:
        monkeypatch.delitem(sys.modules, name)
    yaml = tmp_path / "mask_rcnn.yaml"
    yaml.write_text("nothing: else\n")
    yield yaml
    for name in [n for n in sys.modules if n.split(".")[0] == "detectron2"]:
        del sys.modules[name]


def state() -> dict[str, torch.Tensor]:
    return {"head.weight": torch.eye(2), "head.bias": torch.zeros(2)}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "model_final.pth"
    torch.save({"model": state(), "iteration": 9}, path)
    return path


def test_people_are_found_and_the_picture_is_shown_in_the_order_that_is_wanted(
    config: Path, weights: Path
) -> None:
    image = np.zeros((H, W, 3), np.uint8)
    image[..., 0] = 200  # red
    source = open_masks(config, weights)
    (mask,) = source.masks(0, image)  # a car, somebody doubtful and an empty mask are left out
    assert (mask.x0, mask.y0, mask.width, mask.height) == (20, 10, 30, 20)
    assert mask.decode().all()
    shown = source._opened.network.shown
    assert shown.shape == (3, 40, 67)
    assert shown[2].min() == 200
    assert shown[:2].max() == 0
    config.write_text("format: RGB short: 32\n")
    other = open_masks(config, weights)
    other.masks(0, image)
    assert other._opened.network.shown.shape == (3, 32, 53)
    assert other._opened.network.shown[0].min() == 200
    other._opened.network.odd = True
    with pytest.raises(InputError, match="masks of"):
        other.masks(0, image)


def test_weights_of_the_model_zoo_come_through_a_child_that_reads_arrays_only(
    config: Path, tmp_path: Path
) -> None:
    zoo = tmp_path / "model_final.pkl"
    zoo.write_bytes(pickle.dumps({"model": {k: v.numpy() for k, v in state().items()}, "__author__": "zoo"}))
    npz = convert_weights(zoo, tmp_path / "kept.npz")
    assert set(read_weights(npz)) == set(state())
    assert open_masks(config, npz).masks(0, np.zeros((H, W, 3), np.uint8))
    for bad, said in (
        ({"model": {"head.weight": Evil()}}, "no array"),
        ({"model": {"a": np.ones(2)}, "matching_heuristics": True}, "another program's"),
        ({"model": {}}, "no weights"),
        ({"model": {"a": "text"}}, "no numbers"),
        ([1], "no table"),
    ):
        zoo.write_bytes(pickle.dumps(bad))
        with pytest.raises(ModelError, match=said):
            convert_weights(zoo, tmp_path / "other.npz")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("!!python/object/apply:os.system ['x']", "read safely"),
        ("masks: off", "without masks"),
        ("format: YUV", "as YUV"),
        ("short: 99999", "cannot be meant"),
    ],
)
def test_configurations_that_are_unsafe_or_of_no_use(
    config: Path, weights: Path, text: str, said: str
) -> None:
    config.write_text(text)
    with pytest.raises(WeightsError, match=said):
        open_masks(config, weights)


def test_weights_that_are_damaged_unsafe_or_do_not_fit(config: Path, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "weights.pth"
    for told, said in (
        ({"model": {"head.weight": torch.eye(2)}}, "lacks 1 weights"),
        ({"model": state() | {"head.bias": torch.full((2,), torch.nan)}}, "no numbers"),
        ({"model": state() | {"head.bias": torch.zeros(3)}}, "does not fit"),
        ({"model": state() | {"more": [1]}}, "something else"),
        ({}, "no weights"),
        (Evil(), "damaged, or holds more"),
    ):
        torch.save(told, path)
        with pytest.raises(WeightsError, match=said):
            open_masks(config, path)
    path.write_bytes(b"PK\x03\x04 nonsense")
    with pytest.raises(WeightsError, match="damaged"):
        open_masks(config, path)
    for suffix in (".npz", ".safetensors"):
        path.with_suffix(suffix).write_bytes(b"nonsense")
        with pytest.raises(WeightsError, match="damaged"):
            open_masks(config, path.with_suffix(suffix))
    with pytest.raises(WeightsError, match="cannot be read"):
        open_masks(config, tmp_path / "none.pth")
    save_file(state(), tmp_path / "whole.safetensors")
    open_masks(config, tmp_path / "whole.safetensors")
    with pytest.raises(WeightsError, match="no file"):
        open_masks(tmp_path / "none.yaml", path)


def test_without_the_package_it_says_so(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "detectron2", None)
    with pytest.raises(WeightsError, match="not installed"):
        open_masks(tmp_path / "x.yaml", weights)
