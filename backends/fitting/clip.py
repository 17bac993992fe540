"""Fits all frames of one person's track at once, and carries corrections to neighbouring frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from backends.body import BodyParams
from backends.camera import Camera
from backends.errors import InputError
from backends.fitting.arrays import Evidence, pack_camera
from backends.fitting.clip_kernels import FOLLOWED
from backends.fitting.clip_solver import ClipProblem, ClipSystem, solve_clip
from backends.fitting.clip_start import Observation, filled, first_bodies, unwrapped
from backends.fitting.clip_types import ClipFit, ClipSettings
from backends.fitting.depth import with_depth
from backends.fitting.evidence import MIN_KEYPOINTS, N_POINTS, View, gather, weigh, weigh_bones
from backends.fitting.fitter import BodyFitter
from backends.fitting.ground import N_FEET, Contact, find_contacts
from backends.fitting.kernels import N_FIT_JOINTS, N_POSE, points_and_derivatives
from backends.fitting.liveliness import looseness
from backends.fitting.terms import project_points
from backends.fitting.types import NotEnoughKeypoints
from backends.keypoints.layout import N_KEYPOINTS

F8 = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_WIDE, _LOOSE_PX = 6.0, 2.0
_WIDE_ENOUGH = 1e-3
_FIXED_CUT = 200.0
_CONTRADICTED = 0.5


def fit_clip(
    fitter: BodyFitter,
    frames: Sequence[Observation],
    cameras: Sequence[Camera],
    *,
    fps: float,
    betas: F8 | None = None,
    init: Sequence[BodyParams | None] | None = None,
    contact: Contact | None = None,
    settings: ClipSettings | None = None,
) -> ClipFit:
    """Fit one person in all frames of a clip, with one shape.

    Frames without keypoints are bridged by their neighbours; keypoints that the motion contradicts are
    given up; keypoints that a person has placed (``Source.PERSON``) are held to a fraction of a pixel.

    Args:
        frames: what is known of each frame, a view a camera, evenly in time.
        cameras: one, and the bodies are in its coordinates; or several calibrated ones, and they are in
            the world's.
        betas: (B,) the shape, which is then not fitted.
        init: bodies to start from, in the same coordinates; by default frames are first fitted singly.
        contact: which foot stands when, and on what (world coordinates, several cameras); by default feet
            that are found to be still are held where they are (:meth:`Stretch.hold_feet`).

    Raises:
        NotEnoughKeypoints: no frame with enough keypoints.
        InputError: other numbers of views and cameras, or arrays of a wrong shape.
    """
    s = settings or ClipSettings()
    check_clip(frames, cameras, fps, init)
    views = weigh_clip(fitter, frames, s)
    start = list(init) if init is not None else first_bodies(fitter, frames, cameras, betas)
    x, bridged = filled(fitter, start)
    shape, nb = _first_shape(fitter, start, betas)
    if len(frames) > s.window and nb:
        # A long clip is fitted in windows, which need one shape: that of the first.
        short = slice(0, s.window)
        part = Stretch(fitter, frames[short], views[short], cameras, fps, s, _cut_contact(contact, short))
        shape = part.solve(x[short].copy(), shape, nb, np.zeros(s.window, np.bool_))[1]
        nb = 0
    cost, spent = 0.0, 0
    at = 0
    while True:
        part_of = slice(at, min(at + s.window, len(frames)))
        frozen = np.zeros(part_of.stop - at, np.bool_)
        frozen[: 2 if at else 0] = True
        part = Stretch(
            fitter, frames[part_of], views[part_of], cameras, fps, s, _cut_contact(contact, part_of)
        )
        x[part_of], shape, value, count = part.solve(unwrapped(x[part_of]), shape, nb, frozen)
        spent += count
        if contact is None:
            x[part_of], shape, value, count = part.hold_feet(x[part_of], shape, nb, frozen, value)
            spent += count
        cost += value
        if part_of.stop == len(frames):
            break
        at = part_of.stop - s.overlap
    return clip_result(fitter, x, shape, views, cameras, bridged, cost, spent)


class Stretch:
    """One stretch of frames, ready to be solved."""

    def __init__(
        self, fitter: BodyFitter, frames: Sequence[Observation], views: Sequence[Sequence[View]],
        cameras: Sequence[Camera], fps: float, settings: ClipSettings, contact: Contact | None,
        bone_trust: F8 | None = None,
    ) -> None:  # fmt: skip
        """``bone_trust`` (T, V, 23): shares of what bones that end in a keypoint say that still count."""
        self._fitter, self._settings, self._fps = fitter, settings, fps
        self._contact = contact or Contact.none(len(frames))
        self._single = len(cameras) == 1
        self._loose: tuple[F8, F8] | None = None
        self._done = True
        parts = []
        for frame, seen in zip(frames, views):
            told = frame.world is not None and self._single and int(seen[0].used.sum()) >= MIN_KEYPOINTS
            bones = weigh_bones(seen[0], frame.world, cameras[0], fitter.settings) if told else None
            known = gather(seen, cameras, own_axes=self._single, bones=bones, bone_cut=fitter.settings.robust)
            parts.append(with_depth(known, frame.depth) if self._single else known)
        self.evidence = _stacked(parts)
        if bone_trust is not None:
            self.evidence = _trusted(self.evidence, bone_trust)
        self._fixed = np.stack([[v.cuts >= _FIXED_CUT for v in seen] for seen in views])

    def solve(
        self, x: F8, betas: F8, nb: int, frozen: BoolArray, *, cold: bool = True, rough: bool = False
    ) -> tuple[F8, F8, float, int]:
        """Frames' unknowns, shape, cost, steps; first with wide bounds and loosely held corrections.

        ``rough`` where :meth:`hold_feet` follows.
        """
        s, f = self._settings, self._fitter
        tolerance = s.rough if rough else s.tolerance
        self._done = tolerance <= s.tolerance
        inverse = np.concatenate([f.prior.inverse_sigma, np.zeros(nb)])
        prior = f.prior._replace(mean=np.concatenate([f.prior.mean, np.zeros(nb)]), inverse_sigma=inverse)
        bounds = f.bounds(nb, in_front=self._single)
        # From the start only: what has been smoothed looks calmer than it is.
        self._loose = self._loose or self._looseness(x, betas)
        loose, turn_loose = self._loose
        spent = 0
        for wide in (True, False):
            if wide and not cold and not self._fixed.any():
                continue
            factor = _WIDE if wide and cold else 1.0
            sigma = np.where(self._fixed, _LOOSE_PX if wide else s.fixed_px, self.evidence.sigma)
            sigma = np.where(np.isfinite(self.evidence.sigma), sigma, np.inf)
            cuts = np.where(self._fixed, 0.0 if wide else _FIXED_CUT, self.evidence.cuts * factor)
            clip = self.evidence._replace(sigma=sigma, cuts=cuts, bone_cut=self.evidence.bone_cut * factor)
            problem = ClipProblem(
                body=f.arrays, clip=clip, prior=prior, settings=s, fps=self._fps, frozen=frozen,
                loose=loose, turn_loose=turn_loose, slide=self._contact.slide(s.slide_m),
                ground=self._contact.ground(s.ground_m), height=self._contact.height,
                across=self._contact.across,
            )  # fmt: skip
            system = ClipSystem(problem, nb)
            enough = _WIDE_ENOUGH if wide else tolerance
            x, betas, cost, count = solve_clip(system, x, betas, bounds, s.iterations, enough)
            spent += count
            if not np.isfinite(cost):
                raise NotEnoughKeypoints("No motion fits this clip: the body would lie behind a camera.")
        return x, betas, cost, spent

    def _looseness(self, x: F8, betas: F8) -> tuple[F8, F8]:
        """How much looser than at rest points (T, F) and angles (T, 22) are held."""
        s, fps = self._settings, self._fps
        X, room = np.empty((N_POINTS, 3)), np.empty((0, 3, 0))
        P = np.empty((len(x), len(FOLLOWED), 3))
        for t, unknowns in enumerate(x):
            points_and_derivatives(unknowns, betas, 0, self._fitter.arrays, N_POINTS, X, room, False)
            P[t] = X[FOLLOWED]
        loose = looseness(P, fps, s.calm_speed)
        angles = x[:, :N_POSE].reshape(len(x), -1, 3)
        return loose, looseness(angles, fps, s.calm_turn)

    def hold_feet(
        self, x: F8, betas: F8, nb: int, frozen: BoolArray, cost: float
    ) -> tuple[F8, F8, float, int]:
        """From what :meth:`solve` gave on: feet that are still stay where they are.

        A camera that is carried along sees no foot stand still for long; then nothing changes, but that a
        rough solution is finished.
        """
        contact = find_contacts(self._feet(x, betas), self._fps, height=None)
        if (np.minimum(contact.stands[1:], contact.stands[:-1]) > 0.0).any():
            self._contact = contact
        elif self._done:
            return x, betas, cost, 0
        return self.solve(x, betas, nb, frozen, cold=False)

    def _feet(self, x: F8, betas: F8) -> F8:
        """(T, 6, 3) the feet's keypoints."""
        X, room = np.empty((N_KEYPOINTS, 3)), np.empty((0, 3, 0))
        feet = np.empty((len(x), N_FEET, 3))
        for t, unknowns in enumerate(x):
            points_and_derivatives(unknowns, betas, 0, self._fitter.arrays, N_KEYPOINTS, X, room, False)
            feet[t] = X[-N_FEET:]
        return feet


