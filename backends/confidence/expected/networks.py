"""What the networks of expected errors take, and how they are worked out.

Each network sees a site's own features and a short summary of the whole body, which it makes itself: an arm
is read differently on a body that fits otherwise. The summary of a site on the right is that of the body in a
mirror, so that a site's own side comes first on both.
"""

from __future__ import annotations

from typing import Final

import numba
import numpy as np
import numpy.typing as npt

from backends.confidence.expected.features import FEATURE_NAMES
from backends.confidence.expected.sites import KINDS, N_SITES, SITE_INDEX, SITE_NAMES

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]

_CLIP: Final = 4.0
_MISSING: Final = ("miss_mm", "miss_mm_after", "in_mask", "depth", "acceleration", "world")
"""Features for which being unknown tells something."""

_OF_BODY: Final = (
    "sigma", "sigma_deep", "miss_mm", "miss_noise", "score", "world", "single", "visible", "in_mask", "bent",
    "placed", "foreshortened", "world_deep", "single_jump", "keypoint_jump", "speed", "covered", "border",
)  # fmt: skip
"""Features of every site that go into the summary of the body."""

_KIND: Final = FEATURE_NAMES.index("kind")
_REST: Final = [n for n in FEATURE_NAMES if n != "kind"]
_MISSING_AT: Final = [_REST.index(n) for n in _MISSING]
_BODY_AT: Final = [_REST.index(n) for n in _OF_BODY]
_SWAPPED: Final = {"left": "right", "right": "left"}
_MIRROR: Final = [
    SITE_INDEX["_".join(_SWAPPED.get(word, word) for word in name.split("_"))] for name in SITE_NAMES
]
SIDE: Final = np.array([name.startswith("right_") for name in SITE_NAMES], np.int64)
"""(27,) which of a body's two summaries is a site's: the mirrored one for those on the right."""

N_INPUTS: Final = len(_REST) + len(_MISSING) + len(KINDS)
N_BODY_INPUTS: Final = N_SITES * len(_OF_BODY)


def network_inputs(features: F4, middle: F4, width: F4) -> F4:
    """(N, I) features (N, F) brought to about unit size, unknown ones to 0 and told apart; kinds one-hot."""
    kind = np.minimum(np.maximum(np.nan_to_num(features[:, _KIND]), 0), len(KINDS) - 1).astype(np.int64)
    rest = np.delete(features, _KIND, axis=1)
    scaled = np.minimum(np.maximum((rest - middle) / width, -_CLIP), _CLIP)
    missing = np.isnan(scaled)
    out = np.zeros((len(features), N_INPUTS), np.float32)
    out[:, : len(_REST)] = np.where(missing, 0.0, scaled)
    out[:, len(_REST) : len(_REST) + len(_MISSING)] = missing[:, _MISSING_AT]
    out[np.arange(len(out)), len(_REST) + len(_MISSING) + kind] = 1.0
    return out


def body_inputs(inputs: F4) -> F4:
    """(N, 2, B) what a body's summary is made of, of its sites' inputs (N, 27, I): as it is, and mirrored."""
    some = inputs[..., _BODY_AT]
    both = np.stack([some, some[:, _MIRROR]], axis=1)
    return np.ascontiguousarray(both.reshape(len(inputs), 2, N_BODY_INPUTS))


@numba.njit(cache=True, nogil=True, fastmath=True)
def ensemble(
    x: F4, body: F4, side: I8, wc: F4, bc: F4, gc: F4, hc: F4, w1: F4, b1: F4, w2: F4, b2: F4, w3: F4, b3: F4
) -> F8:
    """(N S, 2) the mean over the networks of what they give for inputs (N S, I) of S sites each.

    One kernel, for of a single frame numpy's calls took longer than its sums.

    Args:
        body: (2 N, B) :func:`body_inputs`, two rows a body. side: (S,) which of them is a site's.
        wc .. b3: as in :class:`backends.confidence.expected.model.ErrorModel`.
    """
    n_inputs = x.shape[1]
    out = np.zeros((len(x), 2))
    for k in range(len(w1)):
        summary = np.dot(body, wc[k])
        for i in range(len(summary)):
            _normed(summary[i], bc[k], gc[k], hc[k])
        shared = np.dot(summary, w1[k, n_inputs:])
        first = np.dot(x, w1[k, :n_inputs])
        for i in range(len(first)):
            own = shared[2 * (i // len(side)) + side[i % len(side)]]
            for j in range(first.shape[1]):
                first[i, j] = _silu(first[i, j] + own[j] + b1[k, j])
        second = np.dot(first, w2[k])
        for i in range(len(second)):
            for j in range(second.shape[1]):
                second[i, j] = _silu(second[i, j] + b2[k, j])
        last = np.dot(second, w3[k])
        for i in range(len(last)):
            for j in range(2):
                out[i, j] += (last[i, j] + b3[k, j]) / len(w1)
    return out


LEAST_VARIANCE: Final = 1e-5


@numba.njit(cache=True, nogil=True, fastmath=True)
def _normed(row: F4, bias: F4, gain: F4, shift: F4) -> None:
    """A row plus bias, brought to mean 0 and variance 1 (layer normalisation), then SiLU; in place."""
    mean, square = 0.0, 0.0
    for j in range(len(row)):
        row[j] += bias[j]
        mean += row[j]
    mean /= len(row)
    for j in range(len(row)):
        square += (row[j] - mean) ** 2
    scale = 1.0 / np.sqrt(square / len(row) + LEAST_VARIANCE)
    for j in range(len(row)):
        row[j] = _silu(np.float32((row[j] - mean) * scale) * gain[j] + shift[j])


@numba.njit(cache=True, nogil=True, fastmath=True)
def _silu(value: np.float32) -> np.float32:
    out: np.float32 = value / (np.float32(1.0) + np.exp(-max(value, np.float32(-30.0))))
    return out
