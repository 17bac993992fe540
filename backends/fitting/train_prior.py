"""Trains the pose prior: ``python -m backends.fitting.train_prior PRIOR.npz`` makes the one that ships, from
drawn people; with ``--poses POSES.npy`` one from other poses.

Expectation maximisation of a Gaussian mixture (Bishop, Pattern Recognition and Machine Learning, 9.2.2),
covariances shrunk towards their diagonal because poses of a few motions hardly fill 63 dimensions.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular

from backends.errors import InputError
from backends.fitting.mixture import N_ANGLES, PoseMixture, save_mixture
from backends.fitting.problem import pose_prior

F8 = npt.NDArray[np.float64]

_FLOOR = 0.25
"""Standard deviation, radians, that is added: no joint is ever known better from a prior."""
_ANYTHING, _ANYTHING_LEAST, _ANYTHING_SHARE = 2.0, 0.6, 0.1
"""A part that stands for poses never seen: the independent Gaussians this many times as wide, at least so
many radians, and its share. It bounds what the others can cost."""
_TRAIN_SEEDS, _HELD_SEEDS = range(48), range(1000, 1008)
_COMPONENTS = (4, 8, 12, 16)
_ENOUGH = 3.0
"""The fewest parts are taken that come within this many nats of the best on poses held out."""
_MIN_SHARE = 1e-3


def train_mixture(
    poses: npt.ArrayLike, *, components: int = 8, iterations: int = 40, seed: int = 0, mirror: bool = True
) -> PoseMixture:
    """A mixture from body poses.

    Args:
        poses: (N, 63) or (N, 21, 3) axis-angles, radians, of joints 1 to 21.
        mirror: also learn each pose mirrored left to right.

    Raises:
        InputError: another shape, values that are not finite, or fewer than five poses a component.
    """
    x = np.asarray(poses, dtype=np.float64)
    if x.ndim == 3 and x.shape[1:] == (21, 3):
        x = x.reshape(-1, N_ANGLES)
    if x.ndim != 2 or x.shape[1] != N_ANGLES:
        raise InputError(f"Body poses need shape (N, 63) or (N, 21, 3), got {x.shape}.")
    if not np.isfinite(x).all():
        raise InputError("The poses hold values that are not finite.")
    if mirror:
        x = np.concatenate([x, mirrored_poses(x)])
    if components < 1 or len(x) < 5 * components:
        raise InputError(f"{components} components need at least {5 * components} poses, got {len(x)}.")
    rng = np.random.default_rng(seed)
    share = _first_shares(x, components, rng)
    previous = -np.inf
    for _ in range(iterations):
        mixture = _maximised(x, share)
        parts = _log_parts(mixture, x)
        top = parts.max(axis=0)
        total = top + np.log(np.exp(parts - top).sum(axis=0))
        share = np.exp(parts - total)
        if total.mean() - previous < 1e-4:
            break
        previous = float(total.mean())
    return mixture


def mirrored_poses(poses: F8) -> F8:
    """(N, 63) poses seen in a mirror: left and right change places, turns about y and z change sign."""
    from backends.body.skeleton import JOINT_NAMES

    names = JOINT_NAMES[1:22]

    def other(name: str) -> str:
        if name.startswith("left_"):
            return "right_" + name[5:]
        return "left_" + name[6:] if name.startswith("right_") else name

    swap = [names.index(other(n)) for n in names]
    turned: F8 = (poses.reshape(-1, 21, 3)[:, swap] * [1.0, -1.0, -1.0]).reshape(-1, N_ANGLES)
    return turned


def _first_shares(x: F8, components: int, rng: np.random.Generator) -> F8:
    """(C, N) by k-means++ centres, each pose to its nearest."""
    centres = [x[rng.integers(len(x))]]
    for _ in range(components - 1):
        away = np.min([((x - c) ** 2).sum(axis=1) for c in centres], axis=0)
        centres.append(x[rng.choice(len(x), p=away / away.sum())] if away.sum() > 0 else x[0])
    nearest = np.argmin([((x - c) ** 2).sum(axis=1) for c in centres], axis=0)
    share: F8 = np.eye(components)[nearest].T * 0.9 + 0.1 / components
    return share


def _maximised(x: F8, share: F8) -> PoseMixture:
    mass = share.sum(axis=1) + _MIN_SHARE * len(x)
    means = share @ x / share.sum(axis=1)[:, None]
    factors = np.empty((len(share), N_ANGLES, N_ANGLES))
    for c, (s, mean) in enumerate(zip(share, means)):
        d = x - mean
        count = float(s.sum())
        covariance = (d * s[:, None]).T @ d / count
        pull = N_ANGLES / (N_ANGLES + count)
        covariance = (1 - pull) * covariance + pull * np.diag(np.diag(covariance))
        covariance[np.diag_indices(N_ANGLES)] += _FLOOR**2
        L = np.linalg.cholesky(covariance)
        inverse = solve_triangular(L, np.eye(N_ANGLES), lower=True)
        factors[c] = np.linalg.cholesky(inverse.T @ inverse)
    return PoseMixture(mass / mass.sum(), means, factors)


def _log_parts(mixture: PoseMixture, x: F8) -> F8:
    parts = np.empty((len(mixture.weights), len(x)))
    for c, (weight, mean, factor) in enumerate(zip(mixture.weights, mixture.means, mixture.factors)):
        z = (x - mean) @ factor
        parts[c] = np.log(weight) + np.log(np.diag(factor)).sum() - 0.5 * (z * z).sum(axis=1)
    log: F8 = parts - 0.5 * N_ANGLES * np.log(2 * np.pi)
    return log


def with_anything(mixture: PoseMixture) -> PoseMixture:
    """The mixture and a broad part for poses that it was not trained on."""
    mean, inverse = pose_prior()
    spread = np.maximum(_ANYTHING / inverse[3:], _ANYTHING_LEAST)
    return PoseMixture(
        np.append(mixture.weights * (1.0 - _ANYTHING_SHARE), _ANYTHING_SHARE),
        np.vstack([mixture.means, mean[3:]]),
        np.concatenate([mixture.factors, np.diag(1.0 / spread)[None]]),
    )


def train_on_drawn(say: Callable[[str], object] = print) -> PoseMixture:
    """The mixture that ships: trained on drawn people, its size chosen on others. A few minutes."""
    from backends.fitting.prior_poses import sample_poses

    poses, held = sample_poses(_TRAIN_SEEDS), sample_poses(_HELD_SEEDS)
    tried = [train_mixture(poses, components=n) for n in _COMPONENTS]
    density = [float(mixture.log_density(held).mean()) for mixture in tried]
    for n, value in zip(_COMPONENTS, density):
        say(f"{n} components: log density {value:.2f} of {len(held)} poses held out")
    chosen = next(i for i, value in enumerate(density) if value > max(density) - _ENOUGH)
    return with_anything(tried[chosen])


def main() -> None:
    """Train on drawn people or on poses from a file, and write the prior."""
    parser = argparse.ArgumentParser(description="Train the pose prior.")
    parser.add_argument("prior", type=Path, help=".npz to write")
    parser.add_argument("--poses", type=Path, help=".npy of axis-angles (N, 63) or (N, 21, 3), radians")
    parser.add_argument("--components", type=int, default=8, help="of a prior from --poses")
    arguments = parser.parse_args()
    if arguments.poses is None:
        mixture = train_on_drawn()
    else:
        try:
            poses = np.load(arguments.poses, allow_pickle=False)
        except (OSError, ValueError) as error:
            parser.error(f"{arguments.poses.name} is no array of poses: {error}")
        mixture = with_anything(train_mixture(poses, components=arguments.components))
    save_mixture(arguments.prior, mixture)
    print(f"{arguments.prior.name}: {len(mixture.weights)} components")


if __name__ == "__main__":
    main()
