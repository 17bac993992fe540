"""What is gathered while the frames go by, and what the scores are made of."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from backends.metrics.average_precision import FoundInstance, TrueInstance
from backends.metrics.tracking import TrackedFrame

F8 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A true person and the body that was found for them, in one frame.

    Attributes:
        row: place of the frame among those compared. frame: its number in the footage.
        estimate, truth: joint set name -> (K, 3) metres, camera coordinates, NaN where not known.
        expected_mm: (23,) what the program believes the keypoints' errors to be, or None.
        visibility: (23,) the true keypoints' COCO flags, 0 where not labelled.
    """

    row: int
    frame: int
    person: int
    track: int
    estimate: dict[str, F8]
    truth: dict[str, F8]
    expected_mm: F8 | None
    visibility: npt.NDArray[np.uint8]


@dataclass(slots=True, eq=False)
class HeadTrack:
    """One true person's head over the frames compared: share hidden, and whether it is seen; NaN unknown."""

    covered: F8
    seen: F8


@dataclass(slots=True, eq=False)
class Samples:
    """Everything that was gathered.

    Attributes:
        layouts: names of the truth's layouts in space.
        frames: the frames' numbers. cameras: (R, t) of each where the truth knows it.
        pairs: matched people with bodies. bodiless: matched people without one.
        vertex_mm: per matched body its mean vertex error: as it stands, from the pelvis, after Procrustes.
        vertices_why: why there are none.
        pixels: per matched person (estimate (23, 2), reprojected (23, 2), truth (23, 2), labelled (23,),
            the box' longer side).
        images: for average precision. tracked: for identities.
        mask_iou, mask_f: per matched person with masks on both sides.
        faces: per frame the true and the found face boxes.
        heads: by true person. head_masks: so many heads of which the truth knows every pixel.
        hidden: (H, W) where anybody's true mask ever was.
        persons: per frame and person the share of their seen pixels that is covered.
    """

    layouts: set[str] = field(default_factory=set)
    frames: list[int] = field(default_factory=list)
    cameras: list[tuple[F8, F8] | None] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    bodiless: int = 0
    vertex_mm: list[tuple[float, float, float]] = field(default_factory=list)
    vertices_why: str = "the truth has no bodies of the same mesh"
    pixels: list[tuple[F8, F8, F8, npt.NDArray[np.bool_], float]] = field(default_factory=list)
    images: list[tuple[list[TrueInstance], list[FoundInstance]]] = field(default_factory=list)
    tracked: list[TrackedFrame] = field(default_factory=list)
    mask_iou: list[float] = field(default_factory=list)
    mask_f: list[float] = field(default_factory=list)
    true_masks: int = 0
    faces: list[tuple[F8, F8]] = field(default_factory=list)
    true_faces: int = 0
    heads: dict[int, HeadTrack] = field(default_factory=dict)
    head_masks: int = 0
    hidden: npt.NDArray[np.bool_] | None = None
    persons: list[float] = field(default_factory=list)
    true_people: int = 0
    found_people: int = 0
    matched: int = 0
    ignored: int = 0
    labelled: int = 0
    projected: int = 0
    true_joints: int = 0
