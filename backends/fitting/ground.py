"""Feet on the ground: which stand when, and the ground's height (world coordinates, z up, metres)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backends.errors import InputError

F8 = npt.NDArray[np.float64]

N_FEET = 6
"""Left big toe, left small toe, left heel, then the right ones: keypoints 17 to 22."""

_STILL_M_S = 0.25
_NEAR_M = 0.06
_LEAST_S = 0.2
"""A foot that is still for less than this turns round in the air, or the camera follows it."""


@dataclass(frozen=True, slots=True, eq=False)
class Contact:
    """Which of the feet's six keypoints stand.

    Attributes:
        stands: (T, 6) in [0, 1], how surely.
        height: world z of the keypoints of a standing foot, metres.
        known_ground: whether the height is known; else standing feet only do not slide.
    """

    stands: F8
    height: float = 0.0
    known_ground: bool = True

    def __post_init__(self) -> None:
        s = self.stands
        if s.ndim != 2 or s.shape[1] != N_FEET or not np.isfinite(s).all() or s.min(initial=0.0) < 0:
            raise InputError(f"Contacts need shape (T, 6) and values from 0 to 1, got {s.shape}.")

    @staticmethod
    def none(frames: int) -> Contact:
        """No foot stands anywhere."""
        return Contact(np.zeros((frames, N_FEET)), known_ground=False)

    def cut(self, part: slice) -> Contact:
        """The contacts of some of the frames."""
        return Contact(self.stands[part], self.height, self.known_ground)

    def slide(self, noise_m: float) -> F8:
        """(T - 1, 6) weights, 1 / m^2, of a foot's staying where it is from one frame to the next."""
        if len(self.stands) < 2:
            return np.zeros((0, N_FEET))
        weight: F8 = np.minimum(self.stands[1:], self.stands[:-1]) / noise_m**2
        return weight

    def ground(self, noise_m: float) -> F8:
        """(T, 6) weights, 1 / m^2, of a standing foot's being at the ground's height."""
        return self.stands / noise_m**2 * float(self.known_ground)

    @property
    def across(self) -> F8:
        """(3,) axes in which a standing foot is held: along the ground, or all where that is unknown."""
        return np.array([1.0, 1.0, 0.0 if self.known_ground else 1.0])


def find_contacts(feet: npt.ArrayLike, fps: float, *, height: float | None = 0.0) -> Contact:
    """Which feet stand, from a first fit: those that are still, and near the ground where it is known.

    Args:
        feet: (T, 6, 3) the feet's keypoints, world, metres (axes of a camera do where ``height`` is None).
        height: of the keypoints of a standing foot, or None where it is not known.

    Raises:
        InputError: another shape, or values that are not finite.
    """
    p = np.asarray(feet, dtype=np.float64)
    if p.ndim != 3 or p.shape[1:] != (N_FEET, 3) or not np.isfinite(p).all():
        raise InputError(f"Feet need shape (T, 6, 3) and finite values, got {p.shape}.")
    if len(p) < 2:
        return Contact.none(len(p))
    speed = np.linalg.norm(np.gradient(p, axis=0), axis=2) * fps
    # A median of three: a single noisy frame neither lifts a foot nor puts it down.
    padded = np.concatenate([speed[:1], speed, speed[-1:]])
    speed = np.median([padded[:-2], padded[1:-1], padded[2:]], axis=0)
    stands = np.clip(2.0 - speed / _STILL_M_S, 0.0, 1.0)
    if height is not None:
        stands = stands * np.clip(2.0 - np.abs(p[..., 2] - height) / _NEAR_M, 0.0, 1.0)
    stands = stands * _lasting(stands > 0.0, max(round(_LEAST_S * fps), 1))
    return Contact(stands, 0.0 if height is None else float(height), height is not None)


def _lasting(stands: npt.NDArray[np.bool_], least: int) -> npt.NDArray[np.bool_]:
    """Of (T, 6) the runs along time of at least so many frames; at the clip's ends they may be cut off."""
    result = np.zeros_like(stands)
    for foot in range(stands.shape[1]):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], stands[:, foot].astype(np.int8), [0]])))
        for first, end in edges.reshape(-1, 2):
            if end - first >= least or first == 0 or end == len(stands):
                result[first:end, foot] = True
    return result


def foot_slide_mm(feet: npt.ArrayLike, stands: npt.ArrayLike) -> float:
    """Mean distance, mm a frame, that standing feet (T, 6, 3) move while they stand (T, 6); NaN where none
    does."""
    p, s = np.asarray(feet, dtype=np.float64), np.asarray(stands, dtype=np.float64) > 0.5
    both = s[1:] & s[:-1]
    moved = np.linalg.norm(np.diff(p, axis=0), axis=2)
    return 1e3 * float(moved[both].mean()) if both.any() else float("nan")
