"""Real footage from four calibrated cameras (Pose2Sim's balancing demo) against its triangulated markers:
with OpenPose's keypoints, and with our own from the videos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.cli.bench.fit_rows import Row, measured
from app.datasets.errors import DataSetError
from app.datasets.open import open_truth
from app.datasets.types import TruthSet
from app.multiview.keypoints import read_keypoints
from backends.camera import Camera
from backends.fitting import BodyFitter, ViewsFit, learn_offsets
from backends.keypoints.layout import INDEX, N_KEYPOINTS
from backends.keypoints.types import Keypoints
from backends.multiview import associate, refine_cameras, triangulate

F8 = npt.NDArray[np.float64]

_STEP = 5
_OURS_STEP = 2
_OURS_FRAMES = 40
_TAUGHT = 2


def balancing_rows(fitter: BodyFitter, folder: Path, videos: bool, check: Callable[[], object]) -> list[Row]:
    """Distance to the markers and reprojection, medians: as it is, then with what the first third of the
    frames taught, measured on the others."""
    truth = open_truth(folder)
    cameras = [c for c in (view.frame(0).camera for view in truth.views) if c is not None]
    names = [view.name for view in truth.views]
    found = read_keypoints(folder / "openpose_json", names, "auto")
    n = truth.views[0].n_frames
    people = [[[s.keypoints for s in view.get(f, [])] for view in found] for f in range(n)]
    rows = _rows("balancing, OpenPose json", fitter, truth, cameras, people, _STEP, True, check)
    if videos:
        people = _ours(truth, check)
        rows += _rows("balancing, our keypoints", fitter, truth, cameras, people, _OURS_STEP, False, check)
    return rows


def _rows(
    what: str, fitter: BodyFitter, truth: TruthSet, cameras: Sequence[Camera],
    people: Sequence[Sequence[Sequence[Keypoints]]], step: int, bounded: bool, check: Callable[[], object],
) -> list[Row]:  # fmt: skip
    """Of ``people`` by frame and view each ``step``-th; each ``_TAUGHT``-th of the first third teaches."""
    third = len(people) // 3
    frames, taught = range(0, len(people), step), range(0, third, _TAUGHT)
    late = [f for f in frames if f >= third]
    mm_bound, px_bound = (35.0, 8.0) if bounded else (None, None)

    def fit(by: BodyFitter, views: Sequence[Camera], of: Sequence[int]) -> tuple[list[F8], list[ViewsFit]]:
        """Triangulated keypoints and fits."""
        points, fits = [], []
        for f in of:
            check()
            keypoints = _one_person(people[f], views)
            points.append(triangulate(*_arrays(keypoints), views).points)
            fits.append(by.fit_views(keypoints, views))
        return points, fits

    plain = fit(fitter, cameras, frames)[1]
    mm, px, used = _measure(truth, frames, plain)
    table = [
        measured(f"{what}, {len(plain)} frames: median to the markers", mm, "mm", at_most=mm_bound),
        measured("    median reprojection", px, "px"),
        measured("    keypoints that the cameras agree on", used, "%"),
    ]
    seen = [_arrays(_one_person(people[f], cameras)) for f in taught]
    better = refine_cameras(np.stack([xy for xy, _ in seen]), np.stack([s for _, s in seen]), cameras).cameras
    for words, views in (("offsets", list(cameras)), ("offsets and cameras touched up", list(better))):
        points, first = fit(fitter, views, taught)
        offsets = learn_offsets(fitter.body, fitter.arrays, first, points)
        held_out = fit(BodyFitter(fitter.body, fitter.settings, offsets=offsets), views, late)[1]
        mm, px, used = _measure(truth, late, held_out)
        table += [
            measured(
                f"    held out, {words}, from frames before {third}: to the markers", mm, "mm",
                at_most=mm_bound,
            ),
            measured("        reprojection", px, "px", at_most=px_bound),
            measured("        keypoints that the cameras agree on", used, "%"),
        ]  # fmt: skip
    return table


def _arrays(seen: Sequence[Keypoints]) -> tuple[F8, F8]:
    """(V, 23, 2) pixels, NaN where absent, and (V, 23) scores."""
    xy = np.stack([np.where(k.visibility[:, None] > 0, k.xy, np.nan) for k in seen])
    return xy.astype(np.float64), np.stack([k.score for k in seen]).astype(np.float64)


def _measure(truth: TruthSet, frames: Sequence[int], fits: Sequence[ViewsFit]) -> tuple[float, float, float]:
    """Medians: mm to the markers, px of the keypoints that count; and how many of 100 of them do."""
    gaps = []
    for f, fit in zip(frames, fits):
        frame = truth.views[0].frame(f)
        assert frame.camera is not None
        for person in frame.people[:1]:
            known = person.points_3d[0]
            pairs = [(i, INDEX[n]) for i, n in enumerate(known.layout.joints) if n in INDEX]
            found = fit.keypoints_3d @ frame.camera.R.T + frame.camera.t
            gaps += [float(np.linalg.norm(found[k] - known.xyz[i])) for i, k in pairs]
    residual = np.stack([f.residual_px for f in fits])
    used = 100 * float(np.isfinite(residual).mean())
    return 1e3 * float(np.nanmedian(gaps)), float(np.nanmedian(residual)), used


def _one_person(found: Sequence[Sequence[Keypoints]], cameras: Sequence[Camera]) -> list[Keypoints]:
    """The keypoints of the person whom most views show; absent where a view does not."""
    none = np.zeros((0, N_KEYPOINTS, 2)), np.zeros((0, N_KEYPOINTS))
    arrays = [_arrays(people) if people else none for people in found]
    groups = associate([xy for xy, _ in arrays], [score for _, score in arrays], cameras)
    zero = np.zeros(N_KEYPOINTS)
    absent = Keypoints(
        np.zeros((N_KEYPOINTS, 2), np.float32), zero.astype(np.float32), zero.astype(np.uint8),
        zero.astype(np.uint8),
    )  # fmt: skip
    return [people[groups[0][v]] if v in groups[0] else absent for v, people in enumerate(found)]


def _ours(truth: TruthSet, check: Callable[[], object]) -> list[list[list[Keypoints]]]:
    """What the pipeline's own networks see in the videos."""
    from app.footage import open_footage
    from app.pipeline.engine import default_engine

    engine = default_engine()
    frames = range(0, min(_OURS_FRAMES, truth.views[0].n_frames), 1)
    per_view: list[list[list[Keypoints]]] = []
    for view in truth.views:
        if not isinstance(view.source, Path):
            raise DataSetError(f"The video of {view.name} is missing beside the calibration.")
        stream, found = engine.perception(), []
        with open_footage(view.source) as footage:
            for f in frames:
                check()
                found.append([p.estimate.keypoints for p in stream.step(f, footage.frame(f))])
        per_view.append(found)
    return [[found[f] for found in per_view] for f in frames]
