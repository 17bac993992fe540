"""Faces in a picture, by two detectors that know nothing of bodies: CenterFace and BlazeFace.

They take no part in finding people; they audit what others found, and count how many faces can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from backends.detection.tiles import Tile, make_tiles
from backends.errors import InputError
from backends.litert import Network
from backends.onnx import PictureNetwork

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """``box`` (4,) x0 y0 x1 y1 pixels; ``score`` in [0, 1]."""

    box: F4
    score: float


class CenterFace:
    """CenterFace (Xu et al. 2019) on the whole picture at one scale. Threads may share it."""

    def __init__(self, path: Path) -> None:
        """Load.

        Raises:
            WeightsError: missing, damaged, or another network.
        """
        # The fourth output, eyes, nose and mouth, is of no use here.
        self._network = PictureNetwork(path, ("537", "538", "539"), "centerface")

    def detect(self, image: U1, threshold: float = 0.5, scale: float = 1.0) -> list[Face]:
        """Faces of (H, W, 3) uint8 RGB, best first; ``scale`` enlarges the picture before the search."""
        _check(image)
        h, w = image.shape[:2]
        width, height = (int(np.ceil(side * scale / 32) * 32) for side in (w, h))
        picture = cv2.dnn.blobFromImage(image, 1.0, (width, height), (0, 0, 0), swapRB=False)
        heat, size, offset = self._network.run(np.asarray(picture, np.float32))
        rows, columns = np.nonzero(heat[0, 0] > threshold)
        if not len(rows):
            return []
        sh, sw = 4 * np.exp(size[0][:, rows, columns])
        dy, dx = offset[0][:, rows, columns]
        x, y = 4 * (columns + dx + 0.5), 4 * (rows + dy + 0.5)
        boxes = np.stack([x - sw / 2, y - sh / 2, x + sw / 2, y + sh / 2], axis=1)
        boxes *= np.array([w / width, h / height, w / width, h / height])
        return best_of(boxes.astype(np.float32), heat[0, 0, rows, columns].astype(np.float32))


_SIZE = 192
_GRID = 48


class FullRangeFace:
    """BlazeFace for the full range of distances (Bazarevsky et al. 2019), on tiles at several scales."""

    def __init__(self, path: Path, *, threads: int = 2) -> None:
        n = _GRID * _GRID
        self._network = Network(path, input_size=_SIZE, outputs=((1, n, 16), (1, n, 1)), threads=threads)
        y, x = np.mgrid[0:_GRID, 0:_GRID]
        self._anchors = ((np.stack([x, y], -1).reshape(-1, 2) + 0.5) / _GRID).astype(np.float32)

    def detect(
        self, image: U1, threshold: float = 0.6, scales: tuple[float, ...] = (1.0, 2.0, 3.0)
    ) -> list[Face]:
        """Faces of (H, W, 3) uint8 RGB, best first."""
        _check(image)
        h, w = image.shape[:2]
        found = [self._in_tile(image, tile, threshold) for tile in make_tiles(w, h, scales)]
        boxes = np.concatenate([b for b, _ in found])
        return best_of(boxes, np.concatenate([s for _, s in found]))

    def _in_tile(self, image: U1, tile: Tile, threshold: float) -> tuple[F4, F4]:
        scale = _SIZE / tile.side
        matrix = np.array([[scale, 0.0, -tile.x0 * scale], [0.0, scale, -tile.y0 * scale]])
        crop = cv2.warpAffine(image, matrix, (_SIZE, _SIZE), flags=cv2.INTER_AREA)
        raw, logits = self._network.run(crop.astype(np.float32) * (2.0 / 255.0) - 1.0)
        score = 1 / (1 + np.exp(-np.clip(logits[:, 0], -60, 60)))
        good = np.flatnonzero(score >= threshold)
        centre = raw[good, :2] / _SIZE + self._anchors[good]
        half = raw[good, 2:4] / (2 * _SIZE)
        boxes = np.concatenate([centre - half, centre + half], axis=1) * tile.side
        boxes += np.array([tile.x0, tile.y0, tile.x0, tile.y0])
        return boxes.astype(np.float32), score[good].astype(np.float32)


def best_of(boxes: F4, scores: F4, threshold: float = 0.35) -> list[Face]:
    """Faces of which no better one overlaps by more than ``threshold`` (IoU, or share of the smaller box)."""
    kept: list[Face] = []
    for i in np.argsort(-scores):
        if np.isfinite(boxes[i]).all() and all(_overlap(boxes[i], k.box) < threshold for k in kept):
            kept.append(Face(boxes[i], float(scores[i])))
    return kept


def _overlap(a: F4, b: F4) -> float:
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    areas = (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])
    both = w * h
    return float(max(both / (sum(areas) - both), 0.6 * both / max(min(areas), 1e-6)))


def _check(image: U1) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or min(image.shape[:2]) < 8:
        raise InputError(f"faces are looked for in (H, W, 3) uint8 pictures, got {image.shape} {image.dtype}")
