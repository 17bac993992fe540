"""How natural a motion is: acceleration, jitter, feet that slide. Points in metres, (T, J, 3).

A row is one frame of one person; a frame or point that is not known is NaN, and whatever touches it is
left out. Rows must be consecutive frames: put NaN rows where a person was not seen.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backends.errors import InputError
from backends.metrics.align import paired
from backends.metrics.score import Score, mean_known

F8 = npt.NDArray[np.float64]

CONTACT_M = 0.01
"""A foot that truly moves less than this from one frame to the next stands (Shin et al. 2024)."""


def acceleration(points: npt.ArrayLike) -> F8:
    """(T - 2, J, 3) second differences x[t+1] - 2 x[t] + x[t-1], metres per frame squared."""
    p = np.asarray(points, dtype=np.float64)
    second: F8 = p[2:] - 2.0 * p[1:-1] + p[:-2]
    return second


def acceleration_errors_mm(estimate: npt.ArrayLike, truth: npt.ArrayLike) -> F8:
    """(T - 2, J) mm per frame squared; times ``fps**2 / 1000`` that is m/s^2."""
    e, t = paired(estimate, truth)
    error: F8 = 1e3 * np.linalg.norm(acceleration(e) - acceleration(t), axis=-1)
    return error


def acceleration_error(estimate: npt.ArrayLike, truth: npt.ArrayLike) -> Score:
    """Mean acceleration error, mm per frame squared.

    Kanazawa et al., Learning 3D human dynamics from video, CVPR 2019, section 5.
    """
    return mean_known(acceleration_errors_mm(estimate, truth))


def jerks(points: npt.ArrayLike, fps: float) -> F8:
    """(T - 3, J) length of the third difference times fps^3, m/s^3.

    Raises:
        InputError: ``fps`` is not above zero.
    """
    if not (np.isfinite(fps) and fps > 0):
        raise InputError(f"Jitter needs the frame rate, got {fps}.")
    p = np.asarray(points, dtype=np.float64)
    third = p[3:] - 3.0 * p[2:-1] + 3.0 * p[1:-2] - p[:-3]
    length: F8 = np.linalg.norm(third, axis=-1) * fps**3
    return length


def jitter(points: npt.ArrayLike, fps: float) -> Score:
    """Mean jerk of all joints, m/s^3; a property of one motion, no error.

    Flash and Hogan 1985; as a score Yi et al., TransPose, SIGGRAPH 2021, section 5.2 (there km/s^3).
    """
    return mean_known(jerks(points, fps))


def foot_slides_mm(feet: npt.ArrayLike, true_feet: npt.ArrayLike, contact_m: float = CONTACT_M) -> F8:
    """(T - 1, F) how far each foot point of the estimate moves to the next frame while the true one stands.

    World coordinates (or those of a camera that stands still), metres; millimetres per frame come out.
    NaN where the true foot moves ``contact_m`` or more, or either is not known.
    """
    e, t = paired(feet, true_feet)
    true_step = np.linalg.norm(t[1:] - t[:-1], axis=-1)
    step = 1e3 * np.linalg.norm(e[1:] - e[:-1], axis=-1)
    with np.errstate(invalid="ignore"):
        stands = true_step < contact_m
    slides: F8 = np.where(stands, step, np.nan)
    return slides


def foot_sliding(feet: npt.ArrayLike, true_feet: npt.ArrayLike, contact_m: float = CONTACT_M) -> Score:
    """Mean of :func:`foot_slides_mm`, mm per frame: Shin et al., WHAM, CVPR 2024, section 4 ("FS")."""
    return mean_known(foot_slides_mm(feet, true_feet, contact_m))