def clip_result(
    fitter: BodyFitter, x: F8, betas: F8, views: Sequence[Sequence[View]], cameras: Sequence[Camera],
    bridged: BoolArray, cost: float, iterations: int,
) -> ClipFit:  # fmt: skip
    """What the unknowns (T, 69) of a clip mean."""
    packed = [pack_camera(c, own_axes=len(cameras) == 1) for c in cameras]
    X = np.empty((N_POINTS, 3))
    room = np.empty((0, 3, 0))
    xy = np.empty((len(x), len(cameras), N_KEYPOINTS, 2), np.float32)
    residual = np.full(xy.shape[:3], np.nan, np.float32)
    joints = np.empty((len(x), N_FIT_JOINTS, 3))
    rejected = np.zeros(len(x), np.bool_)
    for t, unknowns in enumerate(x):
        points_and_derivatives(unknowns, betas, 0, fitter.arrays, N_POINTS, X, room, False)
        joints[t] = X[N_KEYPOINTS:]
        lost = told = 0
        for v, camera in enumerate(packed):
            view = views[t][v]
            xy[t, v] = project_points(camera, X[:N_KEYPOINTS])
            away = np.linalg.norm(xy[t, v] - view.xy, axis=1)
            residual[t, v, view.used] = away[view.used]
            told += int(view.used.sum())
            lost += int((away[view.used] > view.cuts[view.used] * view.sigma[view.used]).sum())
        rejected[t] = told > 0 and lost > _CONTRADICTED * told
    params = []
    for unknowns in x:
        body = fitter.unpack(unknowns, betas, 0)
        params.append(BodyParams(body.betas, _wrapped(body.pose), body.transl))
    return ClipFit(tuple(params), xy, residual, bridged, rejected, joints, float(cost), iterations)


