"""Truth about footage, whatever data set it comes from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backends.body.params import BodyParams
from backends.camera import Camera
from backends.masks import CropMask

F8 = npt.NDArray[np.float64]
U1 = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class JointLayout:
    """A data set's order of joints: a short ``name`` (``coco17``, ``smpl24``) and the joints' names.

    Joints that mean the same have the same name in every layout, those of
    :data:`backends.keypoints.layout.KEYPOINT_NAMES` where there is one.
    """

    name: str
    joints: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Points2D:
    """``xy`` (J, 2) pixels; ``visibility`` (J,) uint8: 0 absent (or not labelled), 1 occluded, 2 visible."""

    layout: JointLayout
    xy: F8
    visibility: U1


@dataclass(frozen=True, slots=True, eq=False)
class Points3D:
    """``xyz`` (J, 3) metres, camera coordinates (OpenCV axes); NaN where a joint is not known."""

    layout: JointLayout
    xyz: F8


@dataclass(frozen=True, slots=True, eq=False)
class TruePerson:
    """What a data set says about one person in one frame of one view; None is "not said".

    Attributes:
        person_id: the same through the view (and through all views where the data set knows).
        points_2d, points_3d: joints, perhaps in several layouts.
        params: body parameters in camera coordinates, with ``body``: ``"free"`` (the shipped body),
            ``"smpl"``, ``"smplh"`` or ``"smplx"``.
        vertices: (V, 3) metres, camera coordinates.
        box: (4,) x0 y0 x1 y1 pixels, of the visible part.
        mask: visible pixels.
        seen: share of the person that nothing hides, in [0, 1].
        face_box, face_seen: about the face and the share of it that is seen.
        head_box: about the whole head.
        head_mask: the head's visible pixels; an empty mask where nothing of it is seen.
    """

    person_id: int
    points_2d: tuple[Points2D, ...] = ()
    points_3d: tuple[Points3D, ...] = ()
    params: BodyParams | None = None
    body: str | None = None
    vertices: F8 | None = None
    box: F8 | None = None
    mask: CropMask | None = None
    seen: float | None = None
    face_box: F8 | None = None
    face_seen: float | None = None
    head_box: F8 | None = None
    head_mask: CropMask | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TrueFrame:
    """One frame of one view: everybody in it, and the camera where it is known."""

    index: int
    people: tuple[TruePerson, ...]
    camera: Camera | None = None


class TruthView(ABC):
    """The truth about one camera's footage; frames are read when asked for.

    Attributes:
        name: of the view.
        n_frames: how many frames the truth speaks of.
        fps: frames a second, or None where frames are separate pictures.
        source: the video, or the folder or list of pictures that it belongs to, or None where it is missing.
    """

    name: str
    n_frames: int
    fps: float | None
    source: Path | tuple[Path, ...] | None

    @abstractmethod
    def frame(self, index: int) -> TrueFrame:
        """Frame ``index``.

        Raises:
            IndexError: outside the footage. app.errors.UnderstudyError: the file behind it is damaged.
        """

    def plate(self) -> U1 | None:
        """(H, W, 3) the room without people as this camera sees it, or None where the data set has no such
        picture.

        Raises:
            app.errors.UnderstudyError: the file behind it is damaged.
        """
        return None


@dataclass(frozen=True, slots=True, eq=False)
class TruthSet:
    """A piece of a data set that lies at ``root``; ``kind`` names the layout (``understudy``, ``3dpw``)."""

    kind: str
    root: Path
    views: tuple[TruthView, ...]
