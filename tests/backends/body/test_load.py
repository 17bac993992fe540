"""Body files: the shipped one, files of the SMPL family, and hostile ones."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from backends.body import BodyParams, load_body, posed_joints, posed_keypoints, posed_vertices
from backends.body.convert_pickle import convert_pickle
from backends.body.load import FREE_BODY
from backends.body.skeleton import JOINT_NAMES, PARENTS, PUBLISHED_DEG, joint_limits
from backends.errors import InputError, WeightsError

N_VERTICES = 300
SMPL_JOINTS = [*range(22), JOINT_NAMES.index("left_middle1"), JOINT_NAMES.index("right_middle1")]


def small_file(n_joints: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Arrays in the layout of SMPL (24), SMPL-H (52) or SMPL-X (55), with a random mesh."""
    rng = np.random.default_rng(seed)
    target = {24: SMPL_JOINTS, 52: [*range(22), *range(25, 55)], 55: list(range(55))}[n_joints]
    parents = [-1]
    for joint in target[1:]:
        parent = PARENTS[joint]
        while parent not in target:
            parent = PARENTS[parent]
        parents.append(target.index(parent))
    n = 10_475 if n_joints == 55 else 6_890
    regressor = np.zeros((n_joints, n))
    for row in regressor:
        row[rng.choice(n, 4, replace=False)] = 0.25
    weights = np.zeros((n, n_joints))
    weights[np.arange(n), rng.integers(0, n_joints, n)] = 0.7
    weights[np.arange(n), rng.integers(0, n_joints, n)] += 0.3
    return {
        "v_template": rng.normal(0, 0.3, (n, 3)),
        "shapedirs": rng.normal(0, 0.01, (n, 3, 10)),
        "posedirs": rng.normal(0, 0.001, (n, 3, 9 * (n_joints - 1))),
        "J_regressor": regressor,
        "weights": weights,
        "f": rng.integers(0, n, (50, 3)).astype(np.uint32),
        "kintree_table": np.array([parents, range(n_joints)]).astype(np.int64) % 2**32,
    }


def test_the_shipped_body_speaks_smplx() -> None:
    body = load_body()
    assert FREE_BODY.stat().st_size < 10_000_000
    assert body.joint_limits.shape == (55, 3, 2)
    assert body.n_betas == 10
    assert np.allclose(body.weights.sum(axis=1), 1.0, atol=1e-5)
    assert np.allclose(np.asarray(body.keypoint_regressor.sum(axis=1)), 1.0)
    assert 1.4 < body.height(np.zeros(10)) < 2.0
    joints = posed_joints(body, BodyParams.rest())
    named = dict(zip(JOINT_NAMES, joints))
    assert named["left_wrist"][0] > 0.5 > -0.5 > named["right_wrist"][0], "x goes to the body's left"
    assert named["head"][1] > named["left_ankle"][1], "y goes up"
    assert abs(named["left_wrist"][1] - named["left_shoulder"][1]) < 0.08, "the arms are held out"


def test_posed_keypoints_are_the_regressed_vertices() -> None:
    body = load_body()
    rng = np.random.default_rng(1)
    params = BodyParams(rng.normal(0, 1, 10), rng.normal(0, 0.3, (55, 3)), np.array([0.1, 0.2, 3.0]))
    regressed = body.keypoint_regressor @ posed_vertices(body, params)
    assert np.abs(posed_keypoints(body, params) - regressed).max() < 2e-3


def test_the_body_agrees_with_anny_itself(capsys: pytest.CaptureFixture[str]) -> None:
    body = load_body()
    with np.load(FREE_BODY.with_name("anny_reference.npz"), allow_pickle=False) as reference:
        errors = []
        stride = int(reference["stride"])
        for pose, betas, truth in zip(reference["pose"], reference["betas"], reference["vertices"]):
            vertices = posed_vertices(body, BodyParams(betas.astype(float), pose.astype(float), np.zeros(3)))
            errors.append(np.linalg.norm(vertices[::stride] - vertices.mean(axis=0) - truth, axis=1))
    distance = 1000 * np.array(errors)
    part = body.part_of_vertex[::stride]
    worst = sorted(((distance[:, part == j].mean(), JOINT_NAMES[j]) for j in set(part)), reverse=True)[:5]
    with capsys.disabled():
        named = ", ".join(f"{name} {mm:.0f} mm" for mm, name in worst)
        print(f"\n  free body against Anny: mean {distance.mean():.1f} mm; largest at {named}")
    assert distance.mean() < 15.0


