"""What several cameras are given as, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.errors import UnderstudyError
from backends.body import BodyParams
from backends.camera import Camera
from backends.keypoints.details import Details
from backends.keypoints.types import Keypoints

F8 = npt.NDArray[np.float64]


RATES_APART = 0.02
"""Frame rates that differ by a larger share are not of one recording."""
KNOWN_ONLY = 0.25
"""Below this score a camera does not see somebody, but knows of them from the others."""


class ViewsError(UnderstudyError):
    """Cameras, footage and keypoints do not belong together."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class ViewsRequest:
    """What is to be put together.

    Attributes:
        sources: a video or a folder of pictures a camera, or one data set's folder that holds all.
        calibration: a file or a folder of cameras; None: in the data set's folder.
        keypoints: a folder with a folder of json files a camera; then nobody is looked for in the pictures.
        layout: order of the points in those files; "auto" tells BODY_25 from BODY_25B by itself.
        output: the folder that everything is written to.
        offsets: a camera by which frame of it is frame 0 of all; empty: they begin together.
        fps: frames a second where the footage does not say. first, last: frames, inclusive.
        body: "free", "smplx", "smplh", "smpl" or a file's path. projects: write one a camera.
        refine_cameras: turn and move cameras so that what they see of people meets.
        names: what the cameras of ``sources`` are called; empty: as their files.
    """

    sources: tuple[Path, ...]
    calibration: Path | None
    output: Path
    keypoints: Path | None = None
    layout: str = "auto"
    offsets: tuple[int, ...] = ()
    fps: float | None = None
    first: int = 0
    last: int | None = None
    body: str = "free"
    hands_face: bool = False
    projects: bool = True
    refine_cameras: bool = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ViewInput:
    """One camera: ``footage`` is None where only keypoints are known; ``offset`` its frame at moment 0."""

    name: str
    camera: Camera
    footage: Path | None
    offset: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One person as one camera sees them; ``track`` is the camera's own number, 0 where there is none;
    ``details`` are hands and face where they were looked for."""

    keypoints: Keypoints
    track: int = 0
    details: Details | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """One person at one moment.

    Attributes:
        seen: by view, who of that view they are.
        params: world coordinates, metres.
        joint_mm, keypoint_mm: (22,) and (23,) standard deviation of places, root of the covariance's trace.
        xy: by view (23, 2) pixels, the body's keypoints, lens distortion included; NaN behind the camera.
        residual_px: by view (23,) NaN where a keypoint was not used.
        miss_mm: median distance of the body's keypoints from those that cameras see, used or not, across the
            line of sight at the person's distance; NaN where none sees any.
        joints, keypoints: (22, 3) and (23, 3) world, metres.
    """

    seen: Mapping[int, Seen]
    params: BodyParams
    joint_mm: F8
    keypoint_mm: F8
    xy: F8
    residual_px: F8
    miss_mm: float
    joints: F8
    keypoints: F8


@dataclass(frozen=True, slots=True, eq=False)
class RoomPerson:
    """One person over time: ``moments`` by moment's number, ascending."""

    number: int
    moments: Mapping[int, Moment]
