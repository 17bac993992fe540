"""Where does an estimate break when part of the picture is covered? A sliding occluder (arXiv 2305.17245).

The estimators are callables, so that any regressor, fit or keypoint network can be looked at. Errors have
the unit of what they return: metres for joints in space, pixels for keypoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from backends.errors import InputError

U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]

Estimates = Mapping[str, F8]
"""By name ("mesh", "keypoints"): (J, 2) or (J, 3), a row of NaN for a joint that was not found."""
Estimate = Callable[[Sequence[U1]], Sequence[Estimates | None]]
"""Pictures (h, w, 3) RGB -> what is found in each; None where nobody is."""

MEAN_COLOUR = (124, 116, 104)
"""ImageNet's mean, which the original's occluder value of 0 stands for."""

_AT_ONCE = 8
_MOST_PLACES = 20_000


@dataclass(frozen=True, slots=True)
class Occluder:
    """A square that covers part of a picture.

    Attributes:
        size, stride: pixels; 40 and 20 on a crop of 224 make the original's 11 x 11 places.
        colour: RGB.
    """

    size: int = 40
    stride: int = 20
    colour: tuple[int, int, int] = MEAN_COLOUR

    def __post_init__(self) -> None:
        if self.size < 1 or self.stride < 1:
            raise InputError(
                f"An occluder needs a size and stride of a pixel or more, got {self.size}, {self.stride}."
            )
        if len(self.colour) != 3 or not all(0 <= c <= 255 for c in self.colour):
            raise InputError(f"A colour is three numbers from 0 to 255, got {self.colour}.")

    def places(self, width: int, height: int) -> I8:
        """(ny, nx, 4) x0 y0 x1 y1 (the last two exclusive) of all places over a picture, cut at its border.

        Raises:
            InputError: the occluder is larger than the picture, or so fine that there are far too many.
        """
        if self.size > min(width, height):
            raise InputError(
                f"An occluder of {self.size} px does not fit into a picture of {width} x {height}."
            )
        nx, ny = (-(-(side - self.size) // self.stride) + 1 for side in (width, height))
        if nx * ny > _MOST_PLACES:
            raise InputError(f"A stride of {self.stride} px makes {nx * ny} places; take a larger one.")
        x0, y0 = np.meshgrid(np.arange(nx) * self.stride, np.arange(ny) * self.stride)
        x1, y1 = np.minimum(x0 + self.size, width), np.minimum(y0 + self.size, height)
        return np.stack([x0, y0, x1, y1], axis=-1).astype(np.int64)

    def around(self, point: npt.ArrayLike, width: int, height: int) -> I8 | None:
        """(4,) the place about a point (x, y), cut at the border; None outside and for an unknown point."""
        x, y = np.asarray(point, np.float64)
        if not (np.isfinite(x) and np.isfinite(y)):
            return None
        x0, y0 = int(np.floor(x - self.size / 2 + 0.5)), int(np.floor(y - self.size / 2 + 0.5))
        box = np.array(
            [max(x0, 0), max(y0, 0), min(x0 + self.size, width), min(y0 + self.size, height)], np.int64
        )
        return box if box[0] < box[2] and box[1] < box[3] else None

    def cover(self, image: U1, box: npt.ArrayLike) -> U1:
        """A copy of (h, w, 3) with the box (4,) painted over."""
        x0, y0, x1, y1 = (int(v) for v in np.asarray(box))
        covered = image.copy()
        covered[y0:y1, x0:x1] = self.colour
        return covered


@dataclass(frozen=True, slots=True, eq=False)
class SensitivityMap:
    """What the occluder does to one picture.

    Attributes:
        places: (ny, nx, 4) boxes, pixels of the picture.
        errors: per estimator (ny, nx, J); NaN where the joint was not found.
        lost: (ny, nx) where nobody was found at all.
    """

    places: I8
    errors: Mapping[str, F8]
    lost: npt.NDArray[np.bool_]

    def mean(self, name: str) -> F8:
        """(ny, nx) mean over the joints that were found; NaN where none was."""
        return mean_found(self.errors[name], axis=2)

    def worst(self, name: str) -> tuple[int, int]:
        """Row and column of the place that does most harm to those still found.

        Raises:
            InputError: nobody was found anywhere.
        """
        mean = self.mean(name)
        if not np.isfinite(mean).any():
            raise InputError("Nobody was found under any place of the occluder.")
        row, column = np.unravel_index(int(np.nanargmax(mean)), mean.shape)
        return int(row), int(column)


@dataclass(eq=False)
class JointSensitivity:
    """The occluder on each joint in turn, over many pictures: a running mean.

    Attributes:
        total, count: per estimator (K, J): row k with joint k covered, column j the error of joint j.
        lost: (K,) pictures in which nobody was found any more; tried: (K,) pictures with joint k inside.
    """

    total: dict[str, F8] = field(default_factory=dict)
    count: dict[str, F8] = field(default_factory=dict)
    lost: I8 = field(default_factory=lambda: np.zeros(0, np.int64))
    tried: I8 = field(default_factory=lambda: np.zeros(0, np.int64))

    def mean_error(self, name: str) -> F8:
        """(K,) mean error over all joints and pictures when joint k is covered; NaN where never tried."""
        total, count = self.total[name].sum(axis=1), self.count[name].sum(axis=1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def mean_found(values: F8, axis: int) -> F8:
    """Mean over an axis of what is no NaN; NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    return np.where(count > 0, np.where(known, values, 0.0).sum(axis=axis) / np.maximum(count, 1), np.nan)


