"""Is a confidence worth anything? Ranking (AUROC, AUSE, Spearman, risk) and calibration (ECE, coverage).

Samples are flat arrays (N,). A sample whose error or confidence is NaN is left out and counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammainc, gammaincinv

from backends.errors import InputError
from backends.metrics.score import Score

F8 = npt.NDArray[np.float64]

_MEAN_OF_MAXWELL = float(2.0 * np.sqrt(2.0 / np.pi))
ECE_BINS = 15


def _known(*arrays: npt.ArrayLike) -> tuple[list[F8], int]:
    flat = [np.asarray(a, np.float64).reshape(-1) for a in arrays]
    if len({len(a) for a in flat}) != 1:
        raise InputError(f"Samples of one number are needed, got {[len(a) for a in flat]}.")
    known = ~np.any([np.isnan(a) for a in flat], axis=0)
    return [a[known] for a in flat], int((~known).sum())


def _ranks(values: F8) -> F8:
    """(N,) ranks from 1; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: F8 = (last - (counts - 1) / 2.0)[place]
    return ranks


def auroc(score: npt.ArrayLike, positive: npt.ArrayLike) -> Score:
    """Probability that a positive sample scores higher than a negative one; ties count half.

    The Mann-Whitney statistic: Hanley and McNeil, The meaning and use of the area under a receiver
    operating characteristic curve, Radiology 143, 1982. NaN where one of the classes is empty.

    Args:
        score: (N,) the higher, the more likely positive. positive: (N,) 1 or 0 (NaN is not known).
    """
    (s, y), unknown = _known(score, positive)
    is_positive = y > 0.5
    n_positive, n_negative = int(is_positive.sum()), int((~is_positive).sum())
    if not n_positive or not n_negative:
        return Score(float("nan"), len(s), unknown)
    over = _ranks(s)[is_positive].sum() - n_positive * (n_positive + 1) / 2.0
    return Score(float(over / (n_positive * n_negative)), len(s), unknown)


def spearman(a: npt.ArrayLike, b: npt.ArrayLike) -> Score:
    """Rank correlation in [-1, 1] (Spearman 1904: Pearson's of the ranks); NaN where one is constant."""
    (x, y), unknown = _known(a, b)
    if len(x) < 2:
        return Score(float("nan"), len(x), unknown)
    rx, ry = _ranks(x), _ranks(y)
    rx, ry = rx - rx.mean(), ry - ry.mean()
    below = float(np.sqrt((rx @ rx) * (ry @ ry)))
    return Score(float(rx @ ry) / below if below > 0 else float("nan"), len(x), unknown)


def risk_coverage(error: npt.ArrayLike, uncertainty: npt.ArrayLike) -> tuple[F8, F8]:
    """(N,) coverage k / N and (N,) risk: the mean error of the k samples that are surest.

    El-Yaniv and Wiener, On the foundations of noise-free selective classification, JMLR 11, 2010.
    Samples of equal uncertainty come in no order: each stands for the mean of its group.
    """
    (e, u), _ = _known(error, uncertainty)
    order = np.argsort(u, kind="stable")
    _, group, counts = np.unique(u, return_inverse=True, return_counts=True)
    shared = (np.bincount(group, weights=e, minlength=len(counts)) / counts)[group] if len(e) else e
    k = np.arange(1, len(e) + 1)
    return k / max(len(e), 1), np.cumsum(shared[order]) / k


def aurc(error: npt.ArrayLike, uncertainty: npt.ArrayLike) -> Score:
    """Area under the risk-coverage curve, in the error's unit: the mean risk over all coverages."""
    _, unknown = _known(error, uncertainty)
    _, risk = risk_coverage(error, uncertainty)
    return Score(float(risk.mean()) if len(risk) else float("nan"), len(risk), unknown)


@dataclass(frozen=True, slots=True, eq=False)
class Sparsification:
    """Mean error of what is left after ``removed`` (N,) of the samples, over that of all: by the
    uncertainty (``curve``) and by the errors themselves (``oracle``). ``ause`` is the area between."""

    removed: F8
    curve: F8
    oracle: F8
    ause: Score


