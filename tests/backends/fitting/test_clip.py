"""All frames of a clip at once, and corrections carried to neighbouring frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from backends.body import BodyParams, load_body, posed_keypoints
from backends.errors import InputError
from backends.fitting import (
    BodyFitter,
    ClipSettings,
    NotEnoughKeypoints,
    Observation,
    find_contacts,
    fit_clip,
    foot_slide_mm,
    propagate,
)
from backends.fitting.arrays import pack_camera
from backends.fitting.clip_kernels import N_FRAME
from backends.fitting.clip_solver import ClipProblem, ClipSystem
from backends.fitting.ground import Contact
from backends.fitting.liveliness import looseness
from backends.fitting.terms import project_points
from backends.fitting.trial import (
    aligned_errors_mm,
    body_joints,
    random_motion,
    ring_of_cameras,
    seen_keypoints,
    seen_world,
    to_camera,
)

BODY = load_body()
FITTER = BodyFitter(BODY)
CAMERAS = ring_of_cameras(4)
CAMERA = CAMERAS[0]
FPS = 25.0


def clip_of(seed: int, frames: int = 40, noise: float = 3.0) -> tuple[list[BodyParams], list[Observation]]:
    """The truth in camera coordinates, and what is seen of it."""
    rng = np.random.default_rng(seed)
    motion = random_motion(BODY, rng, frames, FPS)
    truth = [to_camera(BODY, p, CAMERA) for p in motion.params]
    seen = [
        Observation((seen_keypoints(BODY, p, CAMERA, rng, noise),), seen_world(BODY, p, CAMERA, rng))
        for p in motion.params
    ]
    return truth, seen


def joints_of(bodies: list[BodyParams]) -> np.ndarray:
    return np.stack([body_joints(BODY, b) for b in bodies])


def pa(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean([aligned_errors_mm(a, b).mean() for a, b in zip(found, truth)]))


def jitter(found: np.ndarray, truth: np.ndarray) -> float:
    """Mean error of acceleration, mm a frame squared."""
    return 1e3 * float(np.linalg.norm(np.diff(found, 2, axis=0) - np.diff(truth, 2, axis=0), axis=2).mean())


def single_frames(seen: list[Observation]) -> list[BodyParams]:
    bodies: list[BodyParams] = []
    for o in seen:
        last = bodies[-1] if bodies else None
        bodies.append(FITTER.fit(o.keypoints[0], o.world, CAMERA, init=last, temporal=last).params)
    return bodies


def test_a_clip_is_more_exact_and_far_calmer_than_single_frames(capsys: pytest.CaptureFixture[str]) -> None:
    rows = []
    for seed in range(3):
        truth, seen = clip_of(seed)
        true = joints_of(truth)
        single = joints_of(single_frames(seen))
        clip = fit_clip(FITTER, seen, [CAMERA], fps=FPS)
        rows.append(
            (pa(single, true), pa(clip.joints, true), jitter(single, true), jitter(clip.joints, true))
        )
        assert not clip.bridged.any()
        assert not clip.rejected.any()
        assert len({p.betas.tobytes() for p in clip.params}) == 1
    a, b, c, d = np.mean(rows, axis=0)
    with capsys.disabled():
        print(
            f"\n  motion, 3 px, one camera: PA-MPJPE {a:.1f} mm single, {b:.1f} as a clip; jitter "
            f"{c:.1f} mm, {d:.1f}"
        )
    assert b < a
    assert d < 0.5 * c


def test_several_cameras_and_a_clip() -> None:
    rng = np.random.default_rng(5)
    motion = random_motion(BODY, rng, 20, FPS)
    seen = [Observation(tuple(seen_keypoints(BODY, p, c, rng, 3.0) for c in CAMERAS)) for p in motion.params]
    seen[7] = Observation((None, None, None, seen[7].keypoints[3]))
    true = joints_of(list(motion.params))
    single = joints_of(
        [FITTER.fit_views(list(o.keypoints), CAMERAS).params for i, o in enumerate(seen) if i != 7]
    )
    clip = fit_clip(FITTER, seen, CAMERAS, fps=FPS)
    away = 1e3 * np.linalg.norm(clip.joints - true, axis=2)
    assert away.mean() < 1e3 * np.linalg.norm(single - np.delete(true, 7, axis=0), axis=2).mean()
    assert away[7].mean() < 20
    assert clip.reprojected_xy.shape == (20, 4, 23, 2)


def test_gaps_are_bridged_and_outlier_frames_given_up() -> None:
    truth, seen = clip_of(6)
    true = joints_of(truth)
    for t in range(12, 18):
        seen[t] = Observation((None,))
    wrong = seen[25].keypoints[0]
    assert wrong is not None
    wrong.xy[:] = wrong.xy[::-1] + np.array([180, 40], np.float32)
    seen[25] = Observation((wrong,))
    clip = fit_clip(FITTER, seen, [CAMERA], fps=FPS)
    assert clip.bridged[12:18].all()
    assert clip.bridged.sum() == 6
    assert clip.rejected[25]
    assert clip.rejected.sum() == 1
    assert pa(clip.joints[12:18], true[12:18]) < 40
    assert pa(clip.joints[25:26], true[25:26]) < 40


def test_a_long_clip_in_windows_is_smooth_across_them() -> None:
    truth, seen = clip_of(7, 60)
    whole = fit_clip(FITTER, seen, [CAMERA], fps=FPS)
    windows = fit_clip(FITTER, seen, [CAMERA], fps=FPS, settings=ClipSettings(window=30, overlap=8))
    true = joints_of(truth)
    assert pa(windows.joints, true) < pa(whole.joints, true) + 4
    assert jitter(windows.joints, true) < 2 * jitter(whole.joints, true)


def test_without_a_third_dimension() -> None:
    truth, seen = clip_of(1)
    clip = fit_clip(FITTER, [Observation(o.keypoints) for o in seen], [CAMERA], fps=FPS)
    assert pa(clip.joints, joints_of(truth)) < 45


def test_keypoints_that_a_person_placed_stay_put() -> None:
    truth, seen = clip_of(8)
    placed = {}
    for t in (10, 20, 21):
        xy = project_points(pack_camera(CAMERA, own_axes=True), posed_keypoints(BODY, truth[t]))
        k = seen[t].keypoints[0]
        for i in (9, 10, 15):
            k = k.moved(i, (float(xy[i, 0]), float(xy[i, 1])))
            placed[t, i] = xy[i]
        seen[t] = Observation((k,), seen[t].world)
    clip = fit_clip(FITTER, seen, [CAMERA], fps=FPS)
    gaps = [np.linalg.norm(clip.reprojected_xy[t, 0, i] - xy) for (t, i), xy in placed.items()]
    assert max(gaps) < 1.0


def spoiled_wrist(seed: int) -> tuple[list[BodyParams], list[Observation], list[BodyParams]]:
    """A clip whose left wrist the estimator puts elsewhere for 16 frames, and its fit."""
    truth, seen = clip_of(seed, noise=1.5)
    for t in range(12, 28):
        seen[t].keypoints[0].xy[9] += [70, -50]
        seen[t].world[9] = np.nan
    return truth, seen, list(fit_clip(FITTER, seen, [CAMERA], fps=FPS).params)


def test_a_correction_is_carried_to_its_neighbours_and_moves_nothing_that_was_fixed() -> None:
    truth, seen, bodies = spoiled_wrist(9)
    camera = pack_camera(CAMERA, own_axes=True)
    true = np.stack([project_points(camera, posed_keypoints(BODY, b)) for b in truth])
    for t in (16, 22):
        k = seen[t].keypoints[0].moved(9, tuple(true[t, 9]))
        seen[t] = Observation((k,), seen[t].world)
        fit = FITTER.fit(k, seen[t].world, CAMERA, betas=bodies[t].betas, init=bodies[t])
        bodies[t] = fit.params
    before = np.stack([project_points(camera, posed_keypoints(BODY, b)) for b in bodies])
    result = propagate(FITTER, seen, [CAMERA], bodies, {16, 22, 39}, 10, 30, fps=FPS)
    assert len(result.params) == 21
    for t in (16, 22):
        assert result.params[t - 10] is bodies[t]
        assert np.linalg.norm(result.reprojected_xy[t - 10, 0, 9] - before[t, 9]) < 1.0
    between = range(17, 22)
    gap = [np.linalg.norm(result.reprojected_xy[t - 10, 0, 9] - true[t, 9]) for t in between]
    old = [np.linalg.norm(before[t, 9] - true[t, 9]) for t in between]
    assert np.mean(gap) < 0.4 * np.mean(old)
    assert np.mean(gap) < 15
    ankles = np.abs(result.reprojected_xy[:, 0, 15:17] - before[10:31, 15:17])
    assert ankles.max() < 8


def test_propagation_refuses_what_makes_no_sense() -> None:
    _, seen, bodies = spoiled_wrist(9)
    with pytest.raises(InputError, match="range"):
        propagate(FITTER, seen, [CAMERA], bodies, [5], 3, 99, fps=FPS)
    with pytest.raises(InputError, match="corrected"):
        propagate(FITTER, seen, [CAMERA], bodies, [5], 8, 12, fps=FPS)
    with pytest.raises(InputError, match="bodies"):
        propagate(FITTER, seen, [CAMERA], bodies[:5], [5], 3, 9, fps=FPS)
    with pytest.raises(InputError, match="no body"):
        propagate(FITTER, seen, [CAMERA], [None, *bodies[1:]], [0], 0, 9, fps=FPS)


def test_clips_that_cannot_be_fitted_are_said_plainly() -> None:
    _, seen = clip_of(1, 5)
    with pytest.raises(NotEnoughKeypoints, match="No frame"):
        fit_clip(FITTER, [Observation((None,))] * 4, [CAMERA], fps=FPS)
    with pytest.raises(InputError, match="views"):
        fit_clip(FITTER, seen, CAMERAS, fps=FPS)
    with pytest.raises(InputError, match="frames a second"):
        fit_clip(FITTER, seen, [CAMERA], fps=float("nan"))
    with pytest.raises(InputError, match="at least one"):
        fit_clip(FITTER, [], [CAMERA], fps=FPS)


def test_derivatives_between_frames_agree_with_differences() -> None:
    rng = np.random.default_rng(11)
    truth, seen = clip_of(2, 6)
    from backends.fitting.clip import Stretch, weigh_clip

    settings = ClipSettings(acceleration_cut=1.0)
    stretch = Stretch(FITTER, seen, weigh_clip(FITTER, seen, settings), [CAMERA], FPS, settings, None)
    stands = rng.uniform(0.1, 1, (6, 6))
    contact = Contact(stands, height=0.4)
    prior = FITTER.prior._replace(
        mean=np.append(FITTER.prior.mean, np.zeros(10)),
        inverse_sigma=np.append(FITTER.prior.inverse_sigma, np.zeros(10)),
    )
    x = np.stack([FITTER.pack(b, 0) for b in truth]) + rng.normal(0, 0.05, (6, N_FRAME))
    betas = rng.normal(0, 0.5, 10)
    h = 1e-6
    for some_frozen in (False, True):
        frozen = np.zeros(6, np.bool_)
        frozen[1] = some_frozen
        problem = ClipProblem(
            FITTER.arrays, stretch.evidence, prior, settings, FPS, frozen, rng.uniform(1, 3, (6, 22)),
            rng.uniform(1, 3, (6, 22)), contact.slide(0.01),
            contact.ground(0.02), contact.height, contact.across,
        )  # fmt: skip
        system = ClipSystem(problem, 10)
        system.cost(x, betas, True)
        gradient, pull = system.gradient.copy(), system.shape_gradient.copy()
        for _ in range(12):
            d = rng.normal(size=x.shape)
            d[frozen] = 0.0
            numeric = (system.cost(x + h * d, betas, False) - system.cost(x - h * d, betas, False)) / (2 * h)
            assert (gradient * d).sum() == pytest.approx(numeric, rel=1e-5)
        if not some_frozen:  # frozen frames have a given shape
            e = rng.normal(size=10)
            numeric = (system.cost(x, betas + h * e, False) - system.cost(x, betas - h * e, False)) / (2 * h)
            assert pull @ e == pytest.approx(numeric, rel=1e-4)


def test_standing_feet_do_not_slide() -> None:
    rng = np.random.default_rng(12)
    motion = random_motion(BODY, rng, 24, FPS)
    base = motion.params[0]
    still = [
        BodyParams(
            base.betas, np.concatenate([base.pose[:12], p.pose[12:]]), base.transl
        )
        for p in motion.params
    ]  # fmt: skip
    true_feet = np.stack([posed_keypoints(BODY, p)[17:] for p in still])
    floor = float(true_feet[..., 2].min())
    near = ring_of_cameras(16)[:2]
    seen = [Observation(tuple(seen_keypoints(BODY, p, c, rng, 4.0) for c in near)) for p in still]
    free = fit_clip(FITTER, seen, near, fps=FPS, contact=Contact.none(len(seen)))
    feet = np.stack([posed_keypoints(BODY, p)[17:] for p in free.params])
    contact = find_contacts(feet, FPS, height=None)
    assert contact.stands.mean() > 0.8
    held = fit_clip(FITTER, seen, near, fps=FPS, init=list(free.params), contact=contact)
    held_feet = np.stack([posed_keypoints(BODY, p)[17:] for p in held.params])
    assert foot_slide_mm(held_feet, contact.stands) < 0.5 * foot_slide_mm(feet, contact.stands)
    grounded = Contact((true_feet[..., 2] < floor + 0.02).astype(float), floor)
    on_floor = fit_clip(FITTER, seen, near, fps=FPS, init=list(free.params), contact=grounded)
    heights = np.stack([posed_keypoints(BODY, p)[17:, 2] for p in on_floor.params])
    down = grounded.stands > 0
    assert np.abs(heights - floor)[down].mean() < 0.7 * np.abs(feet[..., 2] - floor)[down].mean()


def test_feet_seen_by_one_camera_stay_where_they_stand() -> None:
    rng = np.random.default_rng(14)
    motion = random_motion(BODY, rng, 30, FPS)
    base = motion.params[0]
    world = [
        BodyParams(base.betas, np.concatenate([base.pose[:12], p.pose[12:]]), base.transl)
        for p in motion.params
    ]  # fmt: skip
    truth = [to_camera(BODY, p, CAMERA) for p in world]
    seen = [
        Observation((seen_keypoints(BODY, p, CAMERA, rng, 3.0),), seen_world(BODY, p, CAMERA, rng))
        for p in world
    ]
    free = fit_clip(FITTER, seen, [CAMERA], fps=FPS, contact=Contact.none(len(seen)))
    held = fit_clip(FITTER, seen, [CAMERA], fps=FPS, init=list(free.params))

    def slide(params: Sequence[BodyParams]) -> float:
        return foot_slide_mm(np.stack([posed_keypoints(BODY, p)[17:] for p in params]), np.ones((30, 6)))

    def error(params: Sequence[BodyParams]) -> float:
        gaps = [aligned_errors_mm(body_joints(BODY, a), body_joints(BODY, b)) for a, b in zip(params, truth)]
        return float(np.mean(gaps))

    assert slide(held.params) < 0.5 * slide(free.params)
    assert error(held.params) < error(free.params) + 0.5


def test_feet_that_pass_through_the_air_do_not_stand() -> None:
    feet = np.zeros((50, 6, 3))
    t = np.arange(50) / FPS
    feet[..., 0] = 0.2 * np.sin(2 * np.pi * 2.0 * t)[:, None]  # still for a moment at each turn
    contact = find_contacts(feet, FPS, height=None)
    assert contact.stands[5:-5].max() == 0.0


def test_quick_arms_are_followed() -> None:
    """Somebody who does jumping jacks: arms from the sides to overhead and back, quickly."""
    rng = np.random.default_rng(15)
    base = random_motion(BODY, rng, 5, FPS).params[0]
    world = []
    for t in np.arange(50) / FPS:
        pose = base.pose.copy()
        up = 0.5 - 0.5 * np.cos(2 * np.pi * 1.6 * t)
        for side, sign in ((16, 1.0), (17, -1.0)):
            pose[side] = [0.0, 0.0, sign * (-1.0 + 2.2 * up)]
            pose[side + 2] = [0.0, -0.2 * sign, 0.0]
        world.append(BodyParams(base.betas, pose, base.transl))
    seen = [
        Observation((seen_keypoints(BODY, p, CAMERA, rng, 2.0),), seen_world(BODY, p, CAMERA, rng))
        for p in world
    ]
    clip = fit_clip(FITTER, seen, [CAMERA], fps=FPS)
    size = np.mean([np.hypot(*np.ptp(o.keypoints[0].xy, axis=0)) for o in seen if o.keypoints[0]])
    found = np.nanpercentile(clip.residual_px[:, 0, 9:11], 90)
    assert found < 0.04 * size
    still = replace(ClipSettings(), calm_speed=1e3, calm_turn=1e3)
    held = fit_clip(FITTER, seen, [CAMERA], fps=FPS, settings=still)
    assert np.nanpercentile(held.residual_px[:, 0, 9:11], 90) > 1.5 * found


def test_a_jump_to_and_fro_is_no_quick_movement() -> None:
    points = np.zeros((40, 1, 3))
    points[20:22, 0, 0] = 1.0  # a keypoint gone astray for two frames
    assert looseness(points, FPS, 1.0).max() == 1.0
    points[:, 0, 0] = 0.1 * np.arange(40)  # 2.5 m/s
    assert looseness(points, FPS, 1.0)[5:-5] == pytest.approx(2.5, rel=0.01)
    assert looseness(points[:2], FPS, 1.0).tolist() == [[1.0], [1.0]]


def test_contacts_are_found_where_feet_are_still_and_low() -> None:
    feet = np.zeros((30, 6, 3))
    feet[10:20, :3, 0] = np.linspace(0, 0.8, 10)[:, None]
    feet[20:, :3, 0] = 0.8
    feet[:, 3:, 2] = 0.5
    contact = find_contacts(feet, FPS, height=0.0)
    assert contact.stands[2:8, :3].min() == 1.0
    assert contact.stands[12:18, :3].max() == 0.0
    assert contact.stands[:, 3:].max() == 0.0
    with pytest.raises(InputError, match="Feet"):
        find_contacts(feet[:, :4], FPS)
    assert np.isnan(foot_slide_mm(feet, np.zeros((30, 6))))