@pytest.mark.parametrize("n_joints", [24, 52, 55])
def test_files_of_the_smpl_family_pose_as_smplx_does(tmp_path: Path, n_joints: int) -> None:
    import torch
    from smplx.lbs import lbs

    data = small_file(n_joints)
    path = tmp_path / "body.npz"
    np.savez(path, **data)
    body = load_body(path)
    rng = np.random.default_rng(2)
    betas, pose, transl = rng.normal(0, 1, 10), rng.normal(0, 0.4, (n_joints, 3)), np.array([0.3, 0.1, 2.0])
    parents = data["kintree_table"][0].astype(np.int64)
    parents[0] = -1
    n_pose = data["posedirs"].shape[-1]
    vertices, joints = lbs(
        torch.tensor(betas)[None], torch.tensor(pose).reshape(1, -1), torch.tensor(data["v_template"])[None],
        torch.tensor(data["shapedirs"]), torch.tensor(data["posedirs"].reshape(-1, n_pose).T.copy()),
        torch.tensor(data["J_regressor"]), torch.tensor(parents), torch.tensor(data["weights"]),
    )  # fmt: skip
    target = {24: SMPL_JOINTS, 52: [*range(22), *range(25, 55)], 55: list(range(55))}[n_joints]
    full = np.zeros((55, 3))
    full[target] = pose
    params = BodyParams(betas, full, transl)
    assert np.abs(posed_vertices(body, params) - vertices[0].numpy() - transl).max() < 1e-4
    assert np.abs(posed_joints(body, params)[target] - joints[0].numpy() - transl).max() < 1e-4


def test_parameters_of_another_size_are_refused() -> None:
    with pytest.raises(InputError, match="betas"):
        posed_vertices(load_body(), BodyParams(np.zeros(3), np.zeros((55, 3)), np.zeros(3)))


def _spoil(data: dict[str, np.ndarray], how: str) -> dict[str, np.ndarray]:
    data = dict(data)
    if how == "nan":
        data["v_template"] = data["v_template"].copy()
        data["v_template"][3, 1] = np.nan
    elif how == "faces":
        data["f"] = np.array([[0, 1, 10**6]])
    elif how == "weights":
        data["weights"] = -data["weights"]
    elif how == "joints":
        data["weights"] = data["weights"][:, :20]
    elif how == "tree":
        data["kintree_table"] = data["kintree_table"].copy()
        data["kintree_table"][0, 5] = 17
    elif how == "regressor":
        data["J_regressor"] = data["J_regressor"][:, :50]
    elif how == "missing":
        del data["shapedirs"]
    elif how == "objects":
        data["v_template"] = np.array([{"a": 1}], dtype=object)
    return data


@pytest.mark.parametrize(
    "how", ["nan", "faces", "weights", "joints", "tree", "regressor", "missing", "objects"]
)
def test_a_damaged_body_file_is_one_clear_error(tmp_path: Path, how: str) -> None:
    path = tmp_path / "damaged.npz"
    np.savez(path, **_spoil(small_file(24), how))
    with pytest.raises(WeightsError, match=r"damaged\.npz"):
        load_body(path)


def test_files_that_are_no_bodies_are_one_clear_error(tmp_path: Path) -> None:
    text = tmp_path / "notes.npz"
    text.write_text("hello")
    for path in (text, tmp_path / "absent.npz"):
        with pytest.raises(WeightsError, match=path.name):
            load_body(path)
    with pytest.raises(WeightsError, match="holds no"):
        load_body(tmp_path)


class _Attack:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("touch pwned",)


def test_a_pickle_with_code_in_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    evil = tmp_path / "SMPL_NEUTRAL.pkl"
    evil.write_bytes(pickle.dumps({"v_template": _Attack()}))
    with pytest.raises(WeightsError, match="pickle"):
        load_body(evil)
    with pytest.raises(WeightsError, match="attack"):
        convert_pickle(evil, tmp_path / "out.npz")
    assert {p.name for p in tmp_path.iterdir()} == {evil.name}


def test_a_plain_body_pickle_is_converted_once(tmp_path: Path) -> None:
    from scipy import sparse

    data: dict[str, object] = dict(small_file(24))
    data["J_regressor"] = sparse.csc_matrix(data["J_regressor"])
    data["bs_style"] = "lbs"
    source, target = tmp_path / "body.pkl", tmp_path / "body.npz"
    source.write_bytes(pickle.dumps(data, protocol=2))
    convert_pickle(source, target)
    body = load_body(target)
    assert (body.name, body.n_vertices) == ("SMPL", 6890)


def test_a_damaged_pickle_is_one_clear_error(tmp_path: Path) -> None:
    source = tmp_path / "body.pkl"
    source.write_bytes(b"\x80\x02}q\x00(X")
    with pytest.raises(WeightsError, match="damaged"):
        convert_pickle(source, tmp_path / "body.npz")


@pytest.mark.parametrize("movement", PUBLISHED_DEG)
def test_joint_limits_hold_the_published_ranges_of_motion(movement: str) -> None:
    axis, low, high = PUBLISHED_DEG[movement]
    left = JOINT_NAMES.index(movement.split()[0])
    limits = np.rad2deg(joint_limits())
    assert limits[left, axis, 0] <= low
    assert limits[left, axis, 1] >= high
    right = JOINT_NAMES.index(movement.split()[0].replace("left", "right"))
    mirrored = (low, high) if axis == 0 else (-high, -low)
    assert limits[right, axis, 0] <= mirrored[0]
    assert limits[right, axis, 1] >= mirrored[1]
    assert np.ptp(limits[left, axis]) <= high - low + 45, "and not so wide that they say nothing"
