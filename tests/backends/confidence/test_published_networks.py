from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from backends.confidence.agreement import (
    PUBLISHED_CONSTANTS,
    PublishedNetworks,
    Standardise,
    load_published,
    published_data,
    save_checkpoint,
    train_mc,
    train_wjc,
)
from backends.confidence.agreement.perceptron import as_layers, n_values
from backends.confidence.agreement.published import MC_SIZES, WJC_SIZES, load_checkpoint
from backends.errors import InputError, WeightsError


class Original(torch.nn.Module):
    """A network with the original's names of layers."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        for i in range(4):
            setattr(self, f"fc{i + 1}", torch.nn.Linear(sizes[i], sizes[i + 1]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for i in range(3):
            x = torch.relu(getattr(self, f"fc{i + 1}")(x))
        return self.fc4(x)  # type: ignore[no-any-return]


class Malicious:
    """Would make a folder if anybody unpickled it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.fixture
def checkpoints(tmp_path: Path) -> tuple[Path, Path]:
    torch.manual_seed(0)
    paths = tmp_path / "classifier.pt", tmp_path / "classifier_wj.pt"
    for path, sizes in zip(paths, (MC_SIZES, WJC_SIZES)):
        torch.save(Original(sizes).state_dict(), path)
    return paths


def test_networks_in_the_originals_layout_say_what_torch_says(checkpoints: tuple[Path, Path]) -> None:
    networks = load_published(*checkpoints)
    ed = np.random.default_rng(0).gamma(2.0, 0.1, (50, 14))
    x = torch.from_numpy(
        ((ed - PUBLISHED_CONSTANTS.mean) / np.sqrt(PUBLISHED_CONSTANTS.named_std)).astype(np.float32)
    )
    mc, wjc = Original(MC_SIZES), Original(WJC_SIZES)
    mc.load_state_dict(torch.load(checkpoints[0], weights_only=True))
    wjc.load_state_dict(torch.load(checkpoints[1], weights_only=True))
    with torch.no_grad():
        assert networks.good(ed) == pytest.approx(torch.sigmoid(mc(x))[:, 0].numpy(), abs=1e-5)
        assert networks.worst(ed) == pytest.approx(wjc(x).softmax(dim=1).numpy(), abs=1e-5)


def test_the_constants_called_std_are_variances_unless_one_says_otherwise() -> None:
    ed = PUBLISHED_CONSTANTS.mean + np.sqrt(PUBLISHED_CONSTANTS.named_std)
    assert PUBLISHED_CONSTANTS(ed[None]) == pytest.approx(np.ones((1, 14)), abs=1e-5)
    literal = Standardise(PUBLISHED_CONSTANTS.mean, PUBLISHED_CONSTANTS.named_std, "as_named")
    assert literal(ed[None]) == pytest.approx(1 / np.sqrt(PUBLISHED_CONSTANTS.named_std)[None], rel=1e-5)


def test_a_missing_joint_says_nothing() -> None:
    ed = np.full((1, 14), 0.3)
    ed[0, 4] = np.nan
    assert PUBLISHED_CONSTANTS(ed)[0, 4] == 0.0


def test_a_checkpoint_that_is_written_can_be_read_by_torch(
    tmp_path: Path, checkpoints: tuple[Path, Path]
) -> None:
    layers = load_checkpoint(checkpoints[0], MC_SIZES)
    save_checkpoint(layers, tmp_path / "again.pt")
    network = Original(MC_SIZES)
    network.load_state_dict(torch.load(tmp_path / "again.pt", weights_only=True))
    assert np.array_equal(network.fc1.weight.detach().numpy(), layers.w1)


@pytest.mark.parametrize("protocol", ["zip", "legacy", "bare pickle"])
def test_a_checkpoint_with_code_in_it_is_refused_and_nothing_is_run(tmp_path: Path, protocol: str) -> None:
    made, path = tmp_path / "made_by_the_file", tmp_path / "classifier.pt"
    state = {**Original(MC_SIZES).state_dict(), "fc5.weight": Malicious(made)}
    if protocol == "bare pickle":
        path.write_bytes(pickle.dumps(Malicious(made)))
    else:
        torch.save(state, path, _use_new_zipfile_serialization=protocol == "zip")
    with pytest.raises(WeightsError, match=r"classifier\.pt holds more than weights"):
        load_checkpoint(path, MC_SIZES)
    assert not made.exists()


