"""Body files in SMPL's, SMPL-H's and SMPL-X's layouts that nobody needs a licence for."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backends.body import BodyModel, load_body
from backends.body.skeleton import JOINT_INDEX

BODY = load_body()

LAYOUTS = {"smpl": 24, "smplh": 52, "smplx": 55}


def kept_joints(n_joints: int) -> list[int]:
    """Which of SMPL-X's 55 joints a file of so many has."""
    if n_joints == 55:
        return list(range(55))
    if n_joints == 52:
        return [*range(22), *range(25, 55)]
    return [*range(22), JOINT_INDEX["left_middle1"], JOINT_INDEX["right_middle1"]]


def _another_mesh(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Some triangles split in three and all vertices in another order: nobody's list of vertices fits."""
    rng = np.random.default_rng(1)
    faces = arrays["f"]
    chosen = rng.random(len(faces)) < 0.2
    split = faces[chosen]
    n = len(arrays["v_template"])
    new = n + np.arange(len(split))
    pieces = [np.stack([split[:, a], split[:, (a + 1) % 3], new], axis=1) for a in range(3)]
    faces = np.concatenate([faces[~chosen], *pieces])
    order = rng.permutation(n + len(split))
    place = np.argsort(order)
    out = {"f": place[faces].astype(np.int32)}
    for key in ("v_template", "shapedirs", "weights", "posedirs"):
        whole = np.concatenate([arrays[key], arrays[key][split].mean(axis=1)])
        out[key] = whole[order]
    regressor = np.concatenate([arrays["J_regressor"], np.zeros((len(arrays["J_regressor"]), len(split)))], 1)
    return out | {"J_regressor": regressor[:, order]}


def smpl_like(path: Path, layout: str = "smpl", *, own_mesh: bool = False) -> BodyModel:
    """The shipped body's mesh as a file in one of SMPL's layouts, of another build: longer legs, wider
    shoulders, with pose-dependent corrections.

    Args:
        own_mesh: another mesh, with 16 shapes and without keypoints: as the files of others come.
    """
    v = BODY.v_template.copy()
    hips = BODY.J_template[JOINT_INDEX["left_hip"], 1]
    v[:, 1] = np.where(v[:, 1] < hips, hips + 1.06 * (v[:, 1] - hips), v[:, 1])
    v[:, 0] *= 1.05
    keep = kept_joints(LAYOUTS[layout])
    weights = np.zeros((len(v), len(keep)))
    for j in range(55):
        k = j
        while k not in keep:
            k = int(BODY.parents[k])
        weights[:, keep.index(k)] += BODY.weights[:, j]
    regressor = np.zeros((len(keep), len(v)))
    for i, j in enumerate(keep):  # vertices about the joint: the seam of the skinning
        near = np.argsort(np.linalg.norm(BODY.v_template - BODY.J_template[j], axis=1))[:60]
        A = np.vstack([BODY.v_template[near].T, np.ones(60)])
        regressor[i, near] = np.linalg.lstsq(A, np.append(BODY.J_template[j], 1.0), rcond=None)[0]
    parents = [2**32 - 1]
    for j in keep[1:]:
        k = int(BODY.parents[j])
        while k not in keep:
            k = int(BODY.parents[k])
        parents.append(keep.index(k))
    tree = np.stack([parents, range(len(keep))]).astype(np.int64)
    rng = np.random.default_rng(0)
    dirs = BODY.shapedirs
    if own_mesh:
        dirs = np.concatenate([dirs, rng.normal(0, 1e-3, (len(v), 3, 6))], axis=2)
    arrays = {
        "v_template": v, "shapedirs": dirs, "weights": weights, "f": BODY.faces, "J_regressor": regressor,
        "posedirs": rng.normal(0, 0.0015, (len(v), 3, 9 * (len(keep) - 1))).astype(np.float32),
    }  # fmt: skip
    if own_mesh:
        arrays = _another_mesh(arrays)
    else:
        listed = BODY.keypoint_regressor.tocoo()
        arrays |= {"keypoint_row": listed.row, "keypoint_col": listed.col, "keypoint_value": listed.data}
    np.savez(path, kintree_table=tree, **arrays)
    return load_body(path)
