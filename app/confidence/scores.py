"""The figures by which agreement models are compared, on errors in half crops."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from backends.confidence.agreement import GOOD_SE, is_good, worst_joint
from backends.metrics.confidence import auroc, calibration, risk_coverage, sparsification, spearman

F8 = npt.NDArray[np.float64]

COVERAGES = (0.5, 0.8, 0.95, 1.0)
_STEPS = 100

MEANING = {
    "mc_accuracy": "mesh: accuracy", "mc_balanced": "mesh: balanced accuracy", "mc_auroc": "mesh: AUROC",
    "top1": "worst joint: top-1", "top3": "worst joint: top-3", "joint_auroc": "joint wrong: AUROC",
    "joint_ause": "joint: AUSE", "joint_spearman": "joint: Spearman", "joint_ece": "joint wrong: ECE",
    **{f"risk_{round(100 * c)}": f"joint: mean SE of the surest {round(100 * c)} %" for c in COVERAGES},
}  # fmt: skip
"""What each figure is called in tables."""

LOWER_IS_BETTER = frozenset({"joint_ause", "joint_ece", *(f"risk_{round(100 * c)}" for c in COVERAGES)})


def ause_100(error: npt.ArrayLike, uncertainty: npt.ArrayLike) -> float:
    """AUSE as the published figures have it: the mean gap to the oracle with 0, 1 ... 99 % removed.

    The area over every single sample (``backends.metrics.ause``) is larger by up to 0.005, for the last
    per cent counts there.
    """
    curves = sparsification(error, uncertainty)
    n = len(curves.removed)
    at = np.arange(_STEPS) * n // _STEPS
    return float((curves.curve - curves.oracle)[at].mean())


def top_k(se: F8, score: F8, k: int) -> float:
    """Share of rows whose worst joint is among the ``k`` with the highest score."""
    order = np.argsort(-score, axis=1, kind="stable")[:, :k]
    return float((order == worst_joint(se)[:, None]).any(axis=1).mean())


def mesh_figures(se: F8, good: F8) -> dict[str, float]:
    """Figures of a probability (N,) that a mesh is good; above 0.5 it is called so."""
    truth, said = is_good(se), good > 0.5
    rates = [float((said == truth)[truth == side].mean()) for side in (True, False) if (truth == side).any()]
    return {
        "mc_accuracy": float((said == truth).mean()), "mc_balanced": float(np.mean(rates)),
        "mc_auroc": auroc(good, truth).value,
    }  # fmt: skip


def worst_figures(se: F8, worst: F8) -> dict[str, float]:
    """Figures of scores (N, 14) for being the worst joint."""
    return {"top1": top_k(se, worst, 1), "top3": top_k(se, worst, 3)}


def joint_figures(se: F8, uncertainty: F8, wrong: F8 | None = None) -> dict[str, float]:
    """Figures of expected errors (N, 14), all joints together; ``wrong`` is the probability of SE > 0.1.

    Joints are pooled, as in the published figures: a model is also judged by knowing that wrists are
    less sure than hips.
    """
    e, u = se.reshape(-1), uncertainty.reshape(-1)
    _, risk = risk_coverage(e, u)
    figures = {
        "joint_auroc": auroc(u if wrong is None else wrong.reshape(-1), e > GOOD_SE).value,
        "joint_ause": ause_100(e, u),
        "joint_spearman": spearman(u, e).value,
        **{f"risk_{round(100 * c)}": float(risk[max(round(c * len(risk)) - 1, 0)]) for c in COVERAGES},
    }
    if wrong is not None:
        figures["joint_ece"] = calibration(wrong.reshape(-1), e > GOOD_SE).ece.value
    return figures


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a model on a test set.

    Attributes:
        model, test: names.
        mean, spread: per figure (keys of ``MEANING``) over the runs; ``spread`` is the standard deviation.
        runs: how many; 0 for figures that others published.
    """

    model: str
    test: str
    mean: dict[str, float]
    spread: dict[str, float] = field(default_factory=dict)
    runs: int = 1


def over_runs(model: str, test: str, results: list[dict[str, float]]) -> Row:
    """Mean and standard deviation over runs."""
    keys = list(results[0])
    values = {k: [r[k] for r in results] for k in keys}
    spread = {k: float(np.std(v, ddof=1)) for k, v in values.items()} if len(results) > 1 else {}
    return Row(model, test, {k: float(np.mean(v)) for k, v in values.items()}, spread, len(results))
