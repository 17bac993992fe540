"""BlazePose's person detector (Bazarevsky et al., BlazePose, 2020) on any square of a picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from backends.detection.tiles import Tile
from backends.detection.types import Region
from backends.litert import Network

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]

SIZE = 224
_N_ANCHORS = 2254
_MIN_RADIUS = 0.06
"""Share of a tile's side; what is smaller is no body, and a finer tile finds it if it is."""
_GRIDS = ((28, 2), (14, 2), (7, 6))


def _anchors() -> F4:
    """(2254, 2) centres of the anchors, as shares of the input's side."""
    rows = []
    for grid, per_cell in _GRIDS:
        y, x = np.mgrid[0:grid, 0:grid]
        centres = np.stack([(x + 0.5) / grid, (y + 0.5) / grid], axis=-1).reshape(-1, 1, 2)
        rows.append(np.repeat(centres, per_cell, axis=1).reshape(-1, 2))
    return np.concatenate(rows).astype(np.float32)


class PersonDetector:
    """Finds people in squares of a picture."""

    def __init__(self, path: Path, *, threads: int = 2) -> None:
        self._network = Network(
            path, input_size=SIZE, outputs=((1, _N_ANCHORS, 12), (1, _N_ANCHORS, 1)), threads=threads
        )
        self._anchors = _anchors()

    def detect(self, image: U1, tile: Tile, threshold: float) -> list[Region]:
        """People in one tile of ``image`` (H, W, 3) RGB, not yet freed of doubles; pixels of the picture."""
        scale = SIZE / tile.side
        matrix = np.array([[scale, 0.0, -tile.x0 * scale], [0.0, scale, -tile.y0 * scale]])
        source = image
        stride = int(tile.side / SIZE / 1.4)
        if stride > 1:  # far larger than the input: a copy of every n-th pixel is enough to find a person
            x0, y0 = max(0, int(tile.x0)), max(0, int(tile.y0))
            x1, y1 = int(tile.x0 + tile.side) + 1, int(tile.y0 + tile.side) + 1
            source = np.ascontiguousarray(image[y0:y1:stride, x0:x1:stride])
            matrix = np.array(
                [
                    [scale * stride, 0.0, (x0 - tile.x0) * scale],
                    [0.0, scale * stride, (y0 - tile.y0) * scale],
                ]
            )
        crop = cv2.warpAffine(source, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR)
        raw, logits = self._network.run(crop.astype(np.float32) * (2.0 / 255.0) - 1.0)
        logit = float(np.log(threshold / (1.0 - threshold)))
        scores = logits[:, 0]
        good = np.flatnonzero(np.nan_to_num(scores, nan=-100.0) >= logit)
        if good.size == 0:
            return []
        points = raw[good].reshape(-1, 6, 2) / SIZE
        centre, up = points[:, 2] + self._anchors[good], points[:, 3] + self._anchors[good]
        heads = points[:, 0] + self._anchors[good]
        origin = np.array([tile.x0, tile.y0])
        probability = 1.0 / (1.0 + np.exp(-np.clip(scores[good], -60, 60)))
        regions = [
            Region(
                c.astype(np.float64) * tile.side + origin,
                u.astype(np.float64) * tile.side + origin,
                float(p),
                h.astype(np.float64) * tile.side + origin,
            )
            for c, u, p, h in zip(centre, up, probability, heads)
        ]
        return [r for r in regions if np.isfinite(r.centre).all() and r.radius > _MIN_RADIUS * tile.side]
