"""What the window is told: frozen views of the project, ready to draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from backends.keypoints.details import HAND_LINES

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]
U1 = npt.NDArray[np.uint8]
I4 = npt.NDArray[np.int32]

FrameCallback = Callable[[int, U1], None]

HAND_BONES = HAND_LINES
"""Pairs of a hand's points that are joined by a line."""

ABSENT, OCCLUDED, VISIBLE = 0, 1, 2
"""Values of a keypoint's visibility (COCO)."""
BY_MODEL, BY_PERSON, CARRIED = 0, 1, 2
"""Values of a keypoint's source."""


@dataclass(frozen=True, slots=True, eq=False)
class SceneModel:
    """What does not change from frame to frame.

    ``faces`` (F, 3); ``skeleton`` pairs of keypoint indices; ``mirror`` the index on the other side;
    ``sides`` per keypoint "left", "right" or "" (middle); ``part_of_vertex`` (V,) index into
    ``part_labels``, what people call the parts of the body.
    """

    n_vertices: int
    faces: I4
    keypoint_names: tuple[str, ...]
    keypoint_labels: tuple[str, ...]
    skeleton: tuple[tuple[int, int], ...]
    mirror: tuple[int, ...]
    sides: tuple[str, ...]
    part_of_vertex: I4
    part_labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CameraView:
    """The view's camera: ``x_cam = R @ x_world + t``, world metres z up; ``assumed`` focal length; ``floor``
    the world's z of the floor, None where nobody knows it."""

    K: F8
    R: F8
    t: F8
    width: int
    height: int
    assumed: bool
    floor: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PersonScene:
    """One person in one frame.

    ``xy`` (23, 2) pixels, ``score`` (23,), ``visibility`` (23,), ``source`` (23,), ``keypoint_mm`` (23,)
    expected errors, ``keypoint_bound_mm`` (23,) what nine of ten stay under (NaN: not known), ``reasons``
    (23,) plain words or "". ``vertices`` (V, 3) camera coordinates in metres
    or None where there is no body; ``normals`` (V, 3); ``vertex_mm`` (V,), ``vertex_rgb`` (V, 3) uint8.
    ``left_hand``, ``right_hand`` (21, 2) and ``face`` (468, 2) pixels, None where they were not seen.
    """

    person_id: int
    name: str
    color_index: int
    xy: F4
    score: F4
    visibility: U1
    source: U1
    keypoint_mm: F4
    reasons: tuple[str, ...]
    vertices: F4 | None
    normals: F4 | None
    vertex_mm: F4 | None
    vertex_rgb: U1 | None
    mean_mm: float
    reviewed: bool
    hidden: bool
    left_hand: F4 | None = None
    right_hand: F4 | None = None
    face: F4 | None = None
    keypoint_bound_mm: F4 | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Everything that is drawn over frame ``frame``; ``processed`` False where the run has not been."""

    frame: int
    processed: bool
    people: tuple[PersonScene, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PersonRow:
    """One card of the people list; ``thumbnail`` (h, w, 3) RGB or None until it has been read."""

    person_id: int
    name: str
    color_index: int
    n_frames: int
    n_corrected: int
    n_gaps: int
    mean_mm: float
    method: str
    hidden: bool
    first_frame: int
    last_frame: int
    thumbnail: U1 | None


@dataclass(frozen=True, slots=True, eq=False)
class Lane:
    """One lane of the timeline; ``mm`` (N,) with NaN where the person is not there.

    ``corrected_frames`` a person has looked at; ``carried_frames`` follow a correction nearby;
    in ``predicted_frames`` the export covers the person where they are guessed to be.
    """

    person_id: int
    name: str
    color_index: int
    mm: F4
    corrected_frames: I4
    carried_frames: I4
    predicted_frames: I4 = field(default_factory=lambda: np.zeros(0, np.int32))


NOT_PROCESSED, COVERED, LEAK, SPARED, PREDICTED = 0, 1, 2, 3, 4
"""Values of the coverage lane; SPARED where somebody may be seen on purpose, PREDICTED where somebody is
covered only by a guess."""

DOUBT_ITEM, LEAK_ITEM = "doubt", "leak"
"""Kinds of items of the review queue: a doubtful body, or a finding of the audit."""


TRACK_ENDS = "Track ends in mid-picture"
"""The title of the item that says somebody may still be there after their track."""


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """Something to look at. ``severity`` 2 bad, 1 warning; ``person_id`` 0 where it is nobody's.

    ``reasons`` name the kinds of what is wrong, for filters; ``sentence`` says it in full, or is "".
    ``worth`` is how much it is worth a look, by how bad it is and how long it lasts, in seconds of something
    doubtful. Items of one ``group`` are alike: one stands for all of them ("" is by itself).
    """

    item_id: str
    severity: int
    title: str
    detail: str
    person_id: int
    first_frame: int
    last_frame: int
    keypoint: int | None
    done: bool
    kind: str = DOUBT_ITEM
    reasons: tuple[str, ...] = ()
    sentence: str = ""
    worth: float = 0.0
    group: str = ""


@dataclass(frozen=True, slots=True)
class EditLabel:
    """What an undo or redo did, so that the window can go there and say so."""

    text: str
    frame: int | None
    person_id: int | None


Cover = Literal["whole", "head", "face"]
Fill = Literal["mesh", "solid", "pixels", "remove", "blur"]
Look = Literal["clothed", "shaded", "plain", "confidence"]
Codec = Literal["h264", "h265"]
Background = Literal["original", "plate"]

COVER_LABELS: dict[Cover, str] = {"whole": "Whole person", "head": "Head", "face": "Face"}
COVER_WHY_NOT: dict[Cover, str] = {
    "head": "Walk, build and clothes stay: a person can still be recognised by them.",
    "face": "Hair, walk, build and clothes stay: a person can still be recognised by them.",
}
"""What the window says beside a choice that hides less."""
FILL_LABELS: dict[Fill, str] = {
    "mesh": "Body mesh", "solid": "Solid colour", "pixels": "Pixels", "remove": "Removed", "blur": "Blur",
}  # fmt: skip
"""In the order in which the window offers them; under a head or a face the mesh is the head's only."""
HEAD_MESH = "Head mesh"
"""What the window calls the mesh where no more than the head is covered."""
FILL_WHY_NOT: dict[Fill, str] = {
    "pixels": "Coarse pixels still show build and clothes, and can be compared from frame to frame.",
    "blur": "A blur can be seen through: 96 of 100 blurred faces were recognised again in a published test.",
}
"""What the window says beside a choice that protects less."""
LOOK_LABELS: dict[Look, str] = {
    "clothed": "Clothed", "shaded": "Shaded", "plain": "Plain", "confidence": "Confidence",
}  # fmt: skip
"""How a body mesh looks."""
REGION_FILL_LABELS: dict[Literal["solid", "pixels", "remove", "blur"], str] = {
    "solid": FILL_LABELS["solid"], "pixels": FILL_LABELS["pixels"], "remove": FILL_LABELS["remove"],
    "blur": FILL_LABELS["blur"],
}  # fmt: skip
"""What a free region is covered with."""
AUDIO_WHY_NOT = "The sound is kept: a person can be recognised by their voice, and names may be said."
"""What the window says where sound is kept."""
CODEC_LABELS: dict[Codec, str] = {"h264": "H.264", "h265": "H.265"}
BACKGROUND_LABELS: dict[Background, str] = {"original": "Original", "plate": "Empty room"}


