"""Scores of a confidence: closed forms, and scipy as a second opinion."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from backends.errors import InputError
from backends.metrics import confidence as c

RNG = np.random.default_rng(3)


def test_the_area_is_mann_whitneys_with_ties() -> None:
    score = RNG.integers(0, 6, 200).astype(float)
    positive = RNG.uniform(size=200) < 0.3 + 0.08 * score
    u = stats.mannwhitneyu(score[positive], score[~positive]).statistic
    assert c.auroc(score, positive).value == pytest.approx(u / (positive.sum() * (~positive).sum()))


def test_the_published_example_of_hanley_and_mcneil() -> None:
    """Radiology 143, 1982, table I and II: 109 CT images rated 1 to 5, area 0.893."""
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    rating = np.repeat(np.tile(np.arange(1.0, 6.0), 2), normal + abnormal)
    positive = np.repeat([0, 1], [58, 51])
    assert round(c.auroc(rating, positive).value, 3) == 0.893


def test_right_wrong_and_empty() -> None:
    assert c.auroc([1, 2, 3, 4], [0, 0, 1, 1]).value == 1.0
    assert c.auroc([4, 3, 2, 1], [0, 0, 1, 1]).value == 0.0
    assert c.auroc([1, 1, 1, 1], [0, 1, 0, 1]).value == 0.5
    assert math.isnan(c.auroc([1, 2], [1, 1]).value)
    left = c.auroc([1, np.nan, 3], [0, 1, 1])
    assert (left.value, left.n, left.unknown) == (1.0, 2, 1)


def test_rank_correlation_is_scipys_with_ties() -> None:
    a = RNG.integers(0, 9, 80).astype(float)
    b = a + RNG.integers(0, 9, 80)
    assert c.spearman(a, b).value == pytest.approx(stats.spearmanr(a, b).statistic)
    assert c.spearman(a, a**3).value == pytest.approx(1.0)
    assert math.isnan(c.spearman(a, np.zeros(80)).value)
    assert math.isnan(c.spearman([1.0], [1.0]).value)


def test_risk_is_the_mean_error_of_the_surest() -> None:
    coverage, risk = c.risk_coverage([4.0, 1.0, 7.0], [0.2, 0.1, 0.3])
    assert coverage == pytest.approx([1 / 3, 2 / 3, 1])
    assert risk == pytest.approx([1.0, 2.5, 4.0])
    assert c.aurc([4.0, 1.0, 7.0], [0.2, 0.1, 0.3]).value == pytest.approx(2.5)


def test_equal_uncertainty_is_no_order() -> None:
    errors = [8.0, 0.0, 4.0]
    _, risk = c.risk_coverage(errors, [1.0, 1.0, 1.0])
    assert risk == pytest.approx([4.0, 4.0, 4.0])
    assert c.aurc(errors, [1, 1, 1]).value == c.aurc(errors[::-1], [1, 1, 1]).value


def test_the_oracle_has_no_sparsification_error_and_a_constant_has_the_whole() -> None:
    n = 2000
    errors = (np.arange(n) + 0.5) / n
    assert c.ause(errors, errors).value == 0.0
    # Uniform errors: the oracle's curve is 1 - x, that of no order 1: the area between is 1/2.
    assert c.ause(errors, np.zeros(n)).value == pytest.approx(0.5, abs=2e-3)
    # The reverse order leaves the largest: 1 + x, so 1.
    assert c.ause(errors, -errors).value == pytest.approx(1.0, abs=2e-3)


def test_three_samples_by_hand() -> None:
    # Errors 3, 2, 1, uncertainty orders 2, 3, 1: left over after 0, 1, 2 are removed: 2, 2, 1 (of mean 2);
    # the oracle 2, 1.5, 1: gaps 0, 1/4, 0 at 0, 1/3, 2/3: trapezia 1/24 + 1/24.
    s = c.sparsification([3.0, 2.0, 1.0], [2.0, 3.0, 1.0])
    assert s.curve == pytest.approx([1.0, 1.0, 0.5])
    assert s.oracle == pytest.approx([1.0, 0.75, 0.5])
    assert s.ause.value == pytest.approx(1 / 12)


def test_no_error_at_all_needs_no_order() -> None:
    assert c.ause(np.zeros(5), RNG.uniform(size=5)).value == 0.0
    assert math.isnan(c.ause([], []).value)


def test_calibration_by_hand() -> None:
    # Ten at 0.85 of which six come true: 0.25 off; thirty at 0.15 of which three: 0.05 off.
    probability = np.repeat([0.85, 0.15], [10, 30])
    outcome = np.concatenate([np.arange(10) < 6, np.arange(30) < 3])
    score = c.calibration(probability, outcome)
    assert score.ece.value == pytest.approx(0.25 * 0.25 + 0.75 * 0.05)
    assert score.count.tolist() == [30, 10]
    assert score.observed == pytest.approx([0.1, 0.6])
    assert c.calibration([1.0, 0.0], [1, 0]).ece.value == 0.0


def test_the_chance_to_be_within_is_maxwells() -> None:
    expected = np.array([10.0, 40.0, 120.0])
    scale = expected / (2 * np.sqrt(2 / np.pi))
    assert np.allclose(stats.maxwell.mean(scale=scale), expected)
    assert c.probability_within(expected, 50.0) == pytest.approx(stats.maxwell.cdf(50.0, scale=scale))
    assert c.error_bound(expected, 0.9) == pytest.approx(stats.maxwell.ppf(0.9, scale=scale))
    assert c.probability_within(0.0, 50.0) == 1.0


def test_a_calibrated_confidence_reaches_its_levels() -> None:
    expected = RNG.uniform(10, 200, 20_000)
    error = stats.maxwell.rvs(scale=expected / (2 * np.sqrt(2 / np.pi)), random_state=1)
    for level in (0.5, 0.9):
        covered = c.interval_coverage(error, c.error_bound(expected, level))
        assert covered.value == pytest.approx(level, abs=0.01)
    assert c.calibration(c.probability_within(expected, 50.0), error <= 50.0).ece.value < 0.01
    assert c.interval_coverage([1.0, 3.0], [2.0, 2.0]).value == 0.5


def test_bad_samples_are_refused() -> None:
    with pytest.raises(InputError, match="one number"):
        c.auroc([1.0, 2.0], [1])
    with pytest.raises(InputError, match="probabilities"):
        c.calibration([1.5], [1])


def test_the_numbers_of_confidence_on_mesh(footage_folder: Path) -> None:
    """Recomputed from the arrays that the authors of arXiv 2305.17245 published: a joint is wrong above 0.1.

    AUROC 0.823 by the detectors' disagreement and 0.749 by one's own confidence; AUSE 0.182 and 0.472 for
    no order, over coarser steps than ours.
    """
    with np.load(footage_folder / "confidence_3dpw.npz", allow_pickle=False) as data:
        away, error, score = (data[k].astype(float) for k in ("test_sp_op", "test_sp_gt", "test_conf"))
    assert round(c.auroc(away, error > 0.1).value, 3) == 0.823
    assert round(c.auroc(-score, error > 0.1).value, 3) == 0.749
    assert c.ause(error, away).value == pytest.approx(0.182, abs=0.005)
    assert c.ause(error, np.zeros_like(error)).value == pytest.approx(0.472, abs=0.006)
