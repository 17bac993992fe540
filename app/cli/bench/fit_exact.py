"""How exact fits are where the truth is known: single frames, clips, several cameras, and how well they
know it themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from app.cli.bench.fit_data import Sight, Watched, unoccluded
from app.cli.bench.fit_rows import Row, measured
from backends.body import BodyModel, BodyParams, posed_vertices
from backends.body.skeleton import JOINT_INDEX, JOINT_NAMES
from backends.camera import Camera
from backends.fitting import BodyFitter, NotEnoughKeypoints, Observation, fit_clip
from backends.fitting.arrays import pack_camera
from backends.fitting.hands import HandBender
from backends.fitting.kernels import N_FIT_JOINTS
from backends.fitting.posterior import aligned_error, inside_ellipsoid
from backends.fitting.terms import project_points
from backends.fitting.trial import aligned_errors_mm, body_joints
from backends.multiview import triangulate
from backends.synthetic import PersonTruth

F8 = npt.NDArray[np.float64]

_SIDES = ("left", "right")
_WRISTS = [JOINT_INDEX[f"{side}_wrist"] for side in _SIDES]
_SHARE = 0.9
_VIEWS_NOISE_PX = 2.0
_ONE_VIEW_NOISE = 0.010
"""Noise of keypoints in the calibration of one view, share of the person's size: what the fit assumes."""


def single_frames(fitter: BodyFitter, scenes: Sequence[Watched], check: Callable[[], object]) -> list[Row]:
    """PA-MPJPE of unoccluded people, each frame and camera by itself, from true pixels."""
    rng = np.random.default_rng(1)
    flat: list[float] = []
    lifted: list[float] = []
    for sight, camera in _unoccluded(scenes):
        check()
        for found, world in ((flat, None), (lifted, sight.landmarks(camera, rng))):
            result = fitter.fit(sight.keypoints(), world, camera)
            found.append(aligned_mm(fitter.body, result.params, sight.truth))
    of = f", {len(flat)} unoccluded"
    return [
        measured(f"one camera, true 2D{of}: PA-MPJPE", np.mean(flat), "mm", at_most=45.0),
        measured("    with landmarks (3 cm, 6 cm in depth): PA-MPJPE", np.mean(lifted), "mm"),
    ]


def clips(fitter: BodyFitter, scenes: Sequence[Watched], check: Callable[[], object]) -> list[Row]:
    """The same on whole clips, frame by frame and all frames at once; jitter: mean acceleration of joints
    beyond the true one."""
    errors: dict[str, list[float]] = {"frames": [], "clip": []}
    jitter: dict[str, list[float]] = {"frames": [], "clip": []}
    for watched, sights in unoccluded(scenes, check):
        camera = watched.cameras[0]
        truth = np.stack([s.truth.joints[:N_FIT_JOINTS] for s in sights])
        kps = [s.keypoints() for s in sights]
        alone = [fitter.fit(k, None, camera).params for k in kps]
        whole = fit_clip(fitter, [Observation((k,)) for k in kps], [camera], fps=watched.fps)
        for kind, found in (("frames", alone), ("clip", whole.params)):
            joints = np.stack([body_joints(fitter.body, p) for p in found])
            errors[kind] += [float(aligned_errors_mm(a, b).mean()) for a, b in zip(joints, truth)]
            jitter[kind].append(trembling(joints, truth, watched.fps))
    if not errors["clip"]:
        return []
    ratio = float(np.mean(jitter["clip"]) / np.mean(jitter["frames"]))
    of = f", {len(errors['clip'])} frames"
    return [
        measured(f"clip, true 2D{of}: PA-MPJPE", np.mean(errors["clip"]), "mm", at_most=40.0),
        measured("    the same frames singly: PA-MPJPE", np.mean(errors["frames"]), "mm"),
        measured("    jitter as a share of that of single frames", ratio, "", at_most=0.5),
    ]


