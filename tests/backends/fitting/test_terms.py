"""Every term's derivatives by hand against torch's automatic ones, in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from backends.body import load_body
from backends.camera import Camera
from backends.fitting.arrays import pack_camera
from backends.fitting.kernels import N_POSE, points_and_derivatives
from backends.fitting.problem import make_prior, make_problem
from backends.fitting.terms import (
    bone_term,
    depth_term,
    edge_term,
    gaussian_term,
    hinge_term,
    limit_term,
    mixture_term,
    plane_term,
    point_term,
    project_points,
    reprojection_term,
)
from backends.fitting.train_prior import train_mixture
from backends.fitting.trial import random_body, ring_of_cameras

BODY = load_body()
ARRAYS = make_problem(BODY)
RNG = np.random.default_rng(2)
LENS = np.array([-0.21, 0.07, 3e-3, -2e-3, 0.01])


def camera() -> Camera:
    c = ring_of_cameras(3)[1]
    K = c.K.copy()
    K[0, 1] = 1.5
    return Camera(K, c.width, c.height, c.R, c.t, LENS)


def t(a: object) -> torch.Tensor:
    return torch.as_tensor(np.asarray(a), dtype=torch.float64)


def torch_project(cam: Camera, X: torch.Tensor) -> torch.Tensor:
    x = t(cam.R) @ X + t(cam.t)
    a, b = x[0] / x[2], x[1] / x[2]
    k1, k2, p1, p2, k3 = cam.dist
    r2 = a * a + b * b
    d = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    u = a * d + 2 * p1 * a * b + p2 * (r2 + 2 * a * a)
    v = b * d + p1 * (r2 + 2 * b * b) + 2 * p2 * a * b
    K = cam.K
    return torch.stack([K[0, 0] * u + K[0, 1] * v + K[0, 2], K[1, 1] * v + K[1, 2]])


def bounded(r2: torch.Tensor, cut: float) -> torch.Tensor:
    return 0.5 * r2 * cut**2 / (cut**2 + r2) if cut > 0 else 0.5 * r2


def check_point_term(
    term: Callable[..., float], args: tuple, X: np.ndarray, residual: Callable[[torch.Tensor], torch.Tensor],
    cut: float, room: tuple = (),
) -> None:  # fmt: skip
    """Cost, gradient and Gauss-Newton matrix of a term on a point."""
    M, v = np.zeros((3, 3)), np.zeros(3)
    cost = term(*args, *room, M, v)
    at = t(X).requires_grad_(True)
    r = residual(at)
    expected = bounded((r * r).sum(), cut)
    (gradient,) = torch.autograd.grad(expected, at)
    J = torch.autograd.functional.jacobian(residual, t(X)).numpy()
    r2 = (r * r).sum().item()
    w = (cut**2 / (cut**2 + r2)) ** 2 if cut > 0 else 1.0
    assert cost == pytest.approx(expected.item(), rel=1e-9)
    np.testing.assert_allclose(v, gradient.numpy(), rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(M, w * J.T @ J, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("cut", [0.0, 3.0])
def test_reprojection_with_distortion(cut: float) -> None:
    cam = camera()
    for _ in range(10):
        X = RNG.uniform(-0.8, 0.8, 3) + np.array([0, 0, 1])
        xy = RNG.uniform(0, 700, 2)
        check_point_term(
            reprojection_term, (pack_camera(cam), X, xy, 40.0, cut), X,
            lambda p, xy=xy: (torch_project(cam, p) - t(xy)) / 40.0, cut, (np.empty((2, 3)),),
        )  # fmt: skip


def test_projection_agrees_with_opencv() -> None:
    import cv2

    cam = camera()
    X = RNG.uniform(-0.8, 0.8, (30, 3)) + np.array([0, 0, 1])
    K = cam.K.copy()
    K[0, 1] = 0.0  # OpenCV has no skew
    straight = Camera(K, cam.width, cam.height, cam.R, cam.t, cam.dist)
    expected, _ = cv2.projectPoints(X, cv2.Rodrigues(cam.R)[0], cam.t, K, cam.dist)
    np.testing.assert_allclose(project_points(pack_camera(straight), X), expected[:, 0], atol=1e-6)


def test_distortion_does_not_fold_back_far_outside_the_picture() -> None:
    c = camera()
    cam = Camera(c.K, c.width, c.height, dist=np.array([-0.4, 0.0, 0.0, 0.0, 0.0]))
    angles = np.deg2rad(np.arange(2, 86, 2))
    xy = project_points(pack_camera(cam), np.stack([np.tan(angles), 0 * angles, 0 * angles + 1], axis=1))
    assert (np.diff(xy[:, 0]) > 0).all()


@pytest.mark.parametrize("cut", [0.0, 2.0])
def test_depth_and_places_in_space(cut: float) -> None:
    cam = camera()
    X, target = RNG.normal(size=3), RNG.normal(size=3)
    check_point_term(
        depth_term, (pack_camera(cam), X, 2.4, 0.05, cut), X,
        lambda p: ((t(cam.R) @ p + t(cam.t))[2:] - 2.4) / 0.05, cut,
    )  # fmt: skip
    check_point_term(point_term, (X, target, 0.3, cut), X, lambda p: (p - t(target)) / 0.3, cut)


@pytest.mark.parametrize("cut", [0.0, 2.0])
def test_outlines_and_surfaces(cut: float) -> None:
    cam = camera()
    X = RNG.uniform(-0.8, 0.8, 3) + np.array([0, 0, 1])
    xy, flat = RNG.uniform(0, 700, 2), np.array([0.6, -0.8])
    check_point_term(
        edge_term, (pack_camera(cam), X, xy, flat, 30.0, cut), X,
        lambda p: (t(flat) @ (torch_project(cam, p) - t(xy)))[None] / 30.0, cut, (np.empty((2, 3)),),
    )  # fmt: skip
    normal = RNG.normal(size=3)
    normal /= np.linalg.norm(normal)
    check_point_term(
        plane_term, (X, normal, 0.7, 0.2, cut), X, lambda p: (t(normal) @ p - 0.7)[None] / 0.2, cut
    )


@pytest.mark.parametrize("cut", [0.0, 2.0])
def test_directions_of_bones(cut: float) -> None:
    frame = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    weight = np.array([2.0, 3.0, 5.0])
    for _ in range(5):
        d, target = RNG.normal(size=3), RNG.normal(size=3)
        target /= np.linalg.norm(target)
        check_point_term(
            bone_term, (d, target, frame, weight, cut), d,
            lambda p, target=target: t(weight) * (t(frame) @ (p / torch.linalg.norm(p) - t(target))), cut,
        )  # fmt: skip


def check_unknown_term(
    term: Callable[[np.ndarray, np.ndarray, np.ndarray, bool], float],
    cost: Callable[[torch.Tensor], torch.Tensor],
    x: np.ndarray,
    residual: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> None:
    n = len(x)
    H, g = np.zeros((n, n)), np.zeros(n)
    value = term(x, H, g, True)
    at = t(x).requires_grad_(True)
    expected = cost(at)
    (gradient,) = torch.autograd.grad(expected, at)
    assert value == pytest.approx(expected.item(), rel=1e-9)
    assert value == pytest.approx(term(x, H, g, False), rel=1e-12)
    np.testing.assert_allclose(g, gradient.numpy(), rtol=1e-7, atol=1e-8)
    full = H + np.tril(H, -1).T
    if residual is not None:
        J = torch.autograd.functional.jacobian(residual, t(x)).numpy()
        np.testing.assert_allclose(full, J.T @ J, rtol=1e-7, atol=1e-7)
    else:
        hessian = torch.autograd.functional.hessian(cost, t(x)).numpy()
        np.testing.assert_allclose(full, hessian, rtol=1e-7, atol=1e-7)


def test_gaussian_priors_on_pose_and_shape() -> None:
    n = 79
    mean, inverse = RNG.normal(size=n), RNG.uniform(0, 3, n)
    inverse[:3] = 0.0
    check_unknown_term(
        lambda x, H, g, want: gaussian_term(x, mean, inverse, H, g, want),
        lambda x: 0.5 * (((x - t(mean)) * t(inverse)) ** 2).sum(),
        RNG.normal(size=n),
    )


def test_joint_limits() -> None:
    prior = make_prior(BODY)
    low, high = t(prior.limits[3:, 0]), t(prior.limits[3:, 1])

    def cost(x: torch.Tensor) -> torch.Tensor:
        a = x[3:N_POSE]
        over = torch.clamp(a - high, min=0) + torch.clamp(low - a, min=0)
        return 0.5 * (prior.wall * over).square().sum()

    x = RNG.normal(0, 1.2, 69)
    assert float(cost(t(x))) > 1.0
    check_unknown_term(lambda x, H, g, want: limit_term(x, prior.limits, prior.wall, H, g, want), cost, x)


def torch_rotation(v: torch.Tensor) -> torch.Tensor:
    import roma

    return roma.rotvec_to_rotmat(v)


def test_hinges() -> None:
    prior = make_prior(BODY)
    x = np.zeros(69)
    x[12:15], x[15:18] = (-0.5, 0.2, 0.1), (-0.9, -0.3, 0.2)  # both knees bent forwards
    x[54:57] = (0.2, 0.6, 0.1)  # the left elbow backwards
    x[57:60] = (0.1, 0.5, 0.1)  # the right one as it should

    def residual(x: torch.Tensor) -> torch.Tensor:
        out = []
        for h, j in enumerate(prior.hinge_joint):
            f = torch_rotation(x[3 * j : 3 * j + 3]) @ t(prior.hinge_lower[h])
            s = t(prior.hinge_axis[h]) @ torch.linalg.cross(t(prior.hinge_upper[h]), f)
            out.append(prior.hinge_weight * torch.clamp(-0.05 - s, min=0))
        return torch.stack(out)

    r = residual(t(x))
    assert (r[:3] > 0).all()
    assert r[3] == 0
    check_unknown_term(
        lambda x, H, g, want: hinge_term(x, prior, H, g, want),
        lambda x: 0.5 * residual(x).square().sum(), x, residual,
    )  # fmt: skip


def test_pose_mixture() -> None:
    poses = np.stack([random_body(BODY, RNG).pose[1:22].reshape(-1) for _ in range(80)])
    mixture = train_mixture(poses, components=2, seed=0)
    prior = make_prior(BODY, mixture)
    n = N_POSE - 3

    def cost(x: torch.Tensor) -> torch.Tensor:
        parts = []
        for c in range(2):
            d = x[3:N_POSE] - t(prior.mix_mean[c])
            parts.append(0.5 * d @ t(prior.mix_precision[c]) @ d - float(prior.mix_log[c]))
        return torch.stack(parts).min()

    assert prior.mix_mean.shape == (2, n)
    check_unknown_term(lambda x, H, g, want: mixture_term(x, prior, H, g, want), cost, RNG.normal(size=69))


def test_points_of_the_body_by_pose_place_and_shape() -> None:
    truth = random_body(BODY, RNG)
    x = np.concatenate([truth.pose[:22].reshape(-1), truth.transl, truth.betas])

    def points(x: torch.Tensor) -> torch.Tensor:
        b = x[N_POSE + 3 :]
        J = t(ARRAYS.J_template) + t(ARRAYS.J_dirs) @ b
        G: list[torch.Tensor] = []
        P: list[torch.Tensor] = []
        for j, p in enumerate(ARRAYS.parents):
            L = torch_rotation(x[3 * j : 3 * j + 3])
            G.append(L if p < 0 else G[p] @ L)
            P.append(J[0] + x[N_POSE : N_POSE + 3] if p < 0 else P[p] + G[p] @ (J[j] - J[p]))
        rotation, place = torch.stack(G), torch.stack(P)
        rest = t(ARRAYS.template) + t(ARRAYS.dirs) @ b
        offset = place - (rotation @ J[..., None])[..., 0]
        return torch.einsum("jrc,kjc->kr", rotation, rest) + t(ARRAYS.weight) @ offset

    X, dX = np.empty((45, 3)), np.empty((45, 3, len(x)))
    points_and_derivatives(x, x[N_POSE + 3 :].copy(), 10, ARRAYS, 45, X, dX, True)
    np.testing.assert_allclose(X, points(t(x)).numpy(), atol=1e-12)
    np.testing.assert_allclose(dX, torch.autograd.functional.jacobian(points, t(x)).numpy(), atol=1e-10)
