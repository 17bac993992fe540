"""The terms between frames: derivatives by hand against torch's automatic ones, in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from backends.fitting.clip_kernels import (
    BANDS,
    N_FOLLOWED,
    N_FRAME,
    angles_term,
    ground_term,
    points_acceleration_term,
    slide_term,
)
from backends.fitting.kernels import N_POSE

T = 5
N = N_FRAME + 2
RNG = np.random.default_rng(4)
P = RNG.normal(0, 0.3, (T, N_FOLLOWED, 3))
D = RNG.normal(0, 0.5, (T, N_FOLLOWED, 3, N))
COLUMNS = np.tile(np.arange(N_FRAME), (N_FOLLOWED, 1))
COUNTS = np.full(N_FOLLOWED, N_FRAME)
FREE = np.zeros(T, np.bool_)


def t(a: object) -> torch.Tensor:
    return torch.as_tensor(np.asarray(a), dtype=torch.float64)


def bounded(r2: torch.Tensor, cut: float) -> torch.Tensor:
    return 0.5 * r2 * cut**2 / (cut**2 + r2) if cut > 0 else 0.5 * r2


def moved(step: torch.Tensor) -> torch.Tensor:
    """The points when the unknowns of all frames (T, N) change by ``step``."""
    return t(P) + torch.einsum("tkrn,tn->tkr", t(D), step)


def dense(band: np.ndarray) -> np.ndarray:
    """(T * 69, T * 69) symmetric matrix of LAPACK's lower band in column order."""
    n = T * N_FRAME
    full = np.zeros((n, n))
    for j in range(n):
        rows = min(BANDS, n - j)
        full[j : j + rows, j] = band[j, :rows]
    return full + np.tril(full, -1).T


def check_points_term(
    term: Callable[..., float], before: tuple, cost: Callable[[torch.Tensor], torch.Tensor],
    residual: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> None:  # fmt: skip
    """Cost and gradient by all unknowns; where ``residual`` is given the Gauss-Newton matrix too."""
    band, g = np.zeros((T * N_FRAME, BANDS)), np.zeros((T, N))
    value = term(P, D, *before, COLUMNS, COUNTS, FREE, band, g, True)
    step = torch.zeros((T, N), dtype=torch.float64, requires_grad=True)
    expected = cost(moved(step))
    (gradient,) = torch.autograd.grad(expected, step)
    assert value == pytest.approx(expected.item(), rel=1e-9)
    assert value == pytest.approx(term(P, D, *before, COLUMNS, COUNTS, FREE, band.copy(), g.copy(), False))
    np.testing.assert_allclose(g, gradient.numpy(), rtol=1e-8, atol=1e-8)
    if residual is not None:
        J = torch.autograd.functional.jacobian(
            lambda s: residual(moved(s)).reshape(-1), torch.zeros_like(step)
        )
        rows = J[..., :N_FRAME].reshape(len(J), -1).numpy()
        np.testing.assert_allclose(dense(band), rows.T @ rows, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("cut", [0.0, 1.5])
def test_even_motion_of_points(cut: float) -> None:
    inverse = RNG.uniform(0.5, 2.0, (T, N_FOLLOWED))

    def bends(points: torch.Tensor) -> torch.Tensor:
        return (points[:-2] - 2 * points[1:-1] + points[2:]) * t(inverse)[1:-1, :, None]

    check_points_term(
        points_acceleration_term, (inverse, cut),
        lambda points: bounded((bends(points) ** 2).sum(-1), cut).sum(), bends if cut == 0 else None,
    )  # fmt: skip


def test_standing_feet() -> None:
    weight, across = RNG.uniform(0.1, 2.0, (T - 1, 6)), np.array([1.0, 1.0, 0.0])

    def slides(points: torch.Tensor) -> torch.Tensor:
        return (points[1:, -6:] - points[:-1, -6:]) * (t(weight)[..., None] * t(across)).sqrt()

    check_points_term(slide_term, (weight, across), lambda points: 0.5 * (slides(points) ** 2).sum(), slides)


def test_the_ground_holds_feet_and_lets_none_below() -> None:
    weight = RNG.uniform(0.1, 2.0, (T, 6)) * (RNG.random((T, 6)) < 0.6)
    height = 0.1

    def over(points: torch.Tensor) -> torch.Tensor:
        away = points[:, -6:, 2] - height
        held = torch.where(away >= 0, t(weight), torch.full_like(away, float(weight.max())))
        return away * held.sqrt()

    assert (P[:, -6:, 2] < height).any()
    check_points_term(ground_term, (weight, height), lambda points: 0.5 * (over(points) ** 2).sum(), over)


def test_even_turning_of_joints() -> None:
    x = RNG.normal(0, 0.4, (T, N_FRAME))
    speed, bend = RNG.uniform(0.5, 2.0, (T, 22)), RNG.uniform(0.5, 2.0, (T, 22))
    band, g = np.zeros((T * N_FRAME, BANDS)), np.zeros((T, N_FRAME))
    value = angles_term(x, speed, bend, FREE, band, g, True)

    def residual(at: torch.Tensor) -> torch.Tensor:
        angles = at[:, 3:N_POSE].reshape(T, 21, 3)
        first = (angles[1:] - angles[:-1]) * t(speed)[1:, 1:, None]
        second = (angles[:-2] - 2 * angles[1:-1] + angles[2:]) * t(bend)[1:-1, 1:, None]
        return torch.cat([first.reshape(-1), second.reshape(-1)])

    at = t(x).requires_grad_(True)
    expected = 0.5 * (residual(at) ** 2).sum()
    (gradient,) = torch.autograd.grad(expected, at)
    assert value == pytest.approx(expected.item(), rel=1e-9)
    np.testing.assert_allclose(g, gradient.numpy(), rtol=1e-8, atol=1e-8)
    rows = torch.autograd.functional.jacobian(residual, t(x)).reshape(-1, T * N_FRAME).numpy()
    np.testing.assert_allclose(dense(band), rows.T @ rows, rtol=1e-7, atol=1e-7)
