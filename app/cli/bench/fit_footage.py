"""Real footage from four calibrated cameras (Pose2Sim's balancing demo) against its triangulated markers:
with OpenPose's keypoints, and with our own from the videos."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.cli.bench.fit_rows import Row, measured
from app.datasets.errors import DataSetError
from app.datasets.open import open_truth
from app.datasets.types import TruthSet
from backends.camera import Camera
from backends.fitting import BodyFitter, ViewsFit, learn_offsets
from backends.keypoints.layout import INDEX, N_KEYPOINTS
from backends.keypoints.types import Keypoints
from backends.multiview import associate, triangulate

F8 = npt.NDArray[np.float64]

_BODY_25B = [*range(17), *range(19, 25)]
"""BODY_25B has COCO's 17, neck, top of the head, and the feet in our order."""
_STEP = 5
_OURS_STEP = 2
_OURS_FRAMES = 40


def balancing_rows(fitter: BodyFitter, folder: Path, videos: bool, check: Callable[[], object]) -> list[Row]:
    """Distance to the markers and reprojection, medians; then with the estimator's offsets learnt."""
    truth = open_truth(folder)
    cameras = [c for c in (view.frame(0).camera for view in truth.views) if c is not None]
    frames = range(0, truth.views[0].n_frames, _STEP)
    people = [[_openpose(folder, v, f) for v in range(len(cameras))] for f in frames]
    rows = _rows("balancing, OpenPose json", fitter, truth, cameras, frames, people, True, check)
    if videos:
        ours, people = _ours(truth, check)
        rows += _rows("balancing, our keypoints", fitter, truth, cameras, ours, people, False, check)
    return rows


def _rows(
    what: str, fitter: BodyFitter, truth: TruthSet, cameras: Sequence[Camera], frames: Sequence[int],
    people: Sequence[Sequence[F8]], bounded: bool, check: Callable[[], object],
) -> list[Row]:  # fmt: skip
    seen = [_one_person(found, cameras) for found in people]
    first = []
    for keypoints in seen:
        check()
        first.append(fitter.fit_views(keypoints, cameras))
    points = [
        triangulate(
            np.stack([np.where(k.visibility[:, None] > 0, k.xy, np.nan) for k in s]),
            np.stack([k.score for k in s]), cameras,
        ).points
        for s in seen
    ]  # fmt: skip
    offsets = learn_offsets(fitter.body, fitter.arrays, first, points)
    learnt = BodyFitter(fitter.body, fitter.settings, offsets=offsets)
    second = [learnt.fit_views(s, cameras) for s in seen]
    (mm, px), (mm2, px2) = (_measure(truth, frames, fits) for fits in (first, second))
    mm_bound, px_bound = (35.0, 8.0) if bounded else (None, None)
    return [
        measured(f"{what}, {len(first)} frames: median to the markers", mm, "mm", at_most=mm_bound),
        measured("    median reprojection", px, "px"),
        measured("    to the markers, the estimator's offsets learnt", mm2, "mm", at_most=mm_bound),
        measured("    reprojection, the estimator's offsets learnt", px2, "px", at_most=px_bound),
    ]


def _measure(truth: TruthSet, frames: Sequence[int], fits: Sequence[ViewsFit]) -> tuple[float, float]:
    gaps = []
    for f, fit in zip(frames, fits):
        frame = truth.views[0].frame(f)
        assert frame.camera is not None
        for person in frame.people[:1]:
            known = person.points_3d[0]
            pairs = [(i, INDEX[n]) for i, n in enumerate(known.layout.joints) if n in INDEX]
            found = fit.keypoints_3d @ frame.camera.R.T + frame.camera.t
            gaps += [float(np.linalg.norm(found[k] - known.xyz[i])) for i, k in pairs]
    return 1e3 * float(np.nanmedian(gaps)), float(np.nanmedian([f.residual_px for f in fits]))


def _one_person(found: Sequence[F8], cameras: Sequence[Camera]) -> list[Keypoints]:
    """The keypoints of the person whom most views show; absent where a view does not."""
    groups = associate([p[..., :2] for p in found], [np.nan_to_num(p[..., 2]) for p in found], cameras)
    result = []
    for v, people in enumerate(found):
        p = people[groups[0][v]] if v in groups[0] else np.full((N_KEYPOINTS, 3), np.nan)
        there = np.isfinite(p).all(axis=1)
        score = np.nan_to_num(p[:, 2]).clip(0.0, 1.0).astype(np.float32)
        result.append(
            Keypoints(
                np.nan_to_num(p[:, :2]).astype(np.float32), score, np.where(there, 2, 0).astype(np.uint8),
                np.zeros(N_KEYPOINTS, np.uint8),
            )
        )  # fmt: skip
    return result


def _openpose(folder: Path, view: int, frame: int) -> F8:
    """(P, 23, 3) x, y, score of OpenPose's people; NaN where a keypoint was not found.

    Raises:
        DataSetError: the file is missing or is no OpenPose json.
    """
    name = f"cam{view + 1:02d}"
    path = folder / "openpose_json" / name / f"{name}.{frame:04d}.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        rows = [np.array(p["pose_keypoints_2d"], dtype=np.float64).reshape(25, 3) for p in data["people"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataSetError(f"{path.name} is missing or is no OpenPose json of BODY_25B: {error}") from error
    found = np.stack([r[_BODY_25B] for r in rows]) if rows else np.zeros((0, N_KEYPOINTS, 3))
    found[found[..., 2] <= 0] = np.nan
    return found


def _ours(truth: TruthSet, check: Callable[[], object]) -> tuple[Sequence[int], list[list[F8]]]:
    """What the pipeline's own networks see in the videos."""
    from app.footage import open_footage
    from app.pipeline.engine import default_engine

    engine = default_engine()
    frames = range(0, min(_OURS_FRAMES, truth.views[0].n_frames), 1)
    per_view: list[list[F8]] = []
    for view in truth.views:
        if not isinstance(view.source, Path):
            raise DataSetError(f"The video of {view.name} is missing beside the calibration.")
        stream, found = engine.perception(), []
        with open_footage(view.source) as footage:
            for f in frames:
                check()
                keypoints = [p.estimate.keypoints for p in stream.step(f, footage.frame(f))]
                rows = [
                    np.where(
                        k.visibility[:, None] > 0, np.column_stack([k.xy, k.score]).astype(np.float64), np.nan
                    )
                    for k in keypoints
                ]
                found.append(np.stack(rows) if rows else np.zeros((0, N_KEYPOINTS, 3)))
        per_view.append(found)
    chosen = frames[::_OURS_STEP]
    return chosen, [[found[f] for found in per_view] for f in chosen]