def broken_states() -> dict[str, Any]:
    good = Original(MC_SIZES).state_dict()
    return {
        "wider": Original((14, 12, 8, 6, 1)).state_dict(),
        "the other network": Original(WJC_SIZES).state_dict(),
        "a layer less": {k: v for k, v in good.items() if not k.startswith("fc4")},
        "other names": {k.replace("fc", "layer"): v for k, v in good.items()},
        "not a number": {**good, "fc2.bias": torch.full((8,), float("nan"))},
        "text": {**good, "fc2.bias": "eight"},
        "a list": list(good.values()),
    }


@pytest.mark.parametrize("name", broken_states())
def test_a_checkpoint_of_another_layout_is_refused_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / "other.pt"
    torch.save(broken_states()[name], path)
    with pytest.raises(WeightsError, match=r"other\.pt"):
        load_checkpoint(path, MC_SIZES)


def test_missing_empty_cut_and_huge_files_are_refused(tmp_path: Path, checkpoints: tuple[Path, Path]) -> None:
    with pytest.raises(WeightsError, match="There is no file"):
        load_checkpoint(tmp_path / "nowhere.pt", MC_SIZES)
    for content in (b"", checkpoints[0].read_bytes()[:400], b"no checkpoint at all"):
        (tmp_path / "broken.pt").write_bytes(content)
        with pytest.raises(WeightsError, match=r"broken\.pt"):
            load_checkpoint(tmp_path / "broken.pt", MC_SIZES)
    with (tmp_path / "huge.pt").open("wb") as file:
        file.truncate(20_000_000)
    with pytest.raises(WeightsError, match="far larger"):
        load_checkpoint(tmp_path / "huge.pt", MC_SIZES)


def test_training_learns_which_joint_is_worst_and_when_a_mesh_is_good() -> None:
    rng = np.random.default_rng(0)
    se = rng.gamma(2.0, 0.03, (4000, 14))
    ed = se * rng.uniform(0.8, 1.2, se.shape)
    data = published_data(ed, se, np.ones_like(se))
    networks = PublishedNetworks(train_mc(data, seed=1), train_wjc(data, seed=1), data.standardise)
    worst = networks.worst(ed)
    assert worst.sum(axis=1) == pytest.approx(np.ones(len(ed)))
    assert (worst.argmax(axis=1) == se.argmax(axis=1)).mean() > 0.5
    right = (networks.good(ed) > 0.5) == (se.max(axis=1) <= 0.1)
    assert right.mean() > 0.85


def test_the_same_seed_trains_the_same_network() -> None:
    rng = np.random.default_rng(0)
    se = rng.gamma(2.0, 0.03, (300, 14))
    data = published_data(se, se, np.ones_like(se))
    first, again, other = (train_mc(data, seed=s) for s in (4, 4, 5))
    assert np.array_equal(first.w1, again.w1)
    assert not np.array_equal(first.w1, other.w1)


def test_the_compiled_step_follows_torchs_gradient() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(32, 14)).astype(np.float32)
    target = rng.integers(0, 14, 32)
    from backends.confidence.agreement import perceptron

    flat = perceptron._fresh(WJC_SIZES, np.random.default_rng(9))
    network = Original(WJC_SIZES)
    keys = [f"fc{i}.{part}" for i in range(1, 5) for part in ("weight", "bias")]
    start = {k: torch.from_numpy(v.copy()) for k, v in zip(keys, as_layers(flat, WJC_SIZES))}
    network.load_state_dict(start)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    # One batch an epoch, so that the order within it does not matter.
    trained = perceptron.train_layers(x, target, WJC_SIZES, seed=9, epochs=5, rate=1e-2, momentum=0.0)
    for _ in range(5):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(torch.from_numpy(x)), torch.from_numpy(target))
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    for key, ours in zip(keys, trained):
        assert ours == pytest.approx(network.state_dict()[key].numpy(), abs=2e-4)
    assert len(flat) == n_values(WJC_SIZES)


def test_training_data_without_a_usable_row_is_refused() -> None:
    se = np.full((10, 14), 189_818.0)
    with pytest.raises(InputError, match="No row passes"):
        published_data(np.zeros((10, 14)), se, np.ones((10, 14)))
