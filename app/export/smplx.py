"""Body parameters in smplx's names, one set of arrays a person."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.errors import ExportError
from app.export.atomic import written_whole
from app.export.bodies import ExportBody, pose_arrays
from app.export.types import ExportSource, Step, Written
from app.pipeline.upright import camera_up
from backends.body.params import N_JOINTS, BodyParams

_UNKNOWN = np.full(N_JOINTS, np.nan, np.float32)
_BATCH = 256
"""Frames read at once: all that is not written of a person, masks above all, goes with the batch."""

Arrays = dict[str, npt.NDArray[Any]]


def write_smplx(source: ExportSource, target: Path, step: Step) -> Written:
    """Write ``target`` (npz, no pickles).

    Keys are ``<person>/<array>``: frames (T,), betas (T, B), global_orient (T, 3), body_pose (T, 63),
    left_hand_pose and right_hand_pose (T, 45), jaw_pose (T, 3), transl (T, 3), joint_error_mm (T, 55);
    axis-angles in radians, metres, camera coordinates (x right, y down, z forward). ``camera/K`` etc.,
    ``times_s`` and ``people`` (ids) come with them; ``camera/up`` (3,) is against gravity in the same axes.
    Betas are (T, B): one shape a person unless somebody corrected single frames. Fingers are turned from a
    flat hand (``flat_hand_mean`` of ``smplx``).

    Where the bodies were carried over to another one (``body``), sizes are as ``smplx.create`` takes them:
    SMPL has a body_pose (T, 69) and no hands, SMPL-H no jaw; ``carried_mm`` (T,) is how far the joints of
    the two bodies lie apart.

    Raises:
        ExportError, StorageError: it cannot be written or read back.
    """
    tracks = sorted(t.track_id for t in source.tracks())
    found: dict[int, int] = {}
    told = 0
    with written_whole(target) as part:
        # One person after the other, each written before the next is read: hours do not fit into memory.
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, track in enumerate(tracks, start=1):
                arrays = _person(source, track)
                if arrays:
                    found[track] = len(arrays["frames"])
                    _add(archive, {f"{track}/{name}": array for name, array in arrays.items()})
                done = source.n_frames * number // len(tracks)
                step(done - told)
                told = done
            _add(archive, _common(source, list(found)))
        step(source.n_frames - told)
        _check(part, found)
    return Written("smplx", target, sum(found.values()), "bodies")


def _person(source: ExportSource, track: int) -> Arrays:
    """One person's arrays; empty where they have no body in any frame."""
    batches: list[Arrays] = []
    for first in range(source.first, source.last + 1, _BATCH):
        source.control.check()
        bodies: list[_Body] = []
        for p in source.store.track_people(track, first, min(first + _BATCH - 1, source.last)):
            if p.body is not None:
                error = p.confidence.joint_mm if p.confidence is not None else _UNKNOWN
                params, apart = source.export_body.of(track, p.body.params)
                bodies.append(_Body(p.frame, params, error, apart))
        if bodies:
            batches.append(_stacked(source.export_body, bodies))
    return {name: np.concatenate([b[name] for b in batches]) for name in batches[0]} if batches else {}


@dataclass(frozen=True, slots=True)
class _Body:
    """One person in one frame, as written; ``apart_mm`` from the body that was fitted."""

    frame: int
    params: BodyParams
    error_mm: npt.NDArray[np.float32]
    apart_mm: float


def _stacked(body: ExportBody, bodies: list[_Body]) -> Arrays:
    poses = [pose_arrays(body.model, b.params) for b in bodies]
    arrays: Arrays = {
        "betas": np.array([b.params.betas for b in bodies]),
        **{name: np.array([pose[name] for pose in poses]) for name in poses[0]},
        "transl": np.array([b.params.transl for b in bodies]),
        "joint_error_mm": np.array([b.error_mm for b in bodies]),
    }
    if body.carried:
        arrays["carried_mm"] = np.array([b.apart_mm for b in bodies])
    frames = np.array([b.frame for b in bodies], np.int64)
    return {"frames": frames} | {name: array.astype(np.float32) for name, array in arrays.items()}


def _common(source: ExportSource, people: list[int]) -> Arrays:
    camera = source.store.camera()
    return {
        "people": np.array(people, np.int64),
        "times_s": source.footage.times,
        "camera/K": camera.K, "camera/R": camera.R, "camera/t": camera.t, "camera/distortion": camera.dist,
        "camera/size": np.array([camera.width, camera.height]), "camera/assumed": np.array(camera.assumed),
        "camera/estimated": np.array(camera.estimated),
        "camera/up": camera_up(source.store, source.body, camera),
        "body": np.array(source.export_body.model.name), "gender": np.array("neutral"),
        "flat_hand_mean": np.array(True),
    }  # fmt: skip


def _add(archive: zipfile.ZipFile, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Add arrays in npz's layout: one npy file each."""
    for name, array in arrays.items():
        with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
            np.lib.format.write_array(file, np.asarray(array), allow_pickle=False)


def _check(path: Path, found: Mapping[int, int]) -> None:
    """Read every array back and count.

    Raises:
        ExportError: the file does not open, or lacks somebody's frames.
    """
    try:
        # Opened here: numpy leaves a damaged file open, and what is open cannot be removed on Windows.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as back:
            lengths = {
                track: {len(back[key]) for key in back.files if key.startswith(f"{track}/")}
                for track in back["people"].tolist()
            }
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ExportError("The written bodies cannot be read back. Export again.") from error
    if lengths != {track: {count} for track, count in found.items()}:
        raise ExportError("The written bodies are not whole. Export again.")
