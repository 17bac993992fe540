"""The networks behind :mod:`backends.confidence.agreement.model`: per joint, how large the error may be.

A joint's error is told as probabilities to exceed each of ``THRESHOLDS``. Two families see the body
differently, and their average ranks errors better than more networks of either: in one a context of the
whole body steers a small network that all joints share, in the other the joints attend to each other.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backends.confidence.agreement.joints import MIRROR, N_JOINTS

THRESHOLDS: Final = (0.02, 0.03, 0.045, 0.065, 0.085, 0.1, 0.13, 0.17, 0.22, 0.3, 0.4, 0.6, 1.0)
"""Errors in half crops; the sixth is the one that calls a joint wrong."""
WRONG: Final = THRESHOLDS.index(0.1)
_LARGEST = 1.5
"""Where the last bin ends when the mean is taken, half crops."""

N_CHANNELS: Final = 7
_SMALLEST_ED, _LARGEST_ED, _SHOWN_ED = 5e-3, 3.0, 1.5


def channels(ed: npt.ArrayLike, confidence: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """(N, 14, 7) float32 inputs of ED and confidence (N, 14); NaN in ED is a missing joint.

    Per joint: log ED, confidence, missing, ED, log ED against the body's median, and log ED and confidence
    of the same joint on the other side. A missing joint takes the median, so that only its mark speaks.
    """
    e = np.asarray(ed, np.float64)
    missing = np.isnan(e)
    log = np.log(np.clip(np.where(missing, 1.0, e), _SMALLEST_ED, _LARGEST_ED))
    known = np.where(missing, np.nan, log)
    empty = missing.all(axis=1)
    known[empty] = 0.0
    median = np.nanmedian(known, axis=1, keepdims=True)
    log = np.where(missing, median, log)
    sure = np.where(missing, 0.0, np.asarray(confidence, np.float64))
    shown = np.minimum(np.exp(log), _SHOWN_ED)
    parts = [log, sure, missing, shown, log - median, log[:, MIRROR], sure[:, MIRROR]]
    return np.stack(parts, axis=2).astype(np.float32)


class _Net(nn.Module):  # type: ignore[misc]  # torch is not typed here
    """What the networks share: inputs standardised by the training set's, and dropout."""

    def __init__(self, n_channels: int, drop: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(N_JOINTS, n_channels))
        self.register_buffer("scale", torch.ones(N_JOINTS, n_channels))
        self.drop = drop

    def standardise_by(self, inputs: Tensor) -> None:
        """Remember mean and spread of training inputs (N, 14, C)."""
        self.mean.copy_(inputs.mean(dim=0))
        self.scale.copy_(inputs.std(dim=0) + 1e-2)

    def _standardised(self, inputs: Tensor) -> Tensor:
        return (inputs - self.mean) / self.scale

    def _dropped(self, values: Tensor, chance: torch.Generator | None) -> Tensor:
        """nn.Dropout with a source of chance of its own, so that runs side by side can be repeated."""
        if chance is None or self.drop <= 0:
            return values
        kept = torch.rand(values.shape, generator=chance) >= self.drop
        return values * kept / (1.0 - self.drop)


