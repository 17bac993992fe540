"""A density of human poses: a small Gaussian mixture over the 63 angles of the body's 21 joints."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backends.errors import InputError, WeightsError

F8 = npt.NDArray[np.float64]

N_ANGLES = 63
_KEYS = ("weights", "means", "factors")
_MAX_BYTES = 5_000_000
_SHIPPED = Path(__file__).resolve().parents[2] / "resources" / "bodies" / "pose_prior.npz"


@dataclass(frozen=True, slots=True, eq=False)
class PoseMixture:
    """Gaussians over body poses (axis-angles, radians, joints 1 to 21 flattened).

    Attributes:
        weights: (C,) positive, adding up to one.
        means: (C, 63).
        factors: (C, 63, 63) lower Cholesky factors of the precisions (inverse covariances).
    """

    weights: F8
    means: F8
    factors: F8

    def __post_init__(self) -> None:
        c = len(self.weights)
        shapes = (self.weights.shape, self.means.shape, self.factors.shape)
        if c == 0 or shapes != ((c,), (c, N_ANGLES), (c, N_ANGLES, N_ANGLES)):
            raise InputError(f"A pose mixture needs (C,), (C, 63) and (C, 63, 63), got {shapes}.")
        if not all(np.isfinite(a).all() for a in (self.weights, self.means, self.factors)):
            raise InputError("The pose mixture holds values that are not finite.")
        if (self.weights <= 0).any() or (np.diagonal(self.factors, axis1=1, axis2=2) <= 0).any():
            raise InputError("The pose mixture holds weights or factors that are not positive.")

    def kernel_arrays(self) -> tuple[F8, F8, F8]:
        """Log weights with log determinants (C,), relative to the likeliest; means; precisions."""
        log = np.log(self.weights) + np.log(np.diagonal(self.factors, axis1=1, axis2=2)).sum(axis=1)
        precision = self.factors @ self.factors.transpose(0, 2, 1)
        return log - log.max(), np.ascontiguousarray(self.means), np.ascontiguousarray(precision)

    def log_density(self, poses: npt.ArrayLike) -> F8:
        """(N,) log density of body poses (N, 63).

        Raises:
            InputError: another shape.
        """
        x = np.asarray(poses, dtype=np.float64)
        if x.ndim != 2 or x.shape[1] != N_ANGLES:
            raise InputError(f"Body poses need shape (N, 63), got {x.shape}.")
        parts = np.empty((len(self.weights), len(x)))
        for c, (weight, mean, factor) in enumerate(zip(self.weights, self.means, self.factors)):
            z = (x - mean) @ factor
            norm = np.log(np.diag(factor)).sum() - 0.5 * N_ANGLES * np.log(2 * np.pi)
            parts[c] = np.log(weight) + norm - 0.5 * (z * z).sum(axis=1)
        top = parts.max(axis=0)
        density: F8 = top + np.log(np.exp(parts - top).sum(axis=0))
        return density


def save_mixture(path: Path, mixture: PoseMixture) -> None:
    """Write a mixture as ``.npz``; the factors' lower triangles as float32 (8 components: 70 kB)."""
    rows, cols = np.tril_indices(N_ANGLES)
    np.savez_compressed(
        path,
        weights=mixture.weights,
        means=mixture.means.astype(np.float32),
        factors=mixture.factors[:, rows, cols].astype(np.float32),
    )


def load_mixture(path: Path) -> PoseMixture:
    """Read a mixture that :func:`save_mixture` wrote.

    Raises:
        WeightsError: missing, damaged, or no pose mixture.
    """
    if not path.is_file():
        raise WeightsError(f"The pose prior {path.name} is not there.")
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(i.file_size for i in archive.infolist()) > _MAX_BYTES:
                raise WeightsError(f"{path.name} unpacks to more than 5 MB; that is no pose prior.")
        with np.load(path, allow_pickle=False) as data:
            weights, means, lower = (np.asarray(data[k], dtype=np.float64) for k in _KEYS)
        rows, cols = np.tril_indices(N_ANGLES)
        factors = np.zeros((len(lower), N_ANGLES, N_ANGLES))
        factors[:, rows, cols] = lower
        return PoseMixture(weights, means, factors)
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile, InputError) as error:
        raise WeightsError(f"{path.name} is no pose prior, or it is damaged: {error}") from error


@cache
def shipped_mixture() -> PoseMixture:
    """The density of poses that comes with the program (:mod:`backends.fitting.train_prior`).

    Raises:
        WeightsError: the file is missing or damaged.
    """
    return load_mixture(_SHIPPED)
