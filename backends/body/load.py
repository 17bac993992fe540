"""Reading body files: the free body that ships with the program, and SMPL, SMPL-H and SMPL-X files."""

from __future__ import annotations

import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from backends.body.landmarks import landmark_regressor
from backends.body.model import BodyModel, make_body
from backends.body.skeleton import JOINT_INDEX, JOINT_NAMES, PARENTS, joint_limits
from backends.errors import WeightsError
from backends.keypoints.layout import N_KEYPOINTS

F8 = npt.NDArray[np.float64]

FREE_BODY = Path(__file__).resolve().parents[2] / "resources" / "bodies" / "anny_smplx.npz"

_MAX_BYTES = 2_000_000_000
"""A body file that unpacks to more than this is not a body file."""

_MAX_BETAS = 10
"""Of the 10 to 300 shapes of a file: 23 keypoints say no more, and SMPL-X has expressions behind them."""

_N_JOINTS = {24: "SMPL", 52: "SMPL-H", 55: "SMPL-X"}
_REQUIRED = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "f", "kintree_table")


def _joints_of_file(n: int) -> list[int]:
    """Which of SMPL-X's 55 joints each joint of the file is."""
    if n == 55:
        return list(range(55))
    if n == 52:  # SMPL-H has neither jaw nor eyes
        return list(range(22)) + list(range(25, 55))
    # SMPL ends in one joint a hand, where SMPL-X has the first joint of the middle finger.
    return [*range(22), JOINT_INDEX["left_middle1"], JOINT_INDEX["right_middle1"]]


def load_body(path: Path | None = None, gender: str = "neutral") -> BodyModel:
    """Read a body.

    Args:
        path: an ``.npz`` in SMPL's, SMPL-H's or SMPL-X's layout, a folder that holds
            ``<MODEL>_<GENDER>.npz``, or None for the free body that ships with the program.
        gender: which file to take of a folder.

    Raises:
        WeightsError: missing, damaged, of another layout, or only loadable by running code in it.
    """
    source = FREE_BODY if path is None else _find(path, gender)
    if source.suffix.lower() == ".pkl":
        raise WeightsError(
            f"{source.name} is a pickle, which can run code when it is opened. Convert it once with "
            f"'understudy models add smplx BODY.pkl' (or smplh, or smpl), which reads arrays only."
        )
    return _load(source) if path is not None else _load_shipped()


@lru_cache(maxsize=1)
def _load_shipped() -> BodyModel:
    return _load(FREE_BODY)


def _find(path: Path, gender: str) -> Path:
    if not path.is_dir():
        return path
    for name in ("SMPLX", "SMPLH", "SMPL"):
        candidate = path / f"{name}_{gender.upper()}.npz"
        if candidate.is_file():
            return candidate
    raise WeightsError(f"The folder {path.name} holds no SMPLX, SMPLH or SMPL file for '{gender}'.")


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise WeightsError(f"The body file {path.name} is not there.")
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(i.file_size for i in archive.infolist()) > _MAX_BYTES:
                raise WeightsError(f"{path.name} unpacks to more than 2 GB; that is not a body file.")
        with np.load(path, allow_pickle=False) as data:
            return {k: data[k] for k in data.files if k in _READ}
    except WeightsError:
        raise
    except ValueError as error:
        if "pickle" in str(error).lower():
            raise WeightsError(
                f"{path.name} holds Python objects, which can run code when they are opened. Convert it "
                f"once with 'understudy models add smplx {path.name}' (or smplh, or smpl)."
            ) from error
        raise WeightsError(f"{path.name} is damaged: {error}") from error
    except (OSError, zipfile.BadZipFile, EOFError, KeyError) as error:
        raise WeightsError(f"{path.name} is no body file, or it is damaged.") from error


_READ = frozenset(_REQUIRED) | {
    "J_regressor_row", "J_regressor_col", "J_regressor_value", "keypoint_row", "keypoint_col",
    "keypoint_value", "head_vertices", "face_vertices", "joint_limits",
}  # fmt: skip


def _load(path: Path) -> BodyModel:
    data = _read(path)
    name = path.name
    if "J_regressor_row" not in data and "J_regressor" not in data:
        raise WeightsError(f"{name} has no joint regressor; it is no SMPL, SMPL-H or SMPL-X file.")
    missing = [k for k in _REQUIRED if k not in data and k != "J_regressor"]
    if missing:
        raise WeightsError(f"{name} lacks {', '.join(missing)}; it is no SMPL, SMPL-H or SMPL-X file.")
    v_template = _floats(name, data, "v_template", 2)
    n = len(v_template)
    shapedirs = _floats(name, data, "shapedirs", 3)[:, :, :_MAX_BETAS]
    weights = _floats(name, data, "weights", 2)
    faces = np.asarray(data["f"])
    n_joints = weights.shape[1]
    if n_joints not in _N_JOINTS:
        raise WeightsError(f"{name} has {n_joints} joints; SMPL has 24, SMPL-H 52 and SMPL-X 55.")
    if shapedirs.shape[2] == 0:
        raise WeightsError(f"{name} knows no shapes (shapedirs is empty); a body of one shape fits nobody.")
    if v_template.shape != (n, 3) or shapedirs.shape[:2] != (n, 3) or len(weights) != n or n < 100:
        raise WeightsError(f"{name} is damaged: its arrays do not belong to one mesh of {n} vertices.")
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.dtype.kind not in "iu" or faces.max() >= n:
        raise WeightsError(f"{name} is damaged: its faces name vertices that do not exist.")
    if (weights < -1e-6).any() or (weights.sum(axis=1) < 0.5).any():
        raise WeightsError(f"{name} is damaged: its skinning weights do not add up to one.")
    target = _joints_of_file(n_joints)
    _check_tree(name, data["kintree_table"], target)
    regressor = _regressor(name, data, n_joints, n)
    J_full = sparse.lil_matrix((len(JOINT_NAMES), n))
    J_full[target] = regressor
    for j in range(len(JOINT_NAMES)):  # joints that the file lacks lie on their parent
        if j not in target:
            J_full[j] = J_full[PARENTS[j]]
    full_weights = np.zeros((n, len(JOINT_NAMES)))
    full_weights[:, target] = np.maximum(weights, 0.0)
    J_csr = sparse.csr_matrix(J_full)
    part = full_weights.argmax(axis=1)
    head, face = _head_and_face(data, v_template, part, J_csr)
    limits = np.asarray(data["joint_limits"], np.float64) if "joint_limits" in data else joint_limits()
    return make_body(
        "free body" if path == FREE_BODY else _N_JOINTS[n_joints],
        v_template=v_template,
        shapedirs=shapedirs,
        posedirs=_posedirs(name, data["posedirs"], n, n_joints),
        weights=full_weights,
        faces=faces.astype(np.int32),
        parents=np.array(PARENTS, dtype=np.int64),
        J_regressor=J_csr,
        keypoint_regressor=_keypoints(name, data, n, part, J_csr),
        head_vertices=head,
        face_vertices=face,
        joint_limits=limits,
    )


