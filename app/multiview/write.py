"""What is written of the people of a room: bodies, points in space, and how well the cameras agree."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from app.errors import ExportError
from app.export.atomic import written_whole
from app.export.bodies import pose_arrays
from app.multiview.types import RoomPerson, ViewInput
from backends.body import BodyModel
from backends.body.skeleton import JOINT_NAMES
from backends.fitting.kernels import N_FIT_JOINTS
from backends.keypoints.layout import KEYPOINT_NAMES, N_KEYPOINTS

F8 = npt.NDArray[np.float64]

BODIES: Final = "people.npz"
POINTS: Final = "points.csv"
REPORT: Final = "report.json"


def write_bodies(
    target: Path, people: Sequence[RoomPerson], views: Sequence[ViewInput], body: BodyModel
) -> None:
    """Write ``target`` (npz, no pickles): world coordinates, metres, z up; angles in radians.

    Keys are ``<person>/<array>``: frames (T,), betas (T, B), global_orient (T, 3), body_pose, hands and jaw
    as ``smplx.create`` takes them for this body, transl (T, 3), joints (T, 22, 3), keypoints (T, 23, 3),
    joint_sd_mm (T, 22) and keypoint_sd_mm (T, 23) from the fit's covariance, residual_px (T, V, 23). With
    them come ``people``, ``cameras`` (names), ``camera/<name>/K``, ``R``, ``t``, ``dist``, ``size``,
    ``offsets`` and ``body``.

    Raises:
        ExportError, StorageError: it cannot be written or read back.
    """
    arrays: dict[str, npt.NDArray[Any]] = {
        "people": np.array([p.number for p in people], np.int64),
        "cameras": np.array([v.name for v in views]),
        "offsets": np.array([v.offset for v in views], np.int64),
        "body": np.array(body.name), "gender": np.array("neutral"), "flat_hand_mean": np.array(True),
        "joint_names": np.array(JOINT_NAMES[:N_FIT_JOINTS]), "keypoint_names": np.array(KEYPOINT_NAMES),
    }  # fmt: skip
    for view in views:
        c = view.camera
        size = np.array([c.width, c.height])
        for key, value in (("K", c.K), ("R", c.R), ("t", c.t), ("dist", c.dist), ("size", size)):
            arrays[f"camera/{view.name}/{key}"] = value
    for person in people:
        moments = [person.moments[f] for f in sorted(person.moments)]
        poses = [pose_arrays(body, m.params) for m in moments]
        mine: dict[str, npt.NDArray[Any]] = {
            "betas": np.array([m.params.betas for m in moments]),
            **{name: np.array([pose[name] for pose in poses]) for name in poses[0]},
            "transl": np.array([m.params.transl for m in moments]),
            "joints": np.array([m.joints for m in moments]),
            "keypoints": np.array([m.keypoints for m in moments]),
            "joint_sd_mm": np.array([m.joint_mm for m in moments]),
            "keypoint_sd_mm": np.array([m.keypoint_mm for m in moments]),
            "residual_px": np.array([m.residual_px for m in moments]),
        }
        arrays[f"{person.number}/frames"] = np.array(sorted(person.moments), np.int64)
        arrays |= {f"{person.number}/{name}": array.astype(np.float32) for name, array in mine.items()}
    with written_whole(target) as part:
        np.savez_compressed(part, allow_pickle=False, **arrays)
        with np.load(part, allow_pickle=False) as back:
            if any(len(back[f"{p.number}/frames"]) != len(p.moments) for p in people):
                raise ExportError("The written bodies are not whole. Write them again.")


def write_points(target: Path, people: Sequence[RoomPerson], fps: float) -> None:
    """Write ``target`` (csv): a row a point: person, frame, time_s, kind (joint or keypoint), name, x_m, y_m,
    z_m, sd_mm."""
    with written_whole(target) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.write("person,frame,time_s,kind,name,x_m,y_m,z_m,sd_mm\n")
        for person in people:
            for frame in sorted(person.moments):
                m = person.moments[frame]
                for kind, names, points, sd in (
                    ("joint", JOINT_NAMES[:N_FIT_JOINTS], m.joints, m.joint_mm),
                    ("keypoint", KEYPOINT_NAMES, m.keypoints, m.keypoint_mm),
                ):
                    head = f"{person.number},{frame},{frame / fps:.6f},{kind}"
                    for name, (x, y, z), mm in zip(names, points.tolist(), sd.tolist()):
                        file.write(f"{head},{name},{x:.6f},{y:.6f},{z:.6f},{mm:.2f}\n")


def marker_name(keypoint: str) -> str:
    """A keypoint as OpenSim and Pose2Sim call it: ``right_big_toe`` is ``RBigToe``."""
    side, _, rest = keypoint.partition("_")
    letter = {"left": "L", "right": "R"}.get(side, "")
    return letter + "".join(word.capitalize() for word in (rest if letter else keypoint).split("_"))


def write_trc(target: Path, person: RoomPerson, fps: float) -> None:
    """Write ``target`` (trc, for OpenSim): a person's 23 keypoints, metres, y up (trc x, y, z = world y, z,
    x); empty where the person is not there.

    Raises:
        ExportError, StorageError: it cannot be written or read back.
    """
    from app.datasets.read.pose2sim import read_trc

    frames = range(min(person.moments), max(person.moments) + 1)
    names = [marker_name(k) for k in KEYPOINT_NAMES]
    head = [
        f"PathFileType\t4\t(X/Y/Z)\tpeople_{frames[0]}-{frames[-1]}.trc",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{fps:g}\t{fps:g}\t{len(frames)}\t{len(names)}\tm\t{fps:g}\t{frames[0]}\t{len(frames)}",
        "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t",
        "\t\t" + "\t".join(f"{axis}{i}" for i in range(1, len(names) + 1) for axis in "XYZ"),
    ]  # fmt: skip
    with written_whole(target) as part:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.write("\n".join(head) + "\n")
            for frame in frames:
                moment = person.moments.get(frame)
                cells = [""] * (3 * N_KEYPOINTS)
                if moment is not None:
                    cells = [f"{v:.6f}" for v in moment.keypoints[:, [1, 2, 0]].reshape(-1)]
                file.write(f"{frame}\t{frame / fps:.6f}\t" + "\t".join(cells) + "\n")
        if len(read_trc(part).points) != len(frames):
            raise ExportError("The written markers are not whole. Write them again.")


def agreement(people: Sequence[RoomPerson], views: Sequence[ViewInput]) -> dict[str, Any]:
    """How well the cameras agree: of each and of all, median and 90th percentile of the reprojection, px."""
    rows = []
    every = []
    for v, view in enumerate(views):
        moments = [m for p in people for m in p.moments.values()]
        found = [m.residual_px[v] for m in moments if v in m.seen]
        given = sum(int((m.seen[v].keypoints.visibility > 0).sum()) for m in moments if v in m.seen)
        values = np.concatenate(found) if found else np.zeros(0)
        values = values[np.isfinite(values)]
        every.append(values)
        rows.append(
            {
                "name": view.name, "people_seen": len(found), "people_not_seen": len(moments) - len(found),
                "keypoints_used": len(values), "keypoints_contradicted": given - len(values),
                **_spread(values),
            }
        )  # fmt: skip
    return {"cameras": rows, "all": _spread(np.concatenate(every) if every else np.zeros(0))}


def _spread(values: F8) -> dict[str, float | None]:
    if not len(values):
        return {"median_px": None, "p90_px": None}
    return {
        "median_px": round(float(np.median(values)), 2), "p90_px": round(float(np.percentile(values, 90)), 2)
    }  # fmt: skip


def write_report(target: Path, report: Mapping[str, Any]) -> None:
    """Write ``target`` (json)."""
    with written_whole(target) as part:
        part.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        json.loads(part.read_text(encoding="utf-8"))
