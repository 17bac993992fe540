"""MobileNetV2's features: read by name, computed as the network is defined, closed to anything else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from backends.errors import InputError, WeightsError
from backends.identity.appearance import AppearanceEmbedder

STAGES = ((1, 4, 1, 1), (2, 6, 2, 2), (2, 6, 1, 1))
SMALL = {"stages": STAGES, "stem": 8, "last": 12}


class Block(nn.Module):
    def __init__(self, before: int, after: int, stride: int, widening: int) -> None:
        super().__init__()
        inner = before * widening
        first = [nn.Conv2d(before, inner, 1, bias=False), nn.BatchNorm2d(inner), nn.ReLU6()]
        rest = [
            nn.Conv2d(inner, inner, 3, stride, 1, groups=inner, bias=False), nn.BatchNorm2d(inner),
            nn.ReLU6(), nn.Conv2d(inner, after, 1, bias=False), nn.BatchNorm2d(after),
        ]  # fmt: skip
        self.conv = nn.Sequential(*(first if widening != 1 else []), *rest)
        self.adds = stride == 1 and before == after

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv(x) if self.adds else self.conv(x)


class Network(nn.Module):
    """The paper's network, in few and narrow layers."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6())
        ]
        before = 8
        for widening, after, blocks, stride in STAGES:
            for i in range(blocks):
                layers.append(Block(before, after, stride if i == 0 else 1, widening))
                before = after
        layers.append(nn.Sequential(nn.Conv2d(before, 12, 1, bias=False), nn.BatchNorm2d(12), nn.ReLU6()))
        self.features = nn.Sequential(*layers)


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    made = Network()
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values in (module.weight, module.bias, module.running_mean):
                nn.init.normal_(values)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return made.eval()


def saved(state: Any, path: Path) -> Path:
    torch.save(state, path)
    return path


def test_the_features_are_those_of_the_network(network: Network, tmp_path: Path) -> None:
    net = AppearanceEmbedder(saved(network.state_dict(), tmp_path / "net.pt"), **SMALL)
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (224, 224, 3), np.uint8) for _ in range(3)]
    x = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2) / 255
    x = (x - torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(
        1, 3, 1, 1
    )
    with torch.inference_mode():
        expected = network.features(x).mean(3).mean(2).numpy()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(net.embed(pictures), expected, atol=1e-5)
    assert net.embed([]).shape == (0, 12)
    with pytest.raises(InputError, match="224 x 224"):
        net.embed([np.zeros((224, 100, 3), np.uint8)])


def test_classes_at_the_end_do_not_matter(network: Network, tmp_path: Path) -> None:
    state = {**network.state_dict(), "classifier.1.weight": torch.zeros(3, 12)}
    AppearanceEmbedder(saved(state, tmp_path / "net.pt"), **SMALL)


def damaged(state: dict[str, Any], how: str) -> Any:
    name = "features.1.conv.0.weight"
    if how == "lacking":
        del state[name]
    elif how == "another shape":
        state[name] = torch.zeros(2, 2)
    elif how == "whole numbers":
        state[name] = state[name].long()
    elif how == "no numbers":
        state[name] = torch.full_like(state[name], torch.nan)
    elif how == "variance below 0":
        state["features.0.1.running_var"] = -torch.ones(8)
    elif how == "more layers":
        state["features.9.conv.0.weight"] = torch.zeros(1)
    elif how == "a list":
        return [1, 2, 3]
    return state


@pytest.mark.parametrize(
    "how",
    ["lacking", "another shape", "whole numbers", "no numbers", "variance below 0", "more layers", "a list"],
)
def test_other_weights_are_refused(network: Network, tmp_path: Path, how: str) -> None:
    path = saved(damaged(dict(network.state_dict()), how), tmp_path / "net.pt")
    with pytest.raises(WeightsError, match=r"net\.pt"):
        AppearanceEmbedder(path, **SMALL)


class Runs:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("ran"),))


def test_nothing_in_the_file_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = saved({"features.0.0.weight": Runs()}, tmp_path / "net.pt")
    with pytest.raises(WeightsError, match="more than weights"):
        AppearanceEmbedder(path)
    assert not (tmp_path / "ran").exists()
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(WeightsError, match="damaged"):
        AppearanceEmbedder(path)
    with pytest.raises(WeightsError, match="cannot be read"):
        AppearanceEmbedder(tmp_path / "none.pt")
