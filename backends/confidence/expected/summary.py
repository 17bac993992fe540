"""Curves and histograms of a confidence, ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backends.errors import InputError
from backends.metrics.confidence import calibration, risk_coverage

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]

EDGES_MM = (0.0, 20.0, 40.0, 60.0, 80.0, 100.0, 150.0, 200.0, 300.0, np.inf)
COVERAGES = (0.5, 0.8, 0.95)
_POINTS = 101
_BINS = 15


@dataclass(frozen=True, slots=True, eq=False)
class ConfidenceSummary:
    """What a panel or a report draws.

    Attributes:
        edges_mm: (B + 1,) of the histogram's bins, the last one open; histogram (B,) expected errors in each.
        reliability_predicted, reliability_observed, reliability_count: (K,) of the bins that hold samples:
            mean predicted probability of being within the tolerance, share that was, samples. Empty
            without a truth.
        ece: expected calibration error of these, NaN without a truth.
        levels, held: (L,) promised and observed share of errors under their bounds; empty without a truth.
        coverage, risk_mm: (R,) share of samples kept, surest first, and their mean error; without a
            truth the mean expected error.
        risk_at: mean error at the coverages 50, 80 and 95 %, mm.
        tolerance_mm: of the reliability. n: samples.
    """

    edges_mm: F8
    histogram: I8
    reliability_predicted: F8
    reliability_observed: F8
    reliability_count: I8
    ece: float
    levels: F8
    held: F8
    coverage: F8
    risk_mm: F8
    risk_at: tuple[float, float, float]
    tolerance_mm: float
    n: int


def summarise(
    expected_mm: npt.ArrayLike,
    *,
    error_mm: npt.ArrayLike | None = None,
    probability: npt.ArrayLike | None = None,
    bounds_mm: npt.ArrayLike | None = None,
    levels: npt.ArrayLike = (),
    tolerance_mm: float = 50.0,
) -> ConfidenceSummary:
    """A summary of N expected errors, with the truth where it is known.

    Args:
        expected_mm: (N,) expected errors.
        error_mm: (N,) true errors; the calibration needs them.
        probability: (N,) of being within ``tolerance_mm``.
        bounds_mm: (L, N) errors that a share of ``levels`` (L,) should stay under.

    Raises:
        InputError: arrays that do not belong together, or no samples.
    """
    expected = np.asarray(expected_mm, np.float64).reshape(-1)
    truth = None if error_mm is None else np.asarray(error_mm, np.float64).reshape(-1)
    for name, values in (("true errors", truth), ("probabilities", probability)):
        if values is not None and np.size(values) != len(expected):
            raise InputError(
                f"{len(expected)} expected errors and {np.size(values)} {name} do not belong together."
            )
    share = np.asarray(levels, np.float64).reshape(-1)
    bounds = None if bounds_mm is None else np.asarray(bounds_mm, np.float64)
    if bounds is not None and bounds.shape != (len(share), len(expected)):
        raise InputError(f"Bounds need shape {(len(share), len(expected))}, got {bounds.shape}.")
    if not len(expected) or not np.isfinite(expected).all():
        raise InputError("A summary needs at least one expected error, all of them finite.")
    edges = np.array(EDGES_MM)
    histogram = np.histogram(np.minimum(expected, 1e9), np.append(edges[:-1], 2e9))[0].astype(np.int64)
    none, whole = np.zeros(0), np.zeros(0, np.int64)
    predicted, observed, count, ece, held = none, none, whole, float("nan"), none
    if truth is not None and probability is not None:
        c = calibration(
            np.asarray(probability).reshape(-1), (truth <= tolerance_mm).astype(np.float64), _BINS
        )
        predicted, observed, count, ece = c.predicted, c.observed, c.count, c.ece.value
    if truth is not None and bounds is not None:
        held = np.array([float((truth <= b).mean()) for b in bounds])
    coverage, risk = risk_coverage(expected if truth is None else truth, expected)
    at = np.clip(np.ceil(np.linspace(0.0, 1.0, _POINTS) * len(risk)).astype(np.int64) - 1, 0, len(risk) - 1)
    a, b, c95 = (float(risk[max(int(np.ceil(q * len(risk))) - 1, 0)]) for q in COVERAGES)
    return ConfidenceSummary(
        edges, histogram, predicted, observed, count, ece, share if bounds is not None else none, held,
        coverage[at], risk[at], (a, b, c95), float(tolerance_mm), len(expected),
    )  # fmt: skip