def sparsification(error: npt.ArrayLike, uncertainty: npt.ArrayLike) -> Sparsification:
    """The sparsification plot and its error: Ilg et al., Uncertainty estimates and multi-hypotheses
    networks for optical flow, ECCV 2018, section 5.1.

    The area is by the trapezium rule over 0, 1/N ... (N - 1)/N removed. 0 is as good as knowing the errors.
    """
    (e, u), unknown = _known(error, uncertainty)
    total = float(e.mean()) if len(e) else float("nan")
    if not len(e) or total == 0:
        # Without any error every order is right.
        zero = np.zeros(len(e))
        removed = np.arange(len(e)) / max(len(e), 1)
        return Sparsification(removed, zero, zero, Score(0.0 if len(e) else float("nan"), len(e), unknown))
    curve = risk_coverage(e, u)[1][::-1] / total
    oracle = risk_coverage(e, e)[1][::-1] / total
    removed = np.arange(len(e)) / len(e)
    area = float(np.trapezoid(curve - oracle, removed))
    return Sparsification(removed, curve, oracle, Score(area, len(e), unknown))


def ause(error: npt.ArrayLike, uncertainty: npt.ArrayLike) -> Score:
    """Area under the sparsification error, normalised by the mean error; see :func:`sparsification`."""
    return sparsification(error, uncertainty).ause


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """The bins that hold samples: mean ``predicted`` and ``observed`` share, ``count``; and the ``ece``."""

    predicted: F8
    observed: F8
    count: npt.NDArray[np.int64]
    ece: Score


def calibration(probability: npt.ArrayLike, outcome: npt.ArrayLike, bins: int = ECE_BINS) -> Calibration:
    """Reliability diagram and expected calibration error.

    ECE = sum_b n_b / N |observed_b - predicted_b| over bins of equal width (Naeini et al., AAAI 2015; Guo et
    al., On calibration of modern neural networks, ICML 2017, equation 3).

    Args:
        probability: (N,) in [0, 1]. outcome: (N,) 1 where it came true, else 0.

    Raises:
        InputError: probabilities outside [0, 1], or no bins.
    """
    (p, y), unknown = _known(probability, outcome)
    if bins < 1 or (len(p) and (p.min() < 0 or p.max() > 1)):
        raise InputError("Calibration needs probabilities in [0, 1] and at least one bin.")
    index = np.minimum((p * bins).astype(np.int64), bins - 1)
    count = np.bincount(index, minlength=bins)
    used = count > 0
    predicted = np.bincount(index, weights=p, minlength=bins)[used] / count[used]
    observed = np.bincount(index, weights=y, minlength=bins)[used] / count[used]
    gap = float((count[used] * np.abs(observed - predicted)).sum() / len(p)) if len(p) else float("nan")
    return Calibration(predicted, observed, count[used], Score(gap, len(p), unknown))


def probability_within(expected: npt.ArrayLike, tolerance: float) -> F8:
    """P(error <= tolerance) of errors with these expected values (same unit).

    The error is taken for the length of a normal vector in space (Maxwell's distribution), which its
    mean determines; as the program's own confidence does.
    """
    sigma = np.asarray(expected, np.float64) / _MEAN_OF_MAXWELL
    with np.errstate(divide="ignore"):
        scaled = np.asarray(tolerance, np.float64) / sigma
    return np.asarray(gammainc(1.5, scaled**2 / 2.0), dtype=np.float64)


def error_bound(expected: npt.ArrayLike, level: float) -> F8:
    """The error that ``level`` of the samples should not exceed, under the same distribution."""
    sigma = np.asarray(expected, np.float64) / _MEAN_OF_MAXWELL
    return np.asarray(sigma * np.sqrt(2.0 * gammaincinv(1.5, level)), dtype=np.float64)


def interval_coverage(error: npt.ArrayLike, bound: npt.ArrayLike) -> Score:
    """Share of errors at or under their bound (PICP: Khosravi et al., IEEE TNN 22(9), 2011).

    With bounds made for 90 % a calibrated confidence reaches 0.9.
    """
    (e, b), unknown = _known(error, bound)
    return Score(float((e <= b).mean()) if len(e) else float("nan"), len(e), unknown)
