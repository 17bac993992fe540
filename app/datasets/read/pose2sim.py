"""Reads Pose2Sim's results (Pagnon et al., JOSS 2022): markers (``.trc``) and a calibration (``.toml``).

The trc (OpenSim's text table) holds one person's points in metres or millimetres in a world with y up; the
calibration's world has z up and OpenCV's cameras, x_cam = R x_world + t with R as a Rodrigues vector,
metres. Between both: world x, y, z = trc z, x, y. Row i of the trc is frame i of the videos, or frame
``A + i`` where the file says in its first line that it is about frames A to B (``NAME_A-B.trc``). The
points are triangulated detections: a check of consistency, no gold. A point of x, y and z zero or empty is
not known. "Head" is the top of the head, as in BODY_25B and HALPE_26.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from app.datasets.errors import DataSetError, damaged
from app.datasets.files import distortion, field, intrinsics, numbers, read_text, table
from app.datasets.types import JointLayout, Points3D, TrueFrame, TruePerson, TruthSet
from app.datasets.view import ReadView
from backends.camera import Camera

F8 = npt.NDArray[np.float64]

KIND: Final = "pose2sim"
_UNITS = {"m": 1.0, "mm": 0.001}
_VIDEOS = (".mp4", ".avi", ".mov", ".mkv")
_MAX_BYTES = 500_000_000
_SPECIAL = {"Head": "head_top", "Hip": "mid_hip", "CHip": "mid_hip", "MidHip": "mid_hip"}


def find(path: Path) -> tuple[Path, Path] | None:
    """The trc and the toml that ``path`` is about, None where there is no trc.

    Raises:
        DataSetError: there are several of a kind to choose from, or no calibration.
    """
    if path.is_file():
        if path.suffix.lower() != ".trc":
            return None
        project = path.parent.parent if path.parent.name == "pose-3d" else path.parent
        return path, _only(_calibrations(project), project, "calibrations (toml)")
    markers = [p for folder in (path, path / "pose-3d") for p in sorted(folder.glob("*.trc"))]
    if not markers:
        return None
    return (
        _only(markers, path, "files of markers (trc)"),
        _only(_calibrations(path), path, "calibrations (toml)"),
    )


def _calibrations(project: Path) -> list[Path]:
    folders = (project, project / "calibration", project.parent / "calibration")
    return [p for folder in folders for p in sorted(folder.glob("*.toml")) if p.name != "Config.toml"]


def _only(found: list[Path], folder: Path, what: str) -> Path:
    if len(found) != 1:
        names = f": {', '.join(p.name for p in found[:5])}" if found else ""
        raise DataSetError(
            f"{folder.name} should hold one of {what}, not {len(found)}{names}. "
            "Choose the trc file itself, or put one calibration beside it."
        )
    return found[0]


def open_pose2sim(markers: Path, calibration: Path) -> TruthSet:
    """Open one person's markers as seen by every calibrated camera.

    Raises:
        DataSetError: damaged.
    """
    found = read_trc(markers)
    try:
        sections = tomllib.loads(read_text(calibration))
    except tomllib.TOMLDecodeError as error:
        raise damaged(calibration, f"it is no toml ({error})") from error
    project = markers.parent.parent if markers.parent.name == "pose-3d" else markers.parent
    views = []
    for name, section in sections.items():
        if name == "metadata":
            continue
        camera = camera_of_section(calibration, name, table(calibration, section, name))
        read = _reader(found, camera)
        n = found.first + len(found.points)
        views.append(ReadView(name, n, found.fps, _video(project, name, section.get("name")), read))
    if not views:
        raise damaged(calibration, "it holds no cameras")
    return TruthSet(KIND, project, tuple(views))


@dataclass(frozen=True, slots=True, eq=False)
class Markers:
    """A trc: ``points`` (N, M, 3) metres, world, z up, NaN where not known; row 0 is frame ``first``."""

    layout: JointLayout
    points: F8
    fps: float
    first: int


def read_trc(path: Path) -> Markers:
    """Read a trc file, turned to a world with z up.

    Raises:
        DataSetError: missing or damaged.
    """
    lines = read_text(path, _MAX_BYTES).splitlines()
    if len(lines) < 6 or not lines[0].startswith("PathFileType"):
        raise damaged(path, "it does not begin as a trc file does")
    said = dict(zip(lines[1].split("\t"), lines[2].split("\t")))
    names = [word.strip() for word in lines[3].split("\t")[2:] if word.strip()]
    if said.get("Units") not in _UNITS:
        raise damaged(path, f"its unit is {said.get('Units')!r}, not m or mm")
    try:
        fps = float(said["DataRate"])
    except (KeyError, ValueError) as error:
        raise damaged(path, "its DataRate is missing") from error
    if not 0 < fps <= 10_000 or not names:
        raise damaged(path, "it has no frame rate or no markers")
    rows = [_row(path, line, len(names)) for line in lines[5:] if line.strip()]
    if not rows:
        raise damaged(path, "it has no frames")
    points = np.stack(rows)
    points[(points == 0).all(axis=2)] = np.nan
    turned = points[:, :, [2, 0, 1]] * _UNITS[said["Units"]]
    about = re.search(r"_(\d{1,8})-\d{1,8}\.trc$", lines[0].split("\t")[-1].strip())
    layout = JointLayout("pose2sim", tuple(joint_name(n) for n in names))
    return Markers(layout, turned, fps, int(about[1]) if about else 0)


def _row(path: Path, line: str, n: int) -> F8:
    words = line.rstrip("\r\n").split("\t")[2 : 2 + 3 * n]
    words += [""] * (3 * n - len(words))
    try:
        values = np.array([float(word) if word.strip() else np.nan for word in words])
    except ValueError as error:
        raise damaged(
            path, f"frame {line.split(chr(9))[0][:12]} holds something that is no number"
        ) from error
    values[np.isinf(values)] = np.nan
    return values.reshape(n, 3)


def joint_name(marker: str) -> str:
    """The field's name of a marker: ``RBigToe`` is ``right_big_toe``."""
    if marker in _SPECIAL:
        return _SPECIAL[marker]
    side = {"R": "right_", "L": "left_"}.get(marker[0], "") if re.match(r"[RL][A-Z]", marker) else ""
    rest = marker[1:] if side else marker
    return side + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", rest).lower()


