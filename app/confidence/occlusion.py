"""What hides a person, and what that does: the sliding occluder on one person of a picture."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from app.confidence.heat import SCALE
from app.confidence.people import PersonEyes
from app.confidence.truth import TrueJoints
from app.errors import FootageError, StorageError
from backends.camera import Camera
from backends.confidence.agreement import AGREEMENT_JOINTS, N_JOINTS
from backends.confidence.agreement.joints import LEFT_HIP, RIGHT_HIP
from backends.confidence.sensitivity import Estimates, Occluder, SensitivityMap, slide
from backends.errors import InputError

U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]

ESTIMATORS: Final = ("mesh", "keypoints")
JOINTS: Final = AGREEMENT_JOINTS
"""The 14 joints that errors are named for."""
UNOCCLUDED, TRUTH = "the result without occluder", "the truth"
_LARGEST_FILE = 200_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Occlusion:
    """The sensitivity of one person in one picture.

    Attributes:
        image: (S, S, 3) the person's crop, uint8 RGB; to_crop: (2, 3) from the picture into it.
        joints_xy: (14, 2) pixels of the crop, where the keypoints lie without occluder.
        occluder: what was slid over the crop.
        map: errors under "mesh" in metres (about the hips), under "keypoints" in pixels of the crop.
        against: what errors were measured against.
    """

    image: U1
    to_crop: F8
    joints_xy: F8
    occluder: Occluder
    map: SensitivityMap
    against: str

    def shown(self, name: str, joint: int | None = None) -> F8:
        """(ny, nx) errors of an estimator in mm (mesh) or px (keypoints): of a joint, or the mean."""
        errors = self.map.mean(name) if joint is None else self.map.errors[name][..., joint]
        return np.asarray(SCALE[name] * errors)


def reference_of(truth: TrueJoints, to_crop: F8) -> Estimates:
    """The truth as :meth:`PersonEyes.estimates` speaks: "mesh" about the hips' middle, "keypoints" in
    the crop; without what is not known.

    Raises:
        FootageError: the truth has no joints.
    """
    reference: dict[str, F8] = {}
    hips = truth.xyz[[LEFT_HIP, RIGHT_HIP]].mean(axis=0)
    if np.isfinite(hips).all():
        reference["mesh"] = truth.xyz - hips
    if np.isfinite(truth.xy).any():
        reference["keypoints"] = truth.xy @ to_crop[:, :2].T + to_crop[:, 2]
    if not reference:
        raise FootageError("The truth says nothing about this person's joints. Measure without it.")
    return reference


def occlude(
    image: U1, box: npt.ArrayLike, eyes: PersonEyes, occluder: Occluder | None = None,
    *, camera: Camera | None = None, truth: TrueJoints | None = None,
    check: Callable[[int, int], object] | None = None,
) -> Occlusion:  # fmt: skip
    """Slide an occluder over a person's crop.

    The crop is cut once; each occlusion runs the landmark network and the fit alone, in the region that
    the unoccluded person has.

    Args:
        image: (H, W, 3) uint8 RGB. box: (4,) of the person, pixels of the picture.
        truth: what to measure against; by default the result without occluder.
        check: called with places done and in all; may raise to stop.

    Raises:
        FootageError: nobody is recognised in the box. InputError: an occluder that does not fit.
    """
    square = occluder or Occluder()
    crop = eyes.crop(image, box, camera=camera)
    if crop is None:
        raise FootageError("Nobody is recognised in this place of the picture. Choose another person.")

    def estimate(pictures: Sequence[U1]) -> Sequence[Estimates | None]:
        return eyes.estimates(pictures, crop)

    first = estimate([crop.image])[0]
    if first is None:
        raise FootageError("Nobody is recognised in this place of the picture. Choose another person.")
    reference = first if truth is None else reference_of(truth, crop.to_crop)
    found = slide(crop.image, estimate, reference, square, check=check)
    return Occlusion(
        crop.image, crop.to_crop, first["keypoints"], square, found, UNOCCLUDED if truth is None else TRUTH
    )


def save_occlusion(path: Path, result: Occlusion) -> None:
    """Write as npz (:func:`load_occlusion`).

    Raises:
        StorageError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.part")
    arrays = {
        "image": result.image, "to_crop": result.to_crop, "joints_xy": result.joints_xy,
        "occluder": np.array([result.occluder.size, result.occluder.stride]),
        "occluder_rgb": np.array(result.occluder.colour), "places": result.map.places,
        "lost": result.map.lost, "against": np.array(result.against),
        "joints": np.array(AGREEMENT_JOINTS),
        **{f"error_{name}": errors for name, errors in result.map.errors.items()},
    }  # fmt: skip
    try:
        with beside.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)  # type: ignore[arg-type]
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StorageError(f"{path.name} cannot be written: {error.strerror or error}.") from error


def load_occlusion(path: Path) -> Occlusion:
    """What :func:`save_occlusion` wrote.

    Raises:
        FootageError: missing, damaged or another file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(i.file_size for i in archive.infolist()) > _LARGEST_FILE:
                raise FootageError(f"{path.name} is far larger than a sensitivity map. Check the path.")
        with np.load(path, allow_pickle=False) as file:
            parts = {name: file[name] for name in file.files}
        size, stride = (int(v) for v in parts["occluder"])
        red, green, blue = (int(v) for v in parts["occluder_rgb"])
        errors = {n: np.asarray(parts[f"error_{n}"], np.float64) for n in ESTIMATORS if f"error_{n}" in parts}
        places = np.asarray(parts["places"], np.int64)
        grid = places.shape[:2]
        image, lost = parts["image"], parts["lost"]
        fits = (
            places.ndim == 3 and places.shape[2] == 4 and errors and lost.shape == grid
            and all(e.shape == (*grid, N_JOINTS) for e in errors.values())
            and image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
            and parts["to_crop"].shape == (2, 3) and parts["joints_xy"].shape == (N_JOINTS, 2)
        )  # fmt: skip
        if not fits:
            raise ValueError
        found = SensitivityMap(places, errors, lost.astype(bool))
        return Occlusion(
            image, np.asarray(parts["to_crop"], np.float64), np.asarray(parts["joints_xy"], np.float64),
            Occluder(size, stride, (red, green, blue)), found, str(parts["against"]),
        )  # fmt: skip
    except OSError as error:
        raise FootageError(f"{path.name} cannot be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError, EOFError, InputError, zipfile.BadZipFile) as error:
        raise FootageError(
            f"{path.name} is damaged or no sensitivity map. Make it again: understudy confidence occlude"
        ) from error
