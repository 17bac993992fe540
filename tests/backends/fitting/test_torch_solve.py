"""Steps of damped normal equations: the library's way everywhere, our own kernel where there is a GPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backends.fitting.torch_solve import LEAST_PIVOT, damped_steps

GPU = pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))


def systems(n: int, size: int, device: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(size)
    rows = rng.normal(size=(n, size + 20, size))
    arrays = rows.transpose(0, 2, 1) @ rows, rng.normal(size=(n, size)), 10 ** rng.uniform(-6, 3, n)
    H, g, damping = (torch.as_tensor(a, dtype=torch.float32, device=device) for a in arrays)
    return H, g, damping


@pytest.mark.parametrize("device", ["cpu", GPU])
@pytest.mark.parametrize("size", [1, 17, 79, 99, 160])
def test_steps_solve_the_damped_equations(size: int, device: str) -> None:
    H, g, damping = systems(37, size, device)
    before = H.clone()
    step, solved = damped_steps(H, g, damping)
    assert solved.all()
    assert torch.equal(H, before)
    whole = H.double().cpu().numpy()
    diagonal = np.einsum("nii->ni", whole)
    left = whole + np.einsum(
        "ni,ij->nij", damping.cpu().numpy()[:, None] * (diagonal + LEAST_PIVOT), np.eye(size)
    )
    expected = -np.linalg.solve(left, g.double().cpu().numpy()[..., None])[..., 0]
    np.testing.assert_allclose(step.cpu().numpy(), expected, rtol=2e-3, atol=1e-5)


@pytest.mark.parametrize("device", ["cpu", GPU])
def test_what_is_not_positive_definite_is_told(device: str) -> None:
    H, g, damping = systems(12, 79, device)
    H[3, 40, 40] = -5.0
    H[7, 2, 2] = float("nan")
    _, solved = damped_steps(H, g, damping.clamp(max=0.1))
    assert [i for i, fine in enumerate(solved.tolist()) if not fine] == [3, 7]


def test_nobody_needs_no_steps() -> None:
    step, solved = damped_steps(torch.zeros(0, 5, 5), torch.zeros(0, 5), torch.zeros(0))
    assert step.shape == (0, 5)
    assert solved.shape == (0,)
