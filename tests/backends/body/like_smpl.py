"""A body file in SMPL's layout that nobody needs a licence for."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backends.body import BodyModel, load_body
from backends.body.skeleton import JOINT_INDEX

BODY = load_body()


def smpl_like(path: Path) -> BodyModel:
    """The shipped body's mesh as a file in SMPL's layout of 24 joints, of another build: longer legs, wider
    shoulders, with pose-dependent corrections."""
    v = BODY.v_template.copy()
    hips = BODY.J_template[JOINT_INDEX["left_hip"], 1]
    v[:, 1] = np.where(v[:, 1] < hips, hips + 1.06 * (v[:, 1] - hips), v[:, 1])
    v[:, 0] *= 1.05
    keep = [*range(22), JOINT_INDEX["left_middle1"], JOINT_INDEX["right_middle1"]]
    weights = np.zeros((len(v), 24))
    for j in range(55):
        k = j
        while k not in keep:
            k = int(BODY.parents[k])
        weights[:, keep.index(k)] += BODY.weights[:, j]
    regressor = np.zeros((24, len(v)))
    for i, j in enumerate(keep):  # vertices about the joint: the seam of the skinning
        near = np.argsort(np.linalg.norm(BODY.v_template - BODY.J_template[j], axis=1))[:60]
        A = np.vstack([BODY.v_template[near].T, np.ones(60)])
        regressor[i, near] = np.linalg.lstsq(A, np.append(BODY.J_template[j], 1.0), rcond=None)[0]
    parents = [keep.index(int(BODY.parents[j])) if j in range(1, 22) else 0 for j in keep]
    parents[22], parents[23] = 20, 21
    tree = np.stack([[2**32 - 1, *parents[1:]], range(24)]).astype(np.int64)
    rng = np.random.default_rng(0)
    row, col = BODY.keypoint_regressor.tocoo().row, BODY.keypoint_regressor.tocoo().col
    np.savez(
        path, v_template=v, shapedirs=BODY.shapedirs,
        posedirs=(rng.normal(0, 0.0015, (len(v), 3, 207))).astype(np.float32), J_regressor=regressor,
        weights=weights, f=BODY.faces, kintree_table=tree, keypoint_row=row, keypoint_col=col,
        keypoint_value=BODY.keypoint_regressor.tocoo().data,
    )  # fmt: skip
    return load_body(path)