def weigh_clip(fitter: BodyFitter, frames: Sequence[Observation], s: ClipSettings) -> list[list[View]]:
    """Per frame and view the weighed keypoints; none used where there are none."""
    several = len(frames[0].keypoints) > 1
    share = fitter.settings.views_share if several else fitter.settings.pixel_share
    settings = replace(fitter.settings, pixel_share=share)
    nothing = View(
        np.zeros((N_KEYPOINTS, 2)), np.zeros(N_KEYPOINTS, np.bool_), np.zeros(N_KEYPOINTS),
        np.full(N_KEYPOINTS, np.inf), np.zeros(N_KEYPOINTS), 0.0,
    )  # fmt: skip
    rows = []
    for frame in frames:
        row = []
        for keypoints in frame.keypoints:
            if keypoints is None:
                row.append(nothing)
                continue
            view = weigh(keypoints, settings)
            fixed = keypoints.placed & view.used
            # Only what was placed, not what was declared hidden, is held hard.
            row.append(
                replace(
                    view, sigma=np.where(fixed, s.fixed_px, view.sigma),
                    cuts=np.where(fixed, _FIXED_CUT, np.minimum(view.cuts, fitter.settings.robust)),
                )
            )  # fmt: skip
        rows.append(row)
    return rows


def _stacked(parts: Sequence[Evidence]) -> Evidence:
    names = ("xy", "sigma", "cuts", "depth", "depth_sigma", "points", "points_sigma", "target", "frame",
             "bone_weight")  # fmt: skip
    stack: dict[str, Any] = {name: np.stack([getattr(p, name) for p in parts]) for name in names}
    return parts[0]._replace(**stack)


def _trusted(clip: Evidence, trust: F8) -> Evidence:
    """The evidence with bones worth only the share of the least trusted keypoint that they end in."""
    least = trust.min(axis=1)
    rows = np.where(clip.bones != 0.0, least[:, None, :], 1.0).min(axis=2)
    return clip._replace(bone_weight=clip.bone_weight * np.sqrt(rows)[..., None])


def check_clip(
    frames: Sequence[Observation], cameras: Sequence[Camera], fps: float,
    init: Sequence[BodyParams | None] | None,
) -> None:  # fmt: skip
    """Raises:
    InputError: numbers of views, cameras, frames and bodies that do not belong together.
    """
    if not frames or not cameras:
        raise InputError("A clip needs at least one frame and one camera.")
    if any(len(f.keypoints) != len(cameras) for f in frames):
        raise InputError(f"Each frame of this clip needs keypoints (or None) for {len(cameras)} views.")
    if init is not None and len(init) != len(frames):
        raise InputError(f"{len(frames)} frames need as many bodies to start from, got {len(init)}.")
    if not np.isfinite(fps) or fps <= 0:
        raise InputError(f"A clip needs a positive number of frames a second, got {fps}.")


def _first_shape(fitter: BodyFitter, start: Sequence[BodyParams | None], betas: F8 | None) -> tuple[F8, int]:
    n = fitter.body.n_betas
    if betas is not None:
        if betas.shape != (n,) or not np.isfinite(betas).all():
            raise InputError(f"betas need shape ({n},) and finite values, got {betas.shape}.")
        return np.ascontiguousarray(betas, np.float64), 0
    known = [p.betas for p in start if p is not None and len(p.betas) == n]
    return (np.median(known, axis=0) if known else np.zeros(n)), n


def _cut_contact(contact: Contact | None, part: slice) -> Contact | None:
    return contact.cut(part) if contact is not None else None


def _wrapped(pose: F8) -> F8:
    angle = float(np.linalg.norm(pose[0]))
    if angle > np.pi:
        turns = np.round(angle / (2 * np.pi))
        pose = pose.copy()
        pose[0] *= 1.0 - 2 * np.pi * turns / angle
    return pose
