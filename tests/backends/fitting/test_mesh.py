"""Meshes to parameters, fits carried to other bodies, and bodies that pass through themselves."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backends.body import BodyParams, load_body, posed_joints, posed_vertices
from backends.body.skeleton import JOINT_INDEX
from backends.errors import InputError
from backends.fitting import self_penetration, transfer, vertices_to_params
from backends.fitting.penetration import winding_numbers
from backends.fitting.trial import random_body

_spec = importlib.util.spec_from_file_location(
    "like_smpl", Path(__file__).parents[1] / "body" / "like_smpl.py"
)
assert _spec is not None
assert _spec.loader is not None
like_smpl = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(like_smpl)

BODY = load_body()


def with_hands(rng: np.random.Generator) -> BodyParams:
    params = random_body(BODY, rng)
    pose = params.pose.copy()
    pose[22, 0] = 0.2
    pose[25:] += rng.normal(0, 0.15, (30, 3))
    return BodyParams(params.betas, pose, params.transl)


def test_parameters_of_meshes_are_found_again(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    found, joints = [], []
    for _ in range(4):
        truth = with_hands(rng)
        fit = vertices_to_params(BODY, posed_vertices(BODY, truth))
        found.append(fit.rms_mm)
        joints.append(np.abs(posed_joints(BODY, fit.params) - posed_joints(BODY, truth)).max())
        assert np.abs(fit.params.betas - truth.betas).max() < 0.3
    with capsys.disabled():
        print(
            f"\n  vertices to parameters: rms {np.mean(found):.2f} mm, joints {1e3 * max(joints):.1f} at most"
        )
    assert max(found) < 2.0
    assert max(joints) < 0.01


def test_a_given_shape_and_noisy_vertices() -> None:
    rng = np.random.default_rng(1)
    truth = random_body(BODY, rng)
    vertices = posed_vertices(BODY, truth)
    noisy = vertices + rng.normal(0, 0.003, vertices.shape)
    noisy[rng.choice(len(noisy), 60)] += 1.0
    fit = vertices_to_params(BODY, noisy, betas=truth.betas)
    assert np.array_equal(fit.params.betas, truth.betas)
    gap = posed_vertices(BODY, fit.params) - vertices
    assert np.sqrt((gap**2).sum(axis=1).mean()) < 0.004


def test_meshes_that_do_not_belong_to_the_body_are_refused() -> None:
    vertices = BODY.v_template.copy()
    with pytest.raises(InputError, match="vertices"):
        vertices_to_params(BODY, vertices[:100])
    with pytest.raises(InputError, match="betas"):
        vertices_to_params(BODY, vertices, betas=np.zeros(3))
    vertices[3] = np.nan
    with pytest.raises(InputError, match="finite"):
        vertices_to_params(BODY, vertices)


def test_a_fit_is_carried_to_another_body_and_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = like_smpl.smpl_like(tmp_path / "other.npz")
    rng = np.random.default_rng(2)
    there, back = [], []
    for _ in range(5):
        params = random_body(BODY, rng)
        to = transfer(BODY, params, other)
        there.append(to.joints_mm.mean())
        again = transfer(other, to.params, BODY)
        gap = posed_joints(BODY, again.params) - posed_joints(BODY, params)
        back.append(1e3 * np.linalg.norm(gap[:22], axis=1))
        assert again.params.pose[25:] == pytest.approx(params.pose[25:])
        kept = transfer(BODY, params, other, betas=to.params.betas)
        assert kept.joints_mm.mean() < to.joints_mm.mean() + 3
    with capsys.disabled():
        print(
            f"\n  carried to SMPL's layout: joints {np.mean(there):.1f} mm, and back {np.mean(back):.1f} mm"
        )
    assert np.mean(there) < 20
    assert np.mean(back) < 12
    mesh = vertices_to_params(other, posed_vertices(other, to.params))
    assert mesh.rms_mm < 3.0
    with pytest.raises(InputError, match="finite"):
        transfer(BODY, replace(params, transl=np.array([np.nan, 0, 0])), other)


def test_winding_numbers_of_a_cube_and_two() -> None:
    v = np.array([[x, y, z] for x in (0.0, 1.0) for y in (0.0, 1.0) for z in (0.0, 1.0)])
    f = np.array(
        [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
         [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]], np.int32,
    )  # fmt: skip
    points = np.array([[0.5, 0.5, 0.5], [2.0, 0.5, 0.5], [0.8, 0.5, 0.5]])
    np.testing.assert_allclose(np.abs(winding_numbers(points, v, f)), [1, 0, 1], atol=1e-6)
    both, faces = np.concatenate([v, v + np.array([0.6, 0, 0])]), np.concatenate([f, f + 8])
    np.testing.assert_allclose(np.abs(winding_numbers(points, both, faces)), [1, 0, 2], atol=1e-6)


def test_an_arm_through_the_chest_and_legs_through_each_other_are_told() -> None:
    pose = np.zeros((55, 3))
    assert self_penetration(BODY, BodyParams(np.zeros(10), pose, np.zeros(3))) == ()
    through = pose.copy()
    through[JOINT_INDEX["left_shoulder"]] = (0.0, 0.0, -2.0)
    told = self_penetration(BODY, BodyParams(np.zeros(10), through, np.zeros(3)))
    assert {o.part for o in told} & {"left_elbow", "left_shoulder"}
    assert told[0].depth_mm > 20
    legs = pose.copy()
    legs[JOINT_INDEX["left_hip"]] = (0.0, 0.0, -0.28)
    legs[JOINT_INDEX["right_hip"]] = (0.0, 0.0, 0.28)
    crossing = self_penetration(BODY, BodyParams(np.zeros(10), legs, np.zeros(3)))
    assert {o.part for o in crossing} & {"left_knee", "right_knee", "left_hip", "right_hip"}
    assert crossing[0].other.split("_")[1] in ("knee", "hip", "ankle")
    assert all(o.depth_mm > 5 for o in crossing)
