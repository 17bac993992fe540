"""The arrays that the page draws."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import numpy.typing as npt

from app.evaluate.report import Plots
from app.evaluate.samples import Samples
from app.evaluate.space import ROOT, SetErrors
from backends.metrics import confidence as c

F8 = npt.NDArray[np.float64]


def make_plots(
    samples: Samples, every: list[SetErrors], times_s: F8, error: F8, expected: F8, tolerance_mm: float
) -> Plots:
    """Of the first joint set; ``error`` and ``expected`` (N,) are the confidence's samples, mm."""
    if not every:
        return Plots()
    first = every[0]
    known = first.rooted[:, first.columns]
    by_frame: dict[int, list[float]] = defaultdict(list)
    for pair, errors in zip(samples.pairs, known):
        if np.isfinite(errors).any():
            by_frame[pair.row].append(float(np.nanmean(errors)))
    frame_mm = [np.mean(by_frame[k]) if k in by_frame else np.nan for k in range(len(samples.frames))]
    joint_mm = [np.nanmean(column) if np.isfinite(column).any() else np.nan for column in known.T]
    both = np.isfinite(error) & np.isfinite(expected)
    e, x = error[both], expected[both]
    bins = c.calibration(c.probability_within(x, tolerance_mm), e <= tolerance_mm)
    coverage, risk = c.risk_coverage(e, x)
    return Plots(
        errors_mm=known[np.isfinite(known)], errors_of=f"{first.label}, aligned at the {ROOT}",
        joints=tuple(n for n, k in zip(first.joints.joints, first.columns) if k),
        joint_mm=np.array(joint_mm), frames=np.array(samples.frames, np.float64), times_s=times_s,
        frame_mm=np.array(frame_mm), predicted=bins.predicted, observed=bins.observed,
        weight=bins.count.astype(np.float64), coverage=coverage, risk_mm=risk,
        oracle_mm=c.risk_coverage(e, e)[1], expected_mm=x, measured_mm=e,
    )  # fmt: skip
