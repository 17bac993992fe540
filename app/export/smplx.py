"""Body parameters in smplx's names, one set of arrays a person."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.errors import ExportError
from app.export.atomic import written_whole
from app.export.types import ExportSource, Step, Written
from backends.body.params import N_JOINTS, BodyParams

_UNKNOWN = np.full(N_JOINTS, np.nan, np.float32)


@dataclass(frozen=True, slots=True)
class _Row:
    """What is kept of one person in one frame until all are written together."""

    frame: int
    params: BodyParams
    joint_mm: npt.NDArray[np.float32]


def write_smplx(source: ExportSource, target: Path, step: Step) -> Written:
    """Write ``target`` (npz, no pickles).

    Keys are ``<person>/<array>``: frames (T,), betas (T, B), global_orient (T, 3), body_pose (T, 63),
    left_hand_pose and right_hand_pose (T, 45), jaw_pose (T, 3), transl (T, 3), joint_error_mm (T, 55);
    axis-angles in radians, metres, camera coordinates (x right, y down, z forward). ``camera/K`` etc.,
    ``times_s`` and ``people`` (ids) come with them. Betas are (T, B): one shape a person unless somebody
    corrected single frames.

    Raises:
        ExportError, StorageError: it cannot be written or read back.
    """
    by_track: dict[int, list[_Row]] = {}
    for frame, people in source.people(step):
        for person in people:
            if person.body is not None:
                error = person.confidence.joint_mm if person.confidence is not None else _UNKNOWN
                by_track.setdefault(person.track_id, []).append(_Row(frame, person.body.params, error))
    camera = source.store.camera()
    arrays: dict[str, Any] = {
        "people": np.array(sorted(by_track), np.int64),
        "times_s": source.footage.times,
        "camera/K": camera.K, "camera/R": camera.R, "camera/t": camera.t, "camera/distortion": camera.dist,
        "camera/size": np.array([camera.width, camera.height]), "camera/assumed": np.array(camera.assumed),
        "body": np.array(source.body.name), "gender": np.array("neutral"),
    }  # fmt: skip
    count = 0
    for track, rows in sorted(by_track.items()):
        bodies = [row.params for row in rows]
        count += len(bodies)
        values = {
            "frames": np.array([row.frame for row in rows], np.int64),
            "betas": np.array([b.betas for b in bodies]),
            "global_orient": np.array([b.global_orient for b in bodies]),
            "body_pose": np.array([b.body_pose.reshape(-1) for b in bodies]),
            "left_hand_pose": np.array([b.left_hand_pose.reshape(-1) for b in bodies]),
            "right_hand_pose": np.array([b.right_hand_pose.reshape(-1) for b in bodies]),
            "jaw_pose": np.array([b.jaw_pose for b in bodies]),
            "transl": np.array([b.transl for b in bodies]),
            "joint_error_mm": np.array([row.joint_mm for row in rows]),
        }
        arrays |= {f"{track}/{name}": array.astype(np.float32) if array.dtype.kind == "f" else array
                   for name, array in values.items()}  # fmt: skip
    with written_whole(target) as part:
        np.savez_compressed(part, **arrays)
        with np.load(part, allow_pickle=False) as back:
            read = sum(len(back[f"{t}/frames"]) for t in back["people"])
        if read != count:
            raise ExportError("The written bodies cannot be read back. Export again.")
    return Written("smplx", target, count, "bodies")
