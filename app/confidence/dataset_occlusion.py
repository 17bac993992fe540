"""The occluder on each joint in turn, over a data set: which hidden joint costs most, on a T-pose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from app.confidence.correlate import pictured_people
from app.confidence.figure import GREY, RULE, Figure
from app.confidence.heat import SCALE, TOLERANCE, UNIT
from app.confidence.occlusion import ESTIMATORS, TRUTH, UNOCCLUDED, reference_of
from app.confidence.occlusion_sheet import plain_name
from app.confidence.people import Crop, PersonEyes
from app.datasets.errors import DataSetError
from app.datasets.types import TruthSet
from app.errors import StorageError
from backends.body import BodyModel, BodyParams, posed_vertices
from backends.camera import Camera
from backends.confidence import confidence_rgb
from backends.confidence.agreement import AGREEMENT_JOINTS, N_JOINTS, part_of_vertex, part_values
from backends.confidence.sensitivity import Estimates, JointSensitivity, Occluder, Sample, cover_joints
from backends.render import Mesh, composite, rasterize

U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]

_CELL: Final = 760
_MARGIN, _HEAD, _GAP = 44, 128, 40


def occlude_dataset(
    truth: TruthSet, eyes: PersonEyes, occluder: Occluder | None = None, *, step: int = 1,
    against_truth: bool = False, check: Callable[[int], object] | None = None,
) -> JointSensitivity:  # fmt: skip
    """Cover each of the 14 joints of everybody in a data set.

    Args:
        step: look at every so many frames.
        against_truth: measure against the truth instead of the result without occluder.
        check: called with the number of people done; may raise to stop.

    Raises:
        DataSetError: pictures are missing, or nobody was recognised.
    """
    total = JointSensitivity()
    done = 0
    for person in pictured_people(truth, eyes.body, step):
        if check is not None:
            check(done)
        crop = eyes.crop(person.image, person.box, camera=person.camera)
        if crop is None:
            continue

        def estimate(pictures: Sequence[U1], crop: Crop = crop) -> Sequence[Estimates | None]:
            return eyes.estimates(pictures, crop)

        joints = person.truth.xy @ crop.to_crop[:, :2].T + crop.to_crop[:, 2]
        reference = reference_of(person.truth, crop.to_crop) if against_truth else None
        one = cover_joints([Sample(crop.image, joints, reference)], estimate, occluder)
        if len(one.tried):
            _add(total, one)
            done += 1
    if not done:
        raise DataSetError(f"{truth.root.name}: nobody with known joints was recognised.")
    return total


def _add(total: JointSensitivity, one: JointSensitivity) -> None:
    if not len(total.tried):
        total.lost, total.tried = np.zeros(N_JOINTS, np.int64), np.zeros(N_JOINTS, np.int64)
    total.lost += one.lost
    total.tried += one.tried
    for name in one.total:
        for sums, part in ((total.total, one.total[name]), (total.count, one.count[name])):
            sums[name] = sums[name] + part if name in sums else part.copy()


def save_dataset_occlusion(path: Path, result: JointSensitivity) -> None:
    """Write sums, counts and means as npz.

    Raises:
        StorageError: it cannot be written.
    """
    arrays = {"joints": np.array(AGREEMENT_JOINTS), "lost": result.lost, "tried": result.tried}
    for name in result.total:
        arrays[f"sum_{name}"], arrays[f"count_{name}"] = result.total[name], result.count[name]
        arrays[f"mean_{name}"] = result.mean_error(name)
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StorageError(f"{path.name} cannot be written: {error.strerror or error}.") from error


def t_pose_picture(body: BodyModel, joint_values: F8, tolerance: float, size: int = _CELL) -> U1:
    """(size, size, 3) the body in its rest pose, its 24 parts in the colours of 14 values."""
    pose = np.zeros((55, 3))
    pose[0] = [np.pi, 0.0, 0.0]  # from y up to the camera's y down, facing it
    vertices = posed_vertices(body, BodyParams(np.zeros(body.n_betas), pose, np.zeros(3)))
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    vertices = vertices - (low + high) / 2 + np.array([0.0, 0.0, 6.0])
    focal = 0.92 * size * 5.8 / float(np.max((high - low)[:2]))
    K = np.array([[focal, 0.0, (size - 1) / 2], [0.0, focal, (size - 1) / 2], [0.0, 0.0, 1.0]])
    colours = confidence_rgb(part_values(joint_values), tolerance)
    colours[~np.isfinite(part_values(joint_values))] = 153
    drawn = rasterize([Mesh(vertices, body.faces, colours[part_of_vertex(body)])], Camera(K, size, size))
    return composite(np.full((size, size, 3), 255, np.uint8), drawn)


def dataset_sheet(
    result: JointSensitivity, body: BodyModel, title: str, *, against_truth: bool = False
) -> Figure:
    """Both estimators on a T-pose, with the 14 means."""
    names = [n for n in ESTIMATORS if n in result.total]
    width = 2 * _MARGIN + len(names) * _CELL + (len(names) - 1) * _GAP
    figure = Figure(width, _HEAD + 30 + _CELL + 90 + 7 * 30 + _MARGIN)
    figure.text(title, _MARGIN, 54, 28, weight=600)
    reference = TRUTH if against_truth else UNOCCLUDED
    figure.text(
        f"Mean error over all joints when the square lies on a joint, against {reference}; "
        f"{int(result.tried.max())} people at most.",
        _MARGIN, 86, 18, color=GREY,
    )  # fmt: skip
    figure.pixels[_HEAD - 20 : _HEAD - 19, _MARGIN:-_MARGIN] = RULE
    for i, name in enumerate(names):
        x, y = _MARGIN + i * (_CELL + _GAP), _HEAD
        values = SCALE[name] * result.mean_error(name)
        figure.text(plain_name(name), x, y + 20, 18, weight=600)
        scale = _scale(values, TOLERANCE[name])
        figure.picture(t_pose_picture(body, values, scale), x, y + 30, _CELL, _CELL)
        figure.bar(x, y + 40 + _CELL, _CELL, scale, UNIT[name])
        for j, joint in enumerate(AGREEMENT_JOINTS):
            left = x + (j // 7) * (_CELL // 2)
            line = y + _CELL + 130 + (j % 7) * 30
            figure.text(plain_name(joint), left, line, 17)
            said = f"{values[j]:.1f} {UNIT[name]}" if np.isfinite(values[j]) else "never tried"
            figure.text(said, left + 270, line, 17, side="right")
            figure.text(f"lost {result.lost[j]}", left + 350, line, 15, color=GREY, side="right")
    return figure


def _scale(values: F8, tolerance: float) -> float:
    """The middle of the colours: as many tolerances as let the largest mean still be told from others."""
    known = values[np.isfinite(values)]
    return tolerance * max(1, int(np.ceil(known.max() / (2.0 * tolerance)))) if len(known) else tolerance
