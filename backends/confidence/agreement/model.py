"""How wrong each joint of a mesh may be, from how far two estimators are apart and how sure one is."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from backends.confidence.agreement.features import F4, check_rows
from backends.confidence.agreement.joints import MIRROR, N_JOINTS
from backends.confidence.agreement.network import (
    N_CHANNELS,
    THRESHOLDS,
    WRONG,
    AgreementNet,
    AttentionNet,
    channels,
    mean_error,
)
from backends.errors import InputError, WeightsError

_FORMAT = "understudy-agreement-2"
_BATCH = 1024
"""Rows at a time: what they need stays in the cache of a core; 8192 take twice as long."""
_LARGEST_FILE, _MOST_MEMBERS, _WIDEST = 100_000_000, 64, 4096

Net = AgreementNet | AttentionNet
_KINDS: Final[dict[str, type[Net]]] = {"context": AgreementNet, "attention": AttentionNet}


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What the model says of N bodies.

    Attributes:
        error: (N, 14) expected SE, half crops (times 112 gives pixels of the crop).
        wrong: (N, 14) probability that SE > 0.1.
        worst: (N, 14) probability of being the worst joint; rows add up to one.
        good: (N,) probability that no joint is wrong.
    """

    error: F4
    wrong: F4
    worst: F4
    good: F4


class AgreementModel:
    """An average of small networks. Stateless after construction; safe to share between threads.

    Args:
        members: the networks.
        sides: (14,) by which expected errors are multiplied. The networks judge a body and its mirror image
            alike, but what is called truth may lie farther off on one side; see ``train_agreement``.
    """

    def __init__(self, members: Sequence[Net], sides: npt.ArrayLike | None = None) -> None:
        self.members = [m.eval() for m in members]
        self.sides: F4 = np.ones(N_JOINTS, np.float32) if sides is None else np.asarray(sides, np.float32)

    @classmethod
    def together(cls, models: Sequence[AgreementModel]) -> AgreementModel:
        """The average of several models of the same inputs."""
        sides = np.exp(np.mean([np.log(m.sides) for m in models], axis=0))
        return cls([net for m in models for net in m.members], sides)

    @property
    def n_extra(self) -> int:
        """Number of inputs a joint beyond ED and confidence (neighbours in time)."""
        return int(self.members[0].mean.shape[1]) - N_CHANNELS

    def predict(
        self, ed: npt.ArrayLike, confidence: npt.ArrayLike, extra: npt.NDArray[np.float32] | None = None
    ) -> Prediction:
        """Predict for ED (N, 14) in half crops, NaN where a joint is missing, and confidences (N, 14).

        A person without any keypoint gets what the training set's most doubtful rows look like: a large
        error for every joint, never a small one by accident of missing distances.

        Raises:
            InputError: arrays of other shapes, or infinite values.
        """
        e, c = check_rows(ed, "ED"), check_rows(confidence, "confidence")
        if len(e) != len(c):
            raise InputError(f"ED and confidence differ in length: {len(e)} and {len(c)}.")
        if np.isinf(e).any() or not np.isfinite(c).all():
            raise InputError("ED may be missing (NaN) but not infinite; confidences must be finite.")
        inputs = channels(e, c)
        given = 0 if extra is None else extra.shape[2]
        if given != self.n_extra:
            raise InputError(f"This model takes {self.n_extra} further inputs a joint, got {given}.")
        if extra is not None:
            inputs = np.concatenate([inputs, extra], axis=2)
        parts = [self._run(inputs[i : i + _BATCH]) for i in range(0, len(inputs), _BATCH)]
        if not parts:
            none: F4 = np.zeros((0, N_JOINTS), np.float32)
            return Prediction(none, none.copy(), none.copy(), np.zeros(0, np.float32))
        error, wrong, worst, good = (np.concatenate(p) for p in zip(*parts))
        return Prediction(error, wrong, worst, good)

    def _run(self, inputs: F4) -> tuple[F4, F4, F4, F4]:
        x = torch.from_numpy(np.ascontiguousarray(inputs))
        mirror = torch.from_numpy(MIRROR)
        exceed = torch.zeros(len(x), N_JOINTS, len(THRESHOLDS))
        worst, bad = torch.zeros(len(x), N_JOINTS), torch.zeros(len(x))
        with torch.inference_mode():
            for net in self.members:
                for side, back in ((x, None), (x[:, mirror], mirror)):
                    logits, worst_logits, bad_logits = net(side)
                    p, w = torch.sigmoid(logits), worst_logits.softmax(dim=1)
                    exceed += p if back is None else p[:, back]
                    worst += w if back is None else w[:, back]
                    bad += torch.sigmoid(bad_logits)
            n = 2 * len(self.members)
            # Thresholds are learnt one by one; a larger one cannot be exceeded more often.
            exceed = torch.cummin(exceed / n, dim=2).values
            error = mean_error(exceed).numpy() * self.sides
        return error, exceed[..., WRONG].numpy(), (worst / n).numpy(), 1.0 - (bad / n).numpy()

    def save(self, path: Path, about: dict[str, Any] | None = None) -> None:
        """Write as npz, float16; ``about`` (plain values: data, seeds, figures) is stored as JSON."""
        names = {kind: name for name, kind in _KINDS.items()}
        kinds = [names[type(net)] for net in self.members]
        shape = [[int(net.mean.shape[1]), *net.sizes] for net in self.members]
        arrays = {
            f"{i}.{name}": value.numpy().astype(np.float16)
            for i, net in enumerate(self.members)
            for name, value in net.state_dict().items()
        }
        header = {
            "format": np.array(_FORMAT), "kinds": np.array(kinds), "shape": np.array(shape),
            "sides": self.sides, "about": np.array(json.dumps(about or {})),
        }  # fmt: skip
        with path.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **header, **arrays)