@dataclass(frozen=True, slots=True)
class DeidSettings:
    """How people are covered in the export.

    ``believed_only``: limbs of body meshes that nobody saw, behind a table or below the picture, fade out.
    ``shadows``: body meshes before the empty room stand on a soft shadow.
    """

    cover: Cover = "whole"
    fill: Fill = "mesh"
    background: Background = "plate"
    keep_audio: bool = False
    look: Look = "clothed"
    codec: Codec = "h264"
    believed_only: bool = True
    shadows: bool = True


ExportKind = Literal["video", "dicom", "coco", "smplx", "meshes_obj", "meshes_ply", "meshes_glb", "csv"]


@dataclass(frozen=True, slots=True)
class LearnedInpainter:
    """A network that paints what is behind people, see :mod:`app.export.inpainters`; ``code`` is run."""

    name: str
    code: Path
    weights: Path


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to write where. ``first``/``last`` inclusive frames, None for all.

    ``audit`` searches the finished video for whoever slipped through; without it no video is called
    verified. ``report`` writes what was done and found beside it;
    ``report_pictures`` shows in it what was found, which may be a patient. ``body`` is what bodies and
    meshes are written as: "free" (as fitted), "smplx", "smplh" or "smpl" as installed, or the path of such
    a file.
    ``inpainter`` paints the empty room in place of the program's own.
    """

    folder: Path
    kinds: tuple[ExportKind, ...] = ("video", "coco", "smplx", "csv")
    first: int | None = None
    last: int | None = None
    overwrite: bool = False
    allow_uncovered: bool = False
    audit: bool = True
    report: bool = True
    report_pictures: bool = False
    body: str = "free"
    inpainter: LearnedInpainter | None = None


@dataclass(frozen=True, slots=True)
class CarryRange:
    """How far a correction is carried: seconds on each side, None up to the next correction."""

    back_s: float | None = 1.0
    ahead_s: float | None = 1.0


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run the pipeline.

    ``device`` "auto", "cpu", "cuda", "mps"; ``hands_face`` looks for hands and faces too, which takes
    about as long again for each large person. ``body`` "free", "smplx", "smplh", "smpl" or a file's path;
    None: as the project has it. ``watched``: somebody may look at the bodies while the run goes on; else
    their errors are first told when they have been fitted as clips.
    """

    device: str = "auto"
    first: int | None = None
    last: int | None = None
    restart: bool = False
    hands_face: bool = False
    body: str | None = None
    watched: bool = True
