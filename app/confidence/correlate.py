"""The correlation arrays of a data set with truth: ED, SE and confidence of the program's own estimators."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.confidence.arrays import Split
from app.confidence.judge import second_look
from app.confidence.people import PersonEyes
from app.confidence.truth import TrueJoints, true_joints
from app.datasets.errors import DataSetError
from app.datasets.types import TruthSet
from app.footage import Footage, open_footage
from app.footage.pictures import read_picture
from backends.body import BodyModel, posed_keypoints
from backends.camera import Camera
from backends.confidence.agreement import (
    CROP,
    N_JOINTS,
    compare,
    mesh_error,
    published_distances,
    skeleton_from_points23,
)
from backends.confidence.agreement.features import spine_of

U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PicturedPerson:
    """A person of a data set in a picture: whose box and joints are known.

    Attributes:
        name: of view, frame and person. image: (H, W, 3) uint8 RGB. box: (4,) pixels.
    """

    name: str
    image: U1
    box: F8
    truth: TrueJoints
    camera: Camera | None


def pictured_people(truth: TruthSet, body: BodyModel, step: int = 1) -> Iterator[PicturedPerson]:
    """Everybody in every ``step``-th frame whose 14 joints the truth knows in the picture.

    Raises:
        DataSetError: a view without pictures. FootageError: they cannot be read.
    """
    for view in truth.views:
        if view.source is None:
            raise DataSetError(f"{truth.root.name}: the pictures of {view.name} are missing.")
        pictures = view.source if isinstance(view.source, tuple) else ()
        footage = None if isinstance(view.source, tuple) else open_footage(view.source)
        try:
            for index in range(0, view.n_frames, step):
                frame = view.frame(index)
                known = [(p, true_joints(p, frame.camera, body)) for p in frame.people]
                known = [(p, t) for p, t in known if np.isfinite(t.xy).all()]
                if not known:
                    continue
                image = _image(footage, pictures, index)
                for person, joints in known:
                    box = person.box if person.box is not None else _box(joints.xy)
                    name = f"{view.name} {index} person {person.person_id}"
                    yield PicturedPerson(name, image, box, joints, frame.camera)
        finally:
            if footage is not None:
                footage.close()


def nth_person(truth: TruthSet, body: BodyModel, number: int) -> PicturedPerson:
    """The person ``number`` (from 0) of a data set, in the order of views, frames and people.

    Raises:
        DataSetError: there are not so many, or pictures are missing.
    """
    n = 0
    for person in pictured_people(truth, body):
        if n == number:
            return person
        n += 1
    raise DataSetError(f"{truth.root.name} holds {n} people with known joints; count from 0 to {n - 1}.")


def _image(footage: Footage | None, pictures: tuple[Path, ...], index: int) -> U1:
    return np.asarray(read_picture(pictures[index]) if footage is None else footage.frame(index), np.uint8)


def _box(xy: F8) -> F8:
    low, high = xy.min(axis=0), xy.max(axis=0)
    pad = 0.12 * float(np.max(high - low))
    return np.array([*(low - pad), *(high + pad)])


def correlate(
    truth: TruthSet, eyes: PersonEyes, *, name: str = "", step: int = 1, published: bool = False,
    check: Callable[[int, int], object] | None = None,
) -> tuple[Split, int]:  # fmt: skip
    """ED, SE and confidence of everybody in a data set, and how many people were not recognised.

    Args:
        name: of the split. step: look at every so many frames.
        published: a missing joint as the original has it, at (224, 224), instead of NaN.
        check: called with people done and recognised; may raise to stop.

    Raises:
        DataSetError: pictures are missing, or nobody is recognised.
    """
    rows: list[tuple[F8, F8, F8]] = []
    tried = 0
    for person in pictured_people(truth, eyes.body, step):
        if check is not None:
            check(tried, len(rows))
        tried += 1
        row = _row(person, eyes, published=published)
        if row is not None:
            rows.append(row)
    if not rows:
        raise DataSetError(f"{truth.root.name}: none of {tried} people with known joints was recognised.")
    ed, se, confidence = (np.stack(part) for part in zip(*rows))
    return Split(name, ed, se, confidence), tried - len(rows)


def _row(person: PicturedPerson, eyes: PersonEyes, *, published: bool) -> tuple[F8, F8, F8] | None:
    crop = eyes.crop(person.image, person.box, camera=person.camera)
    seen = eyes.look(crop.image, crop) if crop is not None else None
    if crop is None or seen is None or seen.fit is None:
        return None
    points = crop.camera.project(posed_keypoints(eyes.body, seen.fit.params))
    mesh = skeleton_from_points23(points, np.ones(len(points)))
    xy = person.truth.xy @ crop.to_crop[:, :2].T + crop.to_crop[:, 2]
    if np.linalg.norm(mesh.xy - xy, axis=1).mean() > CROP / 2:
        return None  # somebody else stands in the box
    keypoints = second_look(eyes, crop)
    agreement = compare(mesh, keypoints)
    ed = published_distances(mesh, keypoints) if published else agreement.ed
    se = mesh_error(mesh.xy, xy, mesh.spine, spine_of(xy))
    return ed, se, agreement.confidence.reshape(N_JOINTS)
