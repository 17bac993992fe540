"""Rows about bodies in space and their motion."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.evaluate.collect import SETS
from app.evaluate.report import Better, Group, Row, row
from app.evaluate.samples import Pair, Samples
from backends.metrics import motion
from backends.metrics.joint_sets import JOINT_SETS, JointSet
from backends.metrics.pose3d import (
    errors_mm,
    pck3d,
    pck3d_auc,
    procrustes_errors_mm,
    root_relative_errors_mm,
    scale_aligned_errors_mm,
)
from backends.metrics.score import Score, mean_known

F8 = npt.NDArray[np.float64]

_LEAST_JOINTS = 0.6
"""Share of a set's joints that both sides must know for the set to be stated."""
_CONTACT_FPS = 30.0
"""The rate at which a standing foot moves less than 1 cm a frame."""

ABSOLUTE, ROOT = "none (camera coordinates)", "root"
SCALED, PROCRUSTES = "root, scale", "Procrustes (rotation, translation, scale)"


@dataclass(frozen=True, slots=True, eq=False)
class SetErrors:
    """The errors (N, J) of all pairs in one joint set, mm; a column of NaN for a joint nobody knows."""

    joints: JointSet
    label: str
    n_known: int
    absolute: F8
    rooted: F8
    scaled: F8
    procrustes: F8

    @property
    def columns(self) -> npt.NDArray[np.bool_]:
        """(J,) which joints are known at all."""
        return np.asarray(~np.isnan(self.absolute).all(axis=0), dtype=bool)


def set_errors(samples: Samples) -> list[SetErrors]:
    """The errors in every joint set that both sides know enough of."""
    found = []
    # MPI-INF-3DHP's set says little that Human3.6M's does not, but on its own footage.
    own = any(name.startswith("mpi") for name in samples.layouts)
    for joints in SETS if samples.pairs else ():
        if joints.name == "mpi17" and not own:
            continue
        estimate = np.array([p.estimate[joints.name] for p in samples.pairs])
        truth = np.array([p.truth[joints.name] for p in samples.pairs])
        absolute = errors_mm(estimate, truth)
        known = int((~np.isnan(absolute).all(axis=0)).sum())
        if known < _LEAST_JOINTS * len(joints):
            continue
        label = joints.title if known == len(joints) else f"{joints.title}: {known} of {len(joints)} known"
        found.append(
            SetErrors(
                joints, label, known, absolute,
                root_relative_errors_mm(estimate, truth, joints.root_index),
                scale_aligned_errors_mm(estimate, truth, joints.root_index),
                procrustes_errors_mm(estimate, truth),
            )
        )  # fmt: skip
    # COCO's 17 are the first of the 23: the longer set where the truth knows any of the feet.
    full = next((e for e in found if e.joints.name == "default23"), None)
    feet = full is not None and bool(full.columns[len(JOINT_SETS["coco17"]) :].any())
    other = "coco17" if feet else "default23"
    return [e for e in found if e.joints.name != other or len(found) == 1]


def _only_known(errors: SetErrors, values: F8) -> F8:
    """Without the joints that one side has not at all: they are stated in the set's label, not as unknown."""
    return values[:, errors.columns]


def space_rows(samples: Samples, every: list[SetErrors]) -> list[Row]:
    """Joint errors by set and alignment, then vertex errors."""
    rows = []
    for e in every:
        note = e.joints.note
        for key, name, values, alignment in (
            ("mpjpe", "MPJPE", e.rooted, ROOT),
            ("pa_mpjpe", "PA-MPJPE", e.procrustes, PROCRUSTES),
            ("n_mpjpe", "N-MPJPE", e.scaled, SCALED),
            ("mpjpe_absolute", "MPJPE, absolute", e.absolute, ABSOLUTE),
        ):
            rows.append(
                row("3d", key, name, mean_known(_only_known(e, values)), "mm", "joints", joint_set=e.label,
                    alignment=alignment, better="lower", note=note, perfect=0.0)
            )  # fmt: skip
        rooted = _only_known(e, e.rooted)
        rows.append(
            row("3d", "pck3d", "PCK3D at 150 mm", pck3d(rooted), "%", "joints", joint_set=e.label,
                alignment=ROOT, better="higher", note=note, perfect=100.0)
        )  # fmt: skip
        rows.append(
            row("3d", "pck3d_auc", "PCK3D, area 0-150 mm", pck3d_auc(rooted), "%", "joints",
                joint_set=e.label, alignment=ROOT, better="higher", note=note, perfect=100.0)
        )  # fmt: skip
    if every and every[0].joints.kind == "surface":
        rows += _by_visibility(samples, every[0])
    if samples.vertex_mm:
        v = np.array(samples.vertex_mm)
        for key, name, column, alignment in (
            ("pve", "PVE", 1, "pelvis"), ("pa_pve", "PA-PVE", 2, PROCRUSTES),
            ("pve_absolute", "PVE, absolute", 0, ABSOLUTE),
        ):  # fmt: skip
            rows.append(
                row("3d", key, name, mean_known(v[:, column]), "mm", "people", joint_set="all vertices",
                    alignment=alignment, better="lower", perfect=0.0)
            )  # fmt: skip
    return rows


