"""Square tiles over a picture, so that small people fill enough of the detector's input."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tile:
    """A square of the picture, pixels; it may reach beyond the border."""

    x0: float
    y0: float
    side: float


def _starts(length: float, side: float, overlap: float) -> list[float]:
    if side >= length:
        return [(length - side) / 2]
    n = max(2, -(-int(length - side * overlap) // max(1, int(side * (1 - overlap)))))
    return [i * (length - side) / (n - 1) for i in range(n)]


def make_tiles(
    width: int, height: int, scales: tuple[float, ...] = (1.0, 2.0, 3.0), overlap: float = 0.3
) -> list[Tile]:
    """The whole picture as one square, then finer and finer tiles.

    Args:
        scales: how many times smaller than the picture's longer side a tile is.
        overlap: share of a tile's side that neighbours have in common, at least.
    """
    tiles = []
    for scale in scales:
        side = max(width, height) / scale
        for y in _starts(height, side, overlap):
            tiles += [Tile(x, y, side) for x in _starts(width, side, overlap)]
    return tiles