class AgreementNet(_Net):
    """(B, 14, C) inputs -> logits: thresholds (B, 14, T), worst joint (B, 14), bad mesh (B,)."""

    def __init__(
        self, n_channels: int = N_CHANNELS, context: int = 192, width: int = 64, drop: float = 0.2
    ) -> None:
        super().__init__(n_channels, drop)
        narrow = width // 4
        self.context = nn.Linear(N_JOINTS * n_channels, context)
        self.context_norm = nn.LayerNorm(context)
        self.own = nn.Linear(n_channels, width)
        self.name = nn.Parameter(0.3 * torch.randn(N_JOINTS, width))
        self.shared = nn.Linear(context, width)
        self.per_joint = nn.Linear(context, N_JOINTS * narrow)
        self.widen = nn.Linear(narrow, width)
        self.joint_norm = nn.LayerNorm(width)
        self.hidden = nn.Linear(width, width)
        self.out = nn.Linear(width, len(THRESHOLDS) + 1)
        self.out_bias = nn.Parameter(torch.zeros(N_JOINTS, len(THRESHOLDS) + 1))
        self.bad = nn.Linear(context, 1)

    @property
    def sizes(self) -> tuple[int, int]:
        """Width of the context and of a joint."""
        return self.context.out_features, self.own.out_features

    def forward(self, inputs: Tensor, chance: torch.Generator | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Logits; see the class. ``chance`` is given in training: then units are dropped."""
        z = self._standardised(inputs)
        body = self._dropped(F.silu(self.context_norm(self.context(z.flatten(1)))), chance)
        steer = self.widen(self.per_joint(body).unflatten(1, (N_JOINTS, -1)))
        t = self.own(z) + self.name + self.shared(body).unsqueeze(1) + steer
        t = self._dropped(F.silu(self.joint_norm(t)), chance)
        t = t + F.silu(self.hidden(t))
        logits = self.out(t) + self.out_bias
        return logits[..., :-1], logits[..., -1], self.bad(body).squeeze(1)


class AttentionNet(_Net):
    """The same from one layer of attention (Vaswani et al., Attention is all you need, NeurIPS 2017).

    A token a joint and one for the whole body; which joint looks to which is also learnt outright, as a
    bias, for the skeleton is always the same.
    """

    def __init__(
        self, n_channels: int = N_CHANNELS, width: int = 48, heads: int = 2, drop: float = 0.1
    ) -> None:
        super().__init__(n_channels, drop)
        self.heads = heads
        self.own = nn.Linear(n_channels, width)
        self.name = nn.Parameter(0.3 * torch.randn(N_JOINTS, width))
        self.body = nn.Parameter(0.3 * torch.randn(1, width))
        self.first_norm = nn.LayerNorm(width)
        self.ask = nn.Linear(width, 3 * width)
        self.looks_to = nn.Parameter(torch.zeros(heads, N_JOINTS + 1, N_JOINTS + 1))
        self.answer = nn.Linear(width, width)
        self.second_norm = nn.LayerNorm(width)
        self.hidden = nn.Linear(width, width)
        self.back = nn.Linear(width, width)
        self.last_norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, len(THRESHOLDS) + 1)
        self.out_bias = nn.Parameter(torch.zeros(N_JOINTS, len(THRESHOLDS) + 1))
        self.bad = nn.Linear(width, 1)

    @property
    def sizes(self) -> tuple[int, int]:
        """Width of a joint and number of heads."""
        return self.own.out_features, self.heads

    def _attended(self, tokens: Tensor) -> Tensor:
        n, length, width = tokens.shape
        asked = self.ask(tokens).reshape(n, length, 3, self.heads, width // self.heads)
        query, key, value = asked.permute(2, 0, 3, 1, 4)
        near = query @ key.transpose(-1, -2) / (width // self.heads) ** 0.5 + self.looks_to
        return self.answer((near.softmax(dim=-1) @ value).transpose(1, 2).reshape(n, length, width))

    def forward(self, inputs: Tensor, chance: torch.Generator | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Logits; see :class:`AgreementNet`."""
        joints = self.own(self._standardised(inputs)) + self.name
        t = torch.cat([joints, self.body.expand(len(joints), 1, -1)], dim=1)
        t = t + self._dropped(self._attended(self.first_norm(t)), chance)
        wide = self._dropped(F.silu(self.hidden(self.second_norm(t))), chance)
        t = self.last_norm(t + self._dropped(self.back(wide), chance))
        logits = self.out(t[:, :N_JOINTS]) + self.out_bias
        return logits[..., :-1], logits[..., -1], self.bad(t[:, N_JOINTS]).squeeze(1)


def mean_error(exceed: Tensor) -> Tensor:
    """(..., 14) expected error in half crops of the probabilities to exceed the thresholds (..., 14, T).

    The integral of the survival function by the trapezium rule, from 1 at 0 to 0 at 1.5.
    """
    edges = torch.tensor([0.0, *THRESHOLDS, _LARGEST])
    step = torch.diff(edges)
    ends = torch.ones_like(exceed[..., :1])
    survival = torch.cat([ends, exceed, 0.0 * ends], dim=-1)
    return ((survival[..., 1:] + survival[..., :-1]) * (step / 2.0)).sum(dim=-1)
