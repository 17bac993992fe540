"""What the frames before and after say of a joint's agreement; for rows in the order of a film only."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from backends.confidence.agreement.features import F4, F8, check_rows
from backends.confidence.agreement.network import channels

WINDOWS: Final = (4, 15)
"""Frames to either side."""
N_EXTRA: Final = 3 * len(WINDOWS) + 1

_CUT = 1.0
"""Median change of log ED from row to row above which another shot or person begins."""


def runs(log_ed: F8) -> npt.NDArray[np.int64]:
    """(N,) number of the run of frames that each row belongs to, cut where most joints jump at once."""
    if len(log_ed) < 2:
        return np.zeros(len(log_ed), np.int64)
    change = np.median(np.abs(np.diff(log_ed, axis=0)), axis=1)
    return np.concatenate([[0], np.cumsum(change > _CUT)]).astype(np.int64)


def _window_sum(values: F8, low: npt.NDArray[np.int64], high: npt.NDArray[np.int64]) -> F8:
    """(N, ...) sums over rows low[i] .. high[i] - 1."""
    total = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    return np.asarray(total[high] - total[low])


def over_time(ed: npt.ArrayLike, confidence: npt.ArrayLike) -> F4:
    """(N, 14, 7) float32: more inputs for :class:`AgreementModel`, from rows (N, 14) in order of time.

    Per joint and window: mean log ED and mean confidence of the frames in which the joint was found, and
    how often it was missing; then how much log ED changes from frame to frame in the shorter window.
    Windows end at cuts. They look ahead: this is for recordings, not for live use.

    Raises:
        InputError: arrays of other shapes.
    """
    e, c = check_rows(ed, "ED"), check_rows(confidence, "confidence")
    single = channels(e, c).astype(np.float64)
    log, missing = single[:, :, 0], single[:, :, 2]
    run = runs(log)
    starts = np.searchsorted(run, run, side="left")
    ends = np.searchsorted(run, run, side="right")
    row = np.arange(len(log))
    found = 1.0 - missing
    result: list[F8] = []
    for half in WINDOWS:
        low, high = np.maximum(row - half, starts), np.minimum(row + half + 1, ends)
        count = _window_sum(found, low, high)
        least = np.maximum(count, 1.0)
        mean_log = np.where(count > 0, _window_sum(found * log, low, high) / least, log)
        result += [
            mean_log,
            _window_sum(found * single[:, :, 1], low, high) / least,
            1.0 - count / (high - low)[:, None],
        ]
    change = np.abs(np.diff(log, axis=0, prepend=log[:1]))
    change[row == starts] = 0.0
    low, high = np.maximum(row - WINDOWS[0], starts), np.minimum(row + WINDOWS[0] + 1, ends)
    result.append(_window_sum(change, low, high) / (high - low)[:, None])
    return np.stack(result, axis=2).astype(np.float32)
