"""Masks by Transformers: the real package, small networks of the layout that people bring."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from backends.errors import InputError, WeightsError
from plugins.transformers_masks import TransformersMasks, open_masks
from plugins.transformers_masks.load import Opened, Preparation
from plugins.transformers_masks.masks import prepared

_SIZE = {"size": {"shortest_edge": 64, "longest_edge": 128}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Mask2Former of a few thousand weights, as Transformers writes it."""
    from transformers import Mask2FormerConfig, Mask2FormerForUniversalSegmentation, SwinConfig

    torch.manual_seed(0)
    backbone = SwinConfig(
        embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=4,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = Mask2FormerConfig(
        backbone_config=backbone, feature_size=32, mask_feature_size=32, hidden_dim=32,
        encoder_feedforward_dim=16, encoder_layers=1, decoder_layers=2, num_attention_heads=2,
        dim_feedforward=16, num_queries=5, id2label={0: "person", 1: "car", 2: "cat"},
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("mask2former")
    Mask2FormerForUniversalSegmentation(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(_SIZE))
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    for file in saved.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def changed(folder: Path, name: str, **values: Any) -> None:
    told = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps(told | values))


def sure_of(source: TransformersMasks, place: int) -> None:
    """Let every query say the same class."""
    head = source._network.class_predictor
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()
        head.bias[place] = 9.0


def test_a_saved_network_opens_and_gives_masks_of_people_only(saved: Path) -> None:
    source = open_masks(saved)
    image = np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8)
    sure_of(source, 0)
    found = source.masks(0, image)
    assert found
    for mask in found:
        assert mask.x0 + mask.width <= 160
        assert mask.y0 + mask.height <= 90
        assert mask.decode().any()
    for other in (1, 3):  # a car, nothing
        sure_of(source, other)
        assert list(source.masks(0, image)) == []


def test_a_picture_is_scaled_and_padded_and_its_masks_lie_where_they_should() -> None:
    class Bright(torch.nn.Module):
        """Sees people where the picture is bright, at a quarter of the size as such networks do."""

        def forward(self, pixel_values: torch.Tensor) -> dict[str, torch.Tensor]:
            shapes = torch.nn.functional.avg_pool2d(pixel_values.mean(dim=1, keepdim=True), 4)
            return {"class_queries_logits": torch.tensor([[[5.0, 0.0]]]), "masks_queries_logits": shapes}

    image = np.zeros((120, 200, 3), np.uint8)
    image[40:100, 60:90] = 255
    how = Preparation(short=96, long=160, mean=(0.5,) * 3, std=(0.5,) * 3)
    picture, (h, w) = prepared(image, how)
    assert picture.shape == (3, 96, 160)
    assert (h, w) == (96, 160)
    assert prepared(image, Preparation(short=50, long=70))[0].shape == (3, 64, 96)
    (mask,) = TransformersMasks(Opened(Bright(), how, (0,))).masks(0, image)
    assert abs(mask.x0 - 60) <= 4
    assert abs(mask.y0 - 40) <= 4
    assert abs(mask.width - 30) <= 8
    assert abs(mask.height - 60) <= 8


def test_another_answer_than_queries_is_told() -> None:
    class Odd(torch.nn.Module):
        def forward(self, pixel_values: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"logits": torch.zeros(1, 4, 3)}

    source = TransformersMasks(Opened(Odd(), Preparation(short=32, long=32), (0,)))
    with pytest.raises(InputError, match="queries"):
        source.masks(0, np.zeros((32, 32, 3), np.uint8))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"model_type": "oneformer"}, "kind 'oneformer'"),
        ({"id2label": {"0": "road"}}, "names no class 'person'"),
        ({"id2label": "person"}, "names no class 'person'"),
    ],
)
def test_a_model_that_is_not_known_or_knows_no_people(folder: Path, values: Any, said: str) -> None:
    changed(folder, "config.json", **values)
    with pytest.raises(WeightsError, match=said):
        open_masks(folder)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"size": {"shortest_edge": 9_999_999}}, "cannot be meant"),
        ({"size": 0}, "cannot be meant"),
        ({"image_std": [0, 1, 1]}, "above zero"),
        ({"image_mean": [1, 2]}, "three numbers"),
        ({"image_mean": [float("nan")] * 3}, "three numbers"),
    ],
)
def test_senseless_preparations(folder: Path, values: Any, said: str) -> None:
    changed(folder, "preprocessor_config.json", **values)
    with pytest.raises(WeightsError, match=said):
        open_masks(folder)


def test_damaged_files_and_pickles_are_refused(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = folder / "model.safetensors"
    state = load_file(weights)
    lacking = dict(list(state.items())[1:])
    save_file(lacking, weights, metadata={"format": "pt"})
    with pytest.raises(WeightsError, match="lacks 1 of"):
        open_masks(folder)
    name = "class_predictor.bias"
    save_file(state | {name: torch.full_like(state[name], torch.nan)}, weights, metadata={"format": "pt"})
    with pytest.raises(WeightsError, match="no numbers"):
        open_masks(folder)
    weights.write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00{}garbage")
    with pytest.raises(WeightsError, match="does not open"):
        open_masks(folder)
    weights.rename(folder / "pytorch_model.bin")
    with pytest.raises(WeightsError, match="no safetensors"):
        open_masks(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(WeightsError, match="damaged"):
        open_masks(folder)
    (folder / "config.json").write_text("[1]")
    with pytest.raises(WeightsError, match="no table"):
        open_masks(folder)
    (folder / "config.json").unlink()
    with pytest.raises(WeightsError, match="holds no model"):
        open_masks(folder)