def camera_of_section(path: Path, name: str, section: dict[str, Any]) -> Camera:
    """The camera of one section of a calibration.

    Raises:
        DataSetError: damaged, or a fisheye's.
    """
    if section.get("fisheye"):
        raise DataSetError(f"{path.name}: {name} is a fisheye camera, which this program does not know.")
    K = intrinsics(path, field(path, section, "matrix"), f"matrix of {name}")
    width, height = numbers(path, field(path, section, "size"), f"size of {name}", (2,))
    if not (1 <= width <= 65535 and 1 <= height <= 65535):
        raise damaged(path, f"{name} has {width:g} x {height:g} pixels")
    turn = numbers(path, field(path, section, "rotation"), f"rotation of {name}", (3,))
    t = numbers(path, field(path, section, "translation"), f"translation of {name}", (3,))
    dist = distortion(path, field(path, section, "distortions"), f"distortions of {name}")
    return Camera(K, int(width), int(height), np.asarray(cv2.Rodrigues(turn)[0], np.float64), t, dist)


def _reader(markers: Markers, camera: Camera) -> Callable[[int], TrueFrame]:
    def read(index: int) -> TrueFrame:
        if index < markers.first:
            return TrueFrame(index, (), camera)
        xyz = markers.points[index - markers.first] @ camera.R.T + camera.t
        return TrueFrame(index, (TruePerson(1, points_3d=(Points3D(markers.layout, xyz),)),), camera)

    return read


def _video(project: Path, section: str, name: object) -> Path | None:
    """The camera's video: of the same name but for punctuation (``cam_01`` and ``cam01.mp4``)."""
    wanted = {_plain(section), _plain(str(name))}
    for folder in (project, project / "videos"):
        for path in sorted(folder.glob("*")):
            if path.suffix.lower() in _VIDEOS and _plain(path.stem) in wanted:
                return path
    return None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