def _errors(found: Estimates | None, reference: Estimates) -> dict[str, F8]:
    errors: dict[str, F8] = {}
    for name, truth in reference.items():
        if found is None:
            errors[name] = np.full(len(truth), np.nan)
            continue
        if found[name].shape != truth.shape:
            raise InputError(f"{name}: estimate of shape {found[name].shape}, reference of {truth.shape}.")
        errors[name] = np.asarray(np.linalg.norm(found[name] - truth, axis=1))
    return errors


def _check_image(image: U1) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise InputError(f"A picture needs shape (H, W, 3) and uint8, got {image.shape} {image.dtype}.")


def unoccluded(image: U1, estimate: Estimate) -> Estimates:
    """What is found in the whole picture.

    Raises:
        InputError: nobody is found, or not a picture.
    """
    _check_image(image)
    found = estimate([image])[0]
    if found is None:
        raise InputError("Nobody was found in the picture, so nothing can be said about what hides them.")
    return found


def slide(
    image: U1, estimate: Estimate, reference: Estimates, occluder: Occluder | None = None,
    *, check: Callable[[int, int], object] | None = None,
) -> SensitivityMap:  # fmt: skip
    """Slide the occluder over a picture and measure each joint's error at each place.

    Args:
        image: (h, w, 3) uint8 RGB.
        reference: the truth, or :func:`unoccluded`; errors are measured for its names.
        check: called with places done and in all; may raise to stop.

    Raises:
        InputError: not a picture, an occluder that does not fit, estimates of other shapes.
    """
    _check_image(image)
    square = occluder or Occluder()
    height, width = image.shape[:2]
    places = square.places(width, height)
    ny, nx = places.shape[:2]
    boxes = places.reshape(-1, 4)
    errors = {name: np.full((len(boxes), len(r)), np.nan) for name, r in reference.items()}
    lost = np.zeros(len(boxes), bool)
    for start in range(0, len(boxes), _AT_ONCE):
        if check is not None:
            check(start, len(boxes))
        batch = boxes[start : start + _AT_ONCE]
        for i, found in enumerate(estimate([square.cover(image, b) for b in batch]), start=start):
            lost[i] = found is None
            for name, values in _errors(found, reference).items():
                errors[name][i] = values
    if check is not None:
        check(len(boxes), len(boxes))
    shaped = {name: e.reshape(ny, nx, -1) for name, e in errors.items()}
    return SensitivityMap(places, shaped, lost.reshape(ny, nx))


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One picture of a data set.

    Attributes:
        image: (h, w, 3) uint8 RGB.
        joints: (K, 2) pixels, the joints to cover, NaN where unknown.
        reference: the truth, or None to measure against the picture without occluder.
    """

    image: U1
    joints: F8
    reference: Estimates | None = None


def cover_joints(
    samples: Iterable[Sample], estimate: Estimate, occluder: Occluder | None = None,
    *, check: Callable[[int], object] | None = None,
) -> JointSensitivity:  # fmt: skip
    """Cover each joint in turn in every picture, and add up the errors.

    Pictures in which nobody is found without the occluder, and joints outside, are left out.

    Args:
        check: called with the number of pictures done; may raise to stop.

    Raises:
        InputError: not a picture, or pictures with other numbers of joints.
    """
    square = occluder or Occluder()
    result = JointSensitivity()
    for done, sample in enumerate(samples):
        if check is not None:
            check(done)
        _check_image(sample.image)
        reference = sample.reference or estimate([sample.image])[0]
        if reference is None:
            continue
        n = len(sample.joints)
        if not len(result.tried):
            result.lost, result.tried = np.zeros(n, np.int64), np.zeros(n, np.int64)
            for name, values in reference.items():
                result.total[name], result.count[name] = (np.zeros((n, len(values))) for _ in range(2))
        if n != len(result.tried):
            raise InputError(f"Pictures of one number of joints are needed, got {len(result.tried)} and {n}.")
        height, width = sample.image.shape[:2]
        boxes = [square.around(p, width, height) for p in sample.joints]
        inside = [k for k, b in enumerate(boxes) if b is not None]
        covered = [square.cover(sample.image, b) for b in boxes if b is not None]
        for k, found in zip(inside, estimate(covered) if covered else []):
            result.tried[k] += 1
            result.lost[k] += found is None
            for name, values in _errors(found, reference).items():
                known = np.isfinite(values)
                result.total[name][k] += np.where(known, values, 0.0)
                result.count[name][k] += known
    return result