def views(fitter: BodyFitter, scenes: Sequence[Watched], check: Callable[[], object]) -> list[Row]:
    """MPJPE and PVE in world coordinates from all cameras at once, and whether ellipsoids hold the truth."""
    rng = np.random.default_rng(2)
    joints, vertices, bent, skin, inside, told = [], [], [], [], [], []
    hands = _hand_vertices(fitter.body)
    bender = HandBender(fitter.body)
    for watched in scenes:
        first = watched.cameras[0]
        for person in watched.people:
            check()
            for sights in person:
                kps = [s.keypoints(rng, _VIEWS_NOISE_PX) for s in sights]
                try:
                    result = fitter.fit_views(kps, watched.cameras)
                except NotEnoughKeypoints:
                    continue
                person_there = sights[0].truth
                truth = (person_there.joints[:N_FIT_JOINTS] - first.t) @ first.R
                body = (posed_vertices(fitter.body, person_there.params) - first.t) @ first.R
                away = 1e3 * np.linalg.norm(posed_vertices(fitter.body, result.params) - body, axis=1)
                there = {s: (bender.points(person_there.params, s) - first.t) @ first.R for s in _SIDES}
                left, right = (_hand_in_space(there[s], watched, rng) for s in _SIDES)
                held = bender.bend_to_points(result.params, left, right)
                bent.append(1e3 * np.linalg.norm(posed_vertices(fitter.body, held) - body, axis=1).mean())
                pose = result.params.pose.copy()
                pose[_WRISTS] = person_there.params.pose[_WRISTS]
                turned = posed_vertices(fitter.body, replace(result.params, pose=pose))
                told.append(1e3 * np.linalg.norm(turned - body, axis=1).mean())
                joints.append(1e3 * np.linalg.norm(result.joints_3d - truth, axis=1).mean())
                vertices.append(away.mean())
                skin.append(away[~hands].mean())
                inside.append(
                    inside_ellipsoid(1e3 * (result.joints_3d - truth), result.joint_covariance_mm2, _SHARE)
                )
    share = 100 * float(np.mean(inside))
    n = f"{len(scenes[0].cameras)} cameras, 2 px noise, {len(joints)} people"
    return [
        measured(f"{n}: MPJPE", np.mean(joints), "mm", at_most=12.0),
        measured("    PVE, 23 keypoints and 21 of each hand", np.mean(bent), "mm", at_most=18.0),
        measured("    PVE, 23 keypoints alone, which do not tell hands", np.mean(vertices), "mm"),
        measured("    the same with the true angles of the wrists", np.mean(told), "mm"),
        measured("    PVE without what hangs on the wrists", np.mean(skin), "mm"),
        measured("    90 % ellipsoids hold", share, "%", at_least=85.0, at_most=95.0),
    ]


def _hand_in_space(points: F8, watched: Watched, rng: np.random.Generator) -> F8:
    """(21, 3) a hand's points, world, as the cameras see them with noise."""
    xy = np.stack([project_points(pack_camera(c), points) for c in watched.cameras])
    xy += rng.normal(0.0, _VIEWS_NOISE_PX, xy.shape)
    sizes = np.array([[c.width - 1, c.height - 1] for c in watched.cameras])[:, None]
    inside = np.asarray(((xy > 0) & (xy < sizes)).all(axis=2))
    return triangulate(np.where(inside[..., None], xy, np.nan), inside.astype(float), watched.cameras).points


def calibration(fitter: BodyFitter, scenes: Sequence[Watched], check: Callable[[], object]) -> list[Row]:
    """Whether the 90 % ellipsoids of one view hold 90 % of the true joints, after alignment."""
    rng = np.random.default_rng(3)
    rows = []
    for what, lifted in (("with landmarks", True), ("pixels only", False)):
        inside = []
        for sight, camera in _unoccluded(scenes):
            check()
            size = float(np.hypot(*np.ptp(sight.xy, axis=0)))
            kp = sight.keypoints(rng, _ONE_VIEW_NOISE * size)
            result = fitter.fit(kp, sight.landmarks(camera, rng) if lifted else None, camera)
            variance = np.trace(result.joint_covariance_mm2, axis1=1, axis2=2) / 1e6
            truth = sight.truth.joints[:N_FIT_JOINTS]
            away = aligned_error(body_joints(fitter.body, result.params), truth, variance)
            inside.append(inside_ellipsoid(1e3 * away, result.joint_covariance_mm2, _SHARE))
        held = 100 * float(np.mean(inside))
        rows.append(
            measured(f"one camera, {what}: 90 % ellipsoids hold", held, "%", at_least=85.0, at_most=95.0)
        )
    return rows


def unoccluded_with_cameras(scenes: Sequence[Watched]) -> list[tuple[Sight, Camera]]:
    """Everybody whom nothing hides, with the camera that sees them."""
    return list(_unoccluded(scenes))


def aligned_mm(body: BodyModel, params: BodyParams, truth: PersonTruth) -> float:
    """PA-MPJPE of one body."""
    return float(aligned_errors_mm(body_joints(body, params), truth.joints[:N_FIT_JOINTS]).mean())


def _unoccluded(scenes: Sequence[Watched]) -> Iterator[tuple[Sight, Camera]]:
    for watched in scenes:
        for person in watched.people:
            for sights in person:
                yield from ((s, c) for s, c in zip(sights, watched.cameras) if s.unoccluded)


def trembling(joints: F8, truth: F8, fps: float) -> float:
    """Mean length of the second difference of (found - true) in m/s^2."""
    bent = np.diff(joints - truth, n=2, axis=0) * fps * fps
    return float(np.linalg.norm(bent, axis=2).mean())


def _hand_vertices(body: BodyModel) -> npt.NDArray[np.bool_]:
    wrists = [j for j, name in enumerate(JOINT_NAMES) if name.endswith("wrist") or name[-1].isdigit()]
    wrists = [j for j in wrists if not JOINT_NAMES[j].startswith("spine")]
    return np.isin(body.part_of_vertex, wrists)
