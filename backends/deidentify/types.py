"""Who is to be covered, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from backends.depth.patch import DepthPatch
from backends.keypoints.types import Keypoints
from backends.masks import CropMask
from backends.render.types import Mesh

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]

What = Literal["whole", "head", "face"]
Fill = Literal["mesh", "solid", "pixels", "remove", "blur"]


@dataclass(frozen=True, slots=True)
class How:
    """What of a person is covered, and with what. A face or head under a mesh gets the head's mesh."""

    what: What = "whole"
    fill: Fill = "mesh"


@dataclass(frozen=True, slots=True, eq=False)
class PersonCover:
    """One person of a picture.

    Attributes:
        box: (4,) x0 y0 x1 y1 pixels.
        keypoints: where known; masks: which pixels, all of which count; mesh: the body, in camera
            coordinates, with colours.
        head_faces: faces of ``mesh`` that are head, (K,) indices.
        head_xy: (H, 2) the head's vertices in the picture, or None.
        size: of the person in the picture, pixels (about the standing height).
        slack: pixels by which all this may be wrong; the cover reaches so much farther.
        how: None where the person is spared: nothing of them is covered, and their body hides who stands
            behind them.
        face_xy: (F, 2) the vertices of the face's front in the picture, or None.
        drawn: whether the body is shown; a guess of somebody who may not be there is only erased.
        own_colors: the mesh's colours mean something, so the room's light does not change them.
        belief: (V,) how far each vertex of ``mesh`` is to be believed, in [0, 1]: what nobody saw is not
            drawn, but covered as before. None: everything is.
        feet: (2, 4) where both feet stand, metres in camera coordinates, and how far each is believed; None
            where no shadow is cast.
        depth: what a depth sensor says about the person; None without one.
    """

    box: F4
    keypoints: Keypoints | None
    masks: tuple[CropMask, ...]
    mesh: Mesh | None
    head_faces: npt.NDArray[np.int64] | None
    head_xy: F4 | None
    size: float
    slack: float = 0.0
    how: How | None = How()
    face_xy: F4 | None = None
    drawn: bool = True
    own_colors: bool = False
    belief: F4 | None = None
    feet: F4 | None = None
    depth: DepthPatch | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FreeArea:
    """A polygon that is covered whoever is in it: ``points`` (P, 2) pixels.

    ``on_top``: it lies over the bodies that are shown, too.
    """

    points: F4
    fill: Literal["solid", "pixels", "remove", "blur"]
    on_top: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Pixels to be covered: ``mask`` (h, w) uint8 0 or 255, its top left corner at (x0, y0)."""

    x0: int
    y0: int
    mask: U1

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the picture."""
        h, w = self.mask.shape
        return slice(self.y0, self.y0 + h), slice(self.x0, self.x0 + w)
