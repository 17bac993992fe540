"""Trains the model of expected errors on samples; PyTorch is needed here only, not where it is used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from app.errors import UnderstudyError
from app.train.network import TrainSettings, network_output, train_network
from app.train.samples import Samples, vertices_kept
from app.train.variants import ALONE, RUN
from backends.confidence.expected.features import FEATURE_NAMES
from backends.confidence.expected.model import (
    LEAST_LOG_SCALE,
    MOST_LOG_SCALE,
    N_ROWS,
    OFFSET_MM,
    ErrorModel,
    Group,
    table_rows,
)
from backends.confidence.expected.networks import body_inputs, network_inputs
from backends.confidence.expected.sites import N_SITES, Sites
from backends.confidence.expected.spread import carry_to_vertices, scaled_spread
from backends.fitting.kernels import N_FIT_JOINTS
from backends.metrics.confidence import auroc, ause, spearman

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]

_LEVELS = 101
_TOGETHER = (0.0, 0.2, 0.4, 0.6, 0.8)
_VERTEX_PEOPLE = 1500
_RIDGE = 0.5
_LEAST = 200
"""With fewer held-out errors a table is that of all frames judged alike."""


class TrainingError(UnderstudyError):
    """Samples that nothing can be learned from."""


def train_model(
    samples: Samples,
    sites: Sites,
    settings: TrainSettings | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> ErrorModel:
    """The model, with tables measured on the scenes that each network left out.

    Raises:
        TrainingError: fewer scenes than folds.
    """
    s = settings or TrainSettings()
    scenes = np.unique(samples.scene)
    if len(scenes) < s.folds:
        raise TrainingError(
            f"{len(scenes)} scenes cannot be split into {s.folds} parts. Make more data first."
        )
    order = np.random.default_rng(s.seed).permutation(scenes)
    fold_of = {int(scene): i % s.folds for i, scene in enumerate(order)}
    fold = np.array([fold_of[int(scene)] for scene in samples.scene])
    middle, width = _scales(samples.features)
    n = len(samples)
    x = network_inputs(samples.features.reshape(n * N_SITES, -1), middle, width).reshape(n, N_SITES, -1)
    body = body_inputs(x)
    y = np.log(samples.error_mm.astype(np.float64) + OFFSET_MM)
    nets, held_out = [], np.zeros((n, N_SITES, 2))
    for k in range(s.folds):
        net = train_network(x[fold != k], body[fold != k], y[fold != k], s, s.seed + 1 + k)
        nets.append(net.arrays())
        held_out[fold == k] = network_output(net, x[fold == k], body[fold == k])
        tell(f"network {k + 1} of {s.folds}")
    weights = {name: np.stack([net[name] for net in nets]) for name in nets[0]}
    centre, scale = held_out[..., 0], np.exp(np.clip(held_out[..., 1], LEAST_LOG_SCALE, MOST_LOG_SCALE))
    place = ((y - centre) / scale).reshape(-1)
    # What follows a correction is learned from, but the promise is that of what nobody has touched.
    group = np.where((samples.kind <= ALONE)[:, None], table_rows(samples.features), N_ROWS).reshape(-1)
    levels = np.linspace(0.0, 1.0, _LEVELS)
    table = np.empty((N_ROWS, _LEVELS))
    for g in range(N_ROWS):
        alike = place[group // len(Group) // 2 == g // len(Group) // 2]
        every = alike if len(alike) >= _LEAST else place
        table[g] = _quantiles(place[group == g], every, levels)
    model = ErrorModel(
        middle, width, **weights,
        levels=levels.astype(np.float32), table=table.astype(np.float32),
        together=np.array(0.0, np.float32), vertex_gain=np.ones(N_SITES, np.float32),
    )  # fmt: skip
    expected = model.expected_mm(centre, scale, table_rows(samples.features))
    run = samples.kind == RUN
    tell(_folds_text(samples.only(run), expected[run]))
    return _with_vertices(model, samples.only(run), expected[run], sites, s.seed)


def calibrated_alone(model: ErrorModel, samples: Samples) -> ErrorModel:
    """The model with its tables of frames judged by themselves measured anew; its networks stay.

    Args:
        samples: of scenes that the networks have not seen.

    Raises:
        TrainingError: no frame was judged by itself.
    """
    alone = samples.only(samples.kind == ALONE)
    if not len(alone):
        raise TrainingError("No frame was judged by itself: nothing to calibrate with. Make more data first.")
    centre, scale = model.centre_and_scale(alone.features)
    place = ((np.log(alone.error_mm.astype(np.float64) + OFFSET_MM) - centre) / scale).reshape(-1)
    group = table_rows(alone.features).reshape(-1)
    table = model.table.copy()
    for g in range(N_ROWS // 2, N_ROWS):
        table[g] = _quantiles(place[group == g], place, model.levels.astype(np.float64))
    return replace(model, table=table)


def _folds_text(samples: Samples, expected: F8) -> str:
    """How the networks rank the joints of the scenes that they left out: for choosing settings."""
    body = slice(0, N_FIT_JOINTS)
    error, found = samples.error_mm[:, body].reshape(-1), expected[:, body].reshape(-1)
    area, left, rank = auroc(found, error > 100.0), ause(error, found), spearman(error, found)
    return f"left out by folds: AUROC {area.value:.4f}, AUSE {left.value:.4f}, Spearman {rank.value:.4f}"


def _scales(features: F4) -> tuple[F4, F4]:
    kept = np.delete(features.reshape(-1, len(FEATURE_NAMES)), FEATURE_NAMES.index("kind"), axis=1)
    low, middle, high = np.nanpercentile(kept[:: max(len(kept) // 100_000, 1)], [5, 50, 95], axis=0)
    width = np.maximum((high - low) / 3.0, 0.05)
    return np.nan_to_num(middle).astype(np.float32), np.nan_to_num(width, nan=1.0).astype(np.float32)


def _quantiles(some: F8, every: F8, levels: F8) -> F8:
    """Conformal quantiles: of n values the ceil((n + 1) q)-th; of all where there are too few."""
    values = np.sort(some if len(some) >= _LEAST else every)
    at = np.clip(np.ceil((len(values) + 1) * levels) - 1, 0, len(values) - 1).astype(np.int64)
    return np.maximum.accumulate(values[at])


def _with_vertices(model: ErrorModel, samples: Samples, expected: F8, sites: Sites, seed: int) -> ErrorModel:
    """The model with how sites err together and by how much vertices err more, both measured."""
    rng = np.random.default_rng(seed)
    some = rng.permutation(len(samples))[:_VERTEX_PEOPLE]
    few = vertices_kept(sites)
    true = samples.vertex_mm[some].astype(np.float64)
    best, best_rank, found = 0.0, -2.0, true
    for together in _TOGETHER:
        tried = np.array(
            [
                carry_to_vertices(
                    few, scaled_spread(samples.posterior[i].astype(np.float64), expected[i], together)
                )
                for i in some
            ],
            np.float64,
        )
        rank = spearman(true, tried).value
        if rank > best_rank:
            best, best_rank, found = together, rank, tried
    ratio = true.mean(axis=0) / np.maximum(found.mean(axis=0), 1e-6)
    shares = np.zeros((len(ratio), N_SITES))
    np.put_along_axis(shares, few.vertex_site, few.vertex_weight, axis=1)
    # Sites that carry no vertex of the sample keep what holds for all.
    pull = _RIDGE * np.eye(N_SITES)
    gain = np.linalg.solve(shares.T @ shares + pull, shares.T @ ratio + pull @ np.full(N_SITES, ratio.mean()))
    return replace(
        model, together=np.array(best, np.float32), vertex_gain=np.clip(gain, 0.5, 2.0).astype(np.float32)
    )
