"""COCO's average precision and recall of keypoints, boxes and masks: an adapter to faster-coco-eval.

faster-coco-eval gives the numbers of pycocotools from a C++ core, needs numpy only, and takes other
keypoint sets than COCO's 17.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from backends.errors import InputError

F8 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class TrueInstance:
    """A true person: ``box`` (4,) x0 y0 x1 y1; ``keypoints`` (K, 3) x, y, v (0 not labelled); ``area``.

    ``ignore``: neither found nor missed counts (COCO's crowd, or people without labelled points).
    """

    box: F8
    keypoints: F8
    area: float
    ignore: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class FoundInstance:
    """A found person: ``box`` (4,), ``keypoints`` (K, 2), and a ``score`` to rank by."""

    box: F8
    keypoints: F8
    score: float


@dataclass(frozen=True, slots=True)
class AveragePrecision:
    """COCO's summary, each in [0, 1], NaN where there is nobody of that size.

    ``ap`` and ``ar`` are means over thresholds 0.50, 0.55 ... 0.95; medium is up to 96 x 96 pixels.
    """

    ap: float
    ap50: float
    ap75: float
    ap_medium: float
    ap_large: float
    ar: float
    ar50: float
    n: int

    @staticmethod
    def of_nobody(value: float, n: int) -> AveragePrecision:
        """Every share is ``value``."""
        return AveragePrecision(value, value, value, value, value, value, value, n)


def average_precision(
    images: Sequence[tuple[Sequence[TrueInstance], Sequence[FoundInstance]]],
    sigmas: npt.ArrayLike,
    measure: Literal["keypoints", "boxes"] = "keypoints",
) -> AveragePrecision:
    """Average precision over pictures (https://cocodataset.org/#keypoints-eval, at most 20 people each).

    Args:
        images: per picture who is there and who was found.
        sigmas: (K,) the keypoints' standard deviations, see :func:`pose2d.oks_sigmas`.
        measure: rank matches by OKS or by the boxes' IoU (then at most 100 people).

    Raises:
        InputError: another number of keypoints than sigmas, or a box or score that is not finite.
    """
    from faster_coco_eval import COCO, COCOeval_faster  # type: ignore[import-untyped]

    sigma = np.asarray(sigmas, np.float64)
    truths, found = _annotations(images, len(sigma))
    n = sum(not t["iscrowd"] and not t["ignore"] for t in truths)
    if not n:
        return AveragePrecision.of_nobody(float("nan"), 0)
    if not found:
        return AveragePrecision.of_nobody(0.0, n)
    dataset = {
        "info": {}, "images": [{"id": i + 1} for i in range(len(images))], "annotations": truths,
        "categories": [{"id": 1, "name": "person"}],
    }  # fmt: skip
    truth = COCO(dataset)
    keypoints = measure == "keypoints"
    evaluation = COCOeval_faster(
        truth, truth.loadRes(found), "keypoints" if keypoints else "bbox",
        kpt_oks_sigmas=sigma.tolist() if keypoints else None,
    )  # fmt: skip
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    s = np.where(np.asarray(evaluation.stats[:12], np.float64) < 0, np.nan, evaluation.stats[:12])
    if keypoints:  # AP, 50, 75, medium, large, AR, AR50 ...
        ap, ap50, ap75, medium, large, ar, ar50 = (float(v) for v in s[:7])
        return AveragePrecision(ap, ap50, ap75, medium, large, ar, ar50, n)
    # Boxes: AP, 50, 75, small, medium, large, AR at 1, 10, 100 people
    ap, ap50, ap75, _, medium, large, _, _, ar = (float(v) for v in s[:9])
    return AveragePrecision(ap, ap50, ap75, medium, large, ar, float("nan"), n)


def _annotations(
    images: Sequence[tuple[Sequence[TrueInstance], Sequence[FoundInstance]]], k: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    truths: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for i, (true_people, found_people) in enumerate(images):
        for t in true_people:
            points = np.asarray(t.keypoints, np.float64)
            _check(t.box, points.shape == (k, 3), points.shape, k)
            labelled = (points[:, 2] > 0) & np.isfinite(points[:, :2]).all(axis=1)
            points = np.where(labelled[:, None], points, 0.0)
            truths.append({
                "id": len(truths) + 1, "image_id": i + 1, "category_id": 1, "bbox": _xywh(t.box),
                "area": float(t.area), "iscrowd": int(t.ignore), "ignore": int(t.ignore),
                "keypoints": points.reshape(-1).tolist(), "num_keypoints": int(labelled.sum()),
            })  # fmt: skip
        for f in found_people:
            xy = np.asarray(f.keypoints, np.float64)
            _check(f.box, xy.shape == (k, 2), xy.shape, k)
            if not np.isfinite(f.score):
                raise InputError("A found person's score is not finite; average precision ranks by it.")
            # Far outside any picture: a point that is not known is a miss.
            xy = np.where(np.isfinite(xy).all(axis=1, keepdims=True), xy, -1e6)
            found.append({
                "image_id": i + 1, "category_id": 1, "bbox": _xywh(f.box), "score": float(f.score),
                "keypoints": np.column_stack([xy, np.ones(k)]).reshape(-1).tolist(),
            })  # fmt: skip
    return truths, found


def _check(box: F8, right: bool, shape: tuple[int, ...], k: int) -> None:
    if not right:
        raise InputError(f"Average precision was asked for {k} keypoints, got an array of shape {shape}.")
    if np.shape(box) != (4,) or not np.isfinite(box).all():
        raise InputError("A box needs four finite values x0 y0 x1 y1.")


def _xywh(box: F8) -> list[float]:
    x0, y0, x1, y1 = (float(v) for v in box)
    return [x0, y0, x1 - x0, y1 - y0]
