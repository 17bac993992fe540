"""Trains the agreement model (:mod:`backends.confidence.agreement.model`) on ED, SE and confidence."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from backends.confidence.agreement.features import check_rows, fit_for_training, is_good, worst_joint
from backends.confidence.agreement.joints import MIRROR
from backends.confidence.agreement.model import AgreementModel, Net
from backends.confidence.agreement.network import THRESHOLDS, AgreementNet, AttentionNet, channels
from backends.errors import InputError

_WORST_WEIGHT, _SOFT_WEIGHT, _BAD_WEIGHT = 0.1, 0.3, 0.2
_ALIKE = 0.03
"""Half crops: a joint that is so much less wrong than the worst is nearly as good an answer."""

_CONTEXT_SHARE = 0.35
"""Of a member's time goes into its first network."""
_SIDES_EVERY = 4
"""Rows are frames of films, and neighbours are alike."""
_LEAST_ROWS = 512
_CHECK_EVERY = 32

_start_lock = threading.Lock()
"""torch draws first weights from one source for the whole process."""


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How to train; the defaults were chosen on held-out blocks of the training set.

    Attributes:
        members: pairs of networks whose predictions are averaged: an :class:`AgreementNet` and an
            :class:`AttentionNet`.
        epochs, batch, decay: of AdamW with one cycle of the learning rate.
        rate, context, width, drop: of the first. attention_rate, attention_width, attention_drop: of the
            second.
    """

    members: int = 1
    epochs: int = 8
    batch: int = 256
    rate: float = 2e-3
    decay: float = 1e-2
    context: int = 192
    width: int = 64
    drop: float = 0.2
    attention_rate: float = 3e-3
    attention_width: int = 48
    attention_drop: float = 0.1


def train_agreement(
    ed: npt.ArrayLike, se: npt.ArrayLike, confidence: npt.ArrayLike, settings: TrainSettings | None = None,
    *, seed: int = 0, extra: npt.NDArray[np.float32] | None = None,
    check: Callable[[float], object] | None = None,
) -> AgreementModel:  # fmt: skip
    """Train on (N, 14) arrays; the same seed gives the same model on the same machine.

    Rows with an SE above 1 or not finite are left out (the published arrays hold outliers).

    Args:
        ed: half crops, NaN where a joint is missing.
        extra: (N, 14, C) more inputs, see :func:`backends.confidence.agreement.neighbours.over_time`.
        check: called now and then with the share that is done; may raise to stop.

    Raises:
        InputError: arrays of other shapes, or too few rows to learn from.
    """
    how = settings or TrainSettings()
    distance, error, sure = (
        check_rows(a, n) for a, n in ((ed, "ED"), (se, "SE"), (confidence, "confidence"))
    )
    if not len(distance) == len(error) == len(sure):
        raise InputError(f"Arrays of one length are needed, got {len(distance)}, {len(error)}, {len(sure)}.")
    keep = fit_for_training(error) & ~np.isinf(distance).any(axis=1) & np.isfinite(sure).all(axis=1)
    if keep.sum() < _LEAST_ROWS:
        raise InputError(f"Only {int(keep.sum())} rows can be used; at least {_LEAST_ROWS} are needed.")
    inputs = channels(distance[keep], sure[keep])
    if extra is not None:
        inputs = np.concatenate([inputs, extra[keep]], axis=2)
    nets: list[Net] = []
    for member in range(how.members):

        def tell(share: float, member: int = member) -> None:
            if check is not None:
                check((member + share) / how.members)

        nets += _train_pair(inputs, error[keep], how, 1000 * seed + 2 * member, tell)
    thin = None if extra is None else extra[keep][::_SIDES_EVERY]
    said = AgreementModel(nets).predict(distance[keep][::_SIDES_EVERY], sure[keep][::_SIDES_EVERY], thin)
    return AgreementModel(nets, _sides(error[keep][::_SIDES_EVERY], said.error))


def _sides(se: npt.NDArray[np.float64], said: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """(14,) how much more wrong a joint is than its counterpart, beyond what was said of both.

    Networks that learn from bodies and their mirror images cannot know that the truth itself lies farther
    off on one side (in 3DPW the left hip by 7 %). Only that is corrected, not what both sides share: the
    latter did not help on held-out rows.
    """
    ratio = np.log(np.maximum(se.mean(axis=0), 1e-9) / np.maximum(said.mean(axis=0), 1e-9))
    return np.asarray(np.exp((ratio - ratio[MIRROR]) / 2.0))


def _train_pair(
    inputs: npt.NDArray[np.float32], se: npt.NDArray[np.float64], how: TrainSettings, seed: int,
    check: Callable[[float], object],
) -> Sequence[Net]:  # fmt: skip
    with _start_lock, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        first = AgreementNet(inputs.shape[2], how.context, how.width, how.drop)
        second = AttentionNet(inputs.shape[2], how.attention_width, drop=how.attention_drop)
    _train_one(first, inputs, se, how, how.rate, seed, lambda share: check(_CONTEXT_SHARE * share))
    _train_one(
        second, inputs, se, how, how.attention_rate, seed + 1,
        lambda share: check(_CONTEXT_SHARE + (1.0 - _CONTEXT_SHARE) * share),
    )  # fmt: skip
    return first, second


def _train_one(
    net: Net, inputs: npt.NDArray[np.float32], se: npt.NDArray[np.float64], how: TrainSettings, rate: float,
    seed: int, check: Callable[[float], object],
) -> None:  # fmt: skip
    chance = torch.Generator().manual_seed(seed)
    x = torch.from_numpy(inputs)
    exceed = torch.from_numpy((se[..., None] > np.asarray(THRESHOLDS)).astype(np.float32))
    worst = torch.from_numpy(worst_joint(se))
    ranked = torch.softmax(torch.from_numpy((se / _ALIKE).astype(np.float32)), dim=1)
    bad = torch.from_numpy((~is_good(se)).astype(np.float32))
    mirror = torch.from_numpy(MIRROR)
    net.standardise_by(x)
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=how.decay, fused=True)
    n_batches = max(len(x) // how.batch, 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, rate, total_steps=how.epochs * n_batches + 1, pct_start=0.1
    )
    for epoch in range(how.epochs):
        order = torch.randperm(len(x), generator=chance)
        for i in range(n_batches):
            if i % _CHECK_EVERY == 0:
                check((epoch + i / n_batches) / how.epochs)
            rows = order[i * how.batch : (i + 1) * how.batch]
            a, b = rows[: len(rows) // 2], rows[len(rows) // 2 :]
            # A body seen in a mirror is as likely: half of every batch has left and right exchanged.
            logits, worst_logits, bad_logits = net(torch.cat([x[a], x[b][:, mirror]]), chance)
            loss = (
                F.binary_cross_entropy_with_logits(logits, torch.cat([exceed[a], exceed[b][:, mirror]]))
                + _WORST_WEIGHT * F.cross_entropy(worst_logits, torch.cat([worst[a], mirror[worst[b]]]))
                + _SOFT_WEIGHT * F.cross_entropy(worst_logits, torch.cat([ranked[a], ranked[b][:, mirror]]))
                + _BAD_WEIGHT * F.binary_cross_entropy_with_logits(bad_logits, bad[rows])
            )
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
