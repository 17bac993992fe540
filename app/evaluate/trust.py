"""Rows about the confidence: does the expected error say where the error is?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.evaluate.report import Row, row
from app.evaluate.samples import Samples
from app.evaluate.space import PROCRUSTES, SetErrors
from backends.metrics import confidence as c
from backends.metrics.score import Score

F8 = npt.NDArray[np.float64]

_LEVEL = 0.9


def trust_samples(samples: Samples, every: list[SetErrors]) -> tuple[F8, F8, str]:
    """(N,) measured and expected errors of keypoints, mm, and the joint set's label.

    The confidence is of the 23 keypoints and holds after the body as a whole is aligned.
    """
    chosen = next((e for e in every if e.joints.name in ("default23", "coco17")), None)
    if chosen is None or not any(p.expected_mm is not None for p in samples.pairs):
        return np.zeros(0), np.zeros(0), ""
    n = len(chosen.joints)
    blank = np.full(n, np.nan)
    expected = np.array([blank if p.expected_mm is None else p.expected_mm[:n] for p in samples.pairs])
    known = chosen.columns
    return chosen.procrustes[:, known].reshape(-1), expected[:, known].reshape(-1), chosen.label


def trust_rows(
    error: F8, expected: F8, label: str, tolerance_mm: float
) -> tuple[list[Row], list[tuple[str, str]]]:
    """Ranking and calibration of the expected errors."""
    if not len(error):
        return [], [("Confidence", "it needs bodies with confidence and a truth of keypoints in space")]
    known = np.isfinite(error) & np.isfinite(expected)
    wrong = np.where(known, error > tolerance_mm, np.nan)
    within = np.where(known, error <= tolerance_mm, np.nan)
    probability = np.where(known, c.probability_within(np.where(known, expected, 0.0), tolerance_mm), np.nan)
    bound = np.where(known, c.error_bound(expected, _LEVEL), np.nan)
    far = f"error above {tolerance_mm:g} mm"
    rows: list[tuple[str, str, Score, str, str, str, float | None]] = [
        ("auroc", f"AUROC, {far}", c.auroc(expected, wrong), "", "higher", "ties count half", None),
        ("ause", "AUSE", c.ause(error, expected), "", "lower", "over the mean error; 0 ranks perfectly", 0.0),
        ("spearman", "Spearman", c.spearman(error, expected), "", "higher", "", None),
        ("aurc", "Area under risk and coverage", c.aurc(error, expected), "mm", "lower", "", 0.0),
        ("ece", f"ECE, within {tolerance_mm:g} mm", c.calibration(probability, within).ece, "", "lower",
         "15 bins; errors taken to follow Maxwell's distribution", 0.0),
        ("interval_coverage", f"Coverage of the {_LEVEL:.0%} bound", c.interval_coverage(error, bound), "%",
         "", f"{_LEVEL:.0%} is right; more is too cautious", None),
    ]  # fmt: skip
    return [
        row("confidence", key, name, score, unit, "joints", joint_set=label, alignment=PROCRUSTES,
            better=better, note=note, perfect=perfect)
        for key, name, score, unit, better, note, perfect in rows
    ], []  # fmt: skip