def _floats(name: str, data: dict[str, Any], key: str, ndim: int) -> F8:
    array = np.asarray(data[key])
    if array.ndim != ndim or array.dtype.kind != "f" or not np.isfinite(array).all():
        raise WeightsError(f"{name} is damaged: {key} has a wrong shape or values that are not numbers.")
    return array.astype(np.float64)


def _check_tree(name: str, table: npt.NDArray[Any], target: list[int]) -> None:
    table = np.asarray(table)
    if table.shape != (2, len(target)):
        raise WeightsError(f"{name} is damaged: its skeleton has another number of joints than its weights.")
    for j in range(1, len(target)):
        parent = int(table[0, j])
        if not 0 <= parent < j or target[parent] != _known_parent(target[j], target):
            raise WeightsError(f"{name} has another skeleton than SMPL, SMPL-H and SMPL-X.")


def _known_parent(joint: int, target: list[int]) -> int:
    parent = PARENTS[joint]
    while parent not in target:
        parent = PARENTS[parent]
    return parent


def _regressor(name: str, data: dict[str, Any], n_joints: int, n: int) -> sparse.csr_matrix:
    if "J_regressor_row" in data:
        parts = (data["J_regressor_value"], (data["J_regressor_row"], data["J_regressor_col"]))
        try:
            matrix = sparse.csr_matrix(parts, shape=(n_joints, n))
        except ValueError as error:
            raise WeightsError(f"{name} is damaged: its joint regressor does not fit its mesh.") from error
    else:
        dense = _floats(name, data, "J_regressor", 2)
        if dense.shape != (n_joints, n):
            raise WeightsError(f"{name} is damaged: its joint regressor does not fit its mesh.")
        matrix = sparse.csr_matrix(dense)
    return matrix


def _posedirs(name: str, array: npt.NDArray[Any], n: int, n_joints: int) -> npt.NDArray[np.float32] | None:
    if array.size == 0:
        return None
    expected = (n, 3, 9 * (n_joints - 1))
    if array.shape != expected or array.dtype.kind != "f" or not np.isfinite(array).all():
        raise WeightsError(f"{name} is damaged: posedirs should have shape {expected}.")
    # Only the body's 21 joints are kept in order from the start; SMPL's two hands and the fingers follow.
    flat = np.asarray(array, np.float32).reshape(n * 3, -1).T
    target = _joints_of_file(n_joints)
    full = np.zeros((9 * (max(target)), n * 3), np.float32)
    for j in range(1, n_joints):
        full[9 * (target[j] - 1) : 9 * target[j]] = flat[9 * (j - 1) : 9 * j]
    return full


def _head_and_face(
    data: dict[str, Any], v_template: F8, part: npt.NDArray[Any], J: sparse.csr_matrix
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    if "head_vertices" in data and "face_vertices" in data:
        return data["head_vertices"].astype(np.bool_), data["face_vertices"].astype(np.bool_)
    names = ("head", "jaw", "left_eye_smplhf", "right_eye_smplhf")
    head = np.isin(part, [JOINT_INDEX[k] for k in names])
    depth = v_template[:, 2] - (J @ v_template)[JOINT_INDEX["head"], 2]
    return head, head & (depth > 0.06)


def _keypoints(
    name: str, data: dict[str, Any], n: int, part: npt.NDArray[Any], J: sparse.csr_matrix
) -> sparse.csr_matrix:
    """(23, V): stored with the free body; else as :mod:`backends.body.landmarks` finds them."""
    if "keypoint_row" not in data:
        return landmark_regressor(name, np.asarray(data["v_template"], np.float64), part, J)
    parts = (data["keypoint_value"], (data["keypoint_row"], data["keypoint_col"]))
    try:
        stored = sparse.csr_matrix(parts, shape=(N_KEYPOINTS, n))
    except ValueError as error:
        raise WeightsError(f"{name} is damaged: its keypoints do not fit its mesh.") from error
    return sparse.csr_matrix(sparse.diags(1.0 / np.asarray(stored.sum(axis=1)).ravel()) @ stored)