def load_agreement(path: Path) -> AgreementModel:
    """A model that :meth:`AgreementModel.save` wrote.

    Raises:
        WeightsError: missing, damaged or another file.
    """
    again = "Train it again: understudy confidence train"
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(i.file_size for i in archive.infolist()) > _LARGEST_FILE:
                raise WeightsError(f"{path.name} is far larger than an agreement model. Check the path.")
        with np.load(path, allow_pickle=False) as file:
            if "format" not in file.files or str(file["format"]) != _FORMAT:
                raise WeightsError(f"{path.name} is no agreement model. {again}")
            kinds, shape = [str(k) for k in np.atleast_1d(file["kinds"])], np.asarray(file["shape"], np.int64)
            sides = np.asarray(file["sides"], np.float32)
            arrays = {name: file[name] for name in file.files if name[:1].isdigit()}
    except OSError as error:
        raise WeightsError(f"{path.name} cannot be read: {error.strerror or error}. Check {path}.") from error
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path.name} is damaged. {again}") from error
    if not (
        1 <= len(kinds) <= _MOST_MEMBERS and set(kinds) <= set(_KINDS) and shape.shape == (len(kinds), 3)
        and shape.min() >= 1 and shape.max() <= _WIDEST and (shape[:, 0] == shape[0, 0]).all()
        and sides.shape == (N_JOINTS,) and np.isfinite(sides).all() and (sides > 0).all()
    ):  # fmt: skip
        raise WeightsError(f"{path.name} describes no agreement model. {again}")
    nets = [_net(path, arrays, i, kind, [int(v) for v in shape[i]]) for i, kind in enumerate(kinds)]
    return AgreementModel(nets, sides)


def _net(path: Path, arrays: dict[str, npt.NDArray[Any]], number: int, kind: str, shape: list[int]) -> Net:
    prefix = f"{number}."
    own = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
    if not all(v.dtype.kind == "f" and np.isfinite(v).all() for v in own.values()):
        raise WeightsError(f"{path.name} holds weights that are no numbers.")
    if kind == "attention" and shape[1] % shape[2]:
        raise WeightsError(f"{path.name} describes no agreement model.")
    net = _KINDS[kind](*shape)
    try:
        net.load_state_dict({k: torch.from_numpy(v.astype(np.float32)) for k, v in own.items()})
    except RuntimeError as error:
        raise WeightsError(f"{path.name} lacks weights of its network {number + 1}.") from error
    return net