def _by_visibility(samples: Samples, e: SetErrors) -> list[Row]:
    """MPJPE of what is seen and of what something hides, where the truth tells them apart."""
    flags = np.array([p.visibility[: e.rooted.shape[1]] for p in samples.pairs])
    if not ((flags == 1).any() and (flags == 2).any()):
        return []
    return [
        row("3d", key, name, mean_known(e.rooted[flags == flag]), "mm", "joints", joint_set=e.label,
            alignment=ROOT, better="lower", perfect=0.0)
        for key, name, flag in (
            ("mpjpe_seen", "MPJPE, seen joints", 2), ("mpjpe_hidden", "MPJPE, hidden joints", 1),
        )
    ]  # fmt: skip


def motion_rows(
    samples: Samples, every: list[SetErrors], fps: float | None
) -> tuple[list[Row], list[tuple[str, str]]]:
    """Acceleration, jitter and foot sliding of each true person's bodies, and why some are missing."""
    if not every:
        return [], []
    chosen = next((e for e in every if e.joints.name == "smpl24"), every[0])
    tracks = _sequences(samples, chosen.joints.name)
    still = samples.cameras and all(c is not None for c in samples.cameras)
    where = "world" if still else "camera, taken to stand still"
    alignment = f"none ({where} coordinates)"
    label = chosen.label
    if fps is None:
        return [], [("Motion", "the truth is of separate pictures, not of a motion")]
    pairs = [(e[:, chosen.columns], t[:, chosen.columns]) for e, t in tracks]
    acceleration = mean_known(_together([motion.acceleration_errors_mm(e, t) for e, t in pairs]))
    rows = [
        row("motion", "acceleration_error", "Acceleration error", acceleration, "mm/frame²", "joints",
            joint_set=label, alignment=alignment, better="lower", note=f"at {fps:.3g} frames/s", perfect=0.0),
        row("motion", "acceleration_error_si", "Acceleration error",
            Score(acceleration.value * fps**2 / 1e3, acceleration.n, acceleration.unknown), "m/s²", "joints",
            joint_set=label, alignment=alignment, better="lower", perfect=0.0),
    ]  # fmt: skip
    both = [(np.where(np.isnan(t), np.nan, e), np.where(np.isnan(e), np.nan, t)) for e, t in pairs]
    jitters: tuple[tuple[str, str, int, Better], ...] = (
        ("jitter", "Jitter", 0, "lower"), ("true_jitter", "Jitter of the truth itself", 1, ""),
    )  # fmt: skip
    for key, name, side, better in jitters:
        score = mean_known(_together([motion.jerks(p[side], fps) for p in both]))
        rows.append(row("motion", key, name, score, "m/s³", "joints", joint_set=label, alignment=alignment,
                        better=better))  # fmt: skip
    return rows + _feet(samples, every, fps, alignment), []


def _feet(samples: Samples, every: list[SetErrors], fps: float, alignment: str) -> list[Row]:
    for e in every:
        names: list[str] = [
            n for n in ("left_heel", "right_heel", "left_big_toe", "right_big_toe") if n in e.joints.joints
        ]
        names = names or [n for n in ("left_foot", "right_foot") if n in e.joints.joints]
        index = [e.joints.joints.index(n) for n in names]
        if index and e.columns[index].all():
            break
    else:
        return []
    contact = motion.CONTACT_M * _CONTACT_FPS / fps
    tracks = [(a[:, index], b[:, index]) for a, b in _sequences(samples, e.joints.name)]
    note = f"while the true foot moves less than {1e3 * contact:.1f} mm a frame"
    group: Group = "motion"
    rows = []
    for key, name, slides, better in (
        ("foot_sliding", "Foot sliding", [motion.foot_slides_mm(a, b, contact) for a, b in tracks], "lower"),
        ("true_foot_sliding", "Foot sliding of the truth itself",
         [motion.foot_slides_mm(np.where(np.isnan(a), np.nan, b), b, contact) for a, b in tracks], ""),
    ):  # fmt: skip
        known = _together(slides)
        standing = known[~np.isnan(known)]
        rows.append(row(group, key, name, mean_known(standing), "mm/frame", "standing feet",
                        joint_set=", ".join(n.replace("_", " ") for n in names), alignment=alignment,
                        better=better, note=note))  # fmt: skip
    return rows


def _together(arrays: list[F8]) -> F8:
    return np.concatenate([a.reshape(-1) for a in arrays]) if arrays else np.zeros(0)


def _sequences(samples: Samples, name: str) -> list[tuple[F8, F8]]:
    """Of each true person (T, J, 3) estimate and truth over the frames compared, NaN where unmatched.

    In world coordinates where the truth knows the camera of every frame. T runs over the person's own
    span; a gap in the frames compared is a row of NaN, so that nothing is differenced across it.
    """
    people: dict[int, list[Pair]] = defaultdict(list)
    for pair in samples.pairs:
        people[pair.person].append(pair)
    moving = samples.cameras and all(c is not None for c in samples.cameras)
    result = []
    for pairs in people.values():
        first, last = pairs[0].frame, pairs[-1].frame
        shape = pairs[0].truth[name].shape
        estimate, truth = (
            np.full((last - first + 1, *shape), np.nan),
            np.full((last - first + 1, *shape), np.nan),
        )
        for p in pairs:
            camera = samples.cameras[p.row] if moving else None
            estimate[p.frame - first] = _to_world(p.estimate[name], camera)
            truth[p.frame - first] = _to_world(p.truth[name], camera)
        result.append((estimate, truth))
    return result


def _to_world(points: F8, camera: tuple[F8, F8] | None) -> F8:
    if camera is None:
        return points
    R, t = camera
    moved: F8 = (points - t) @ R
    return moved
