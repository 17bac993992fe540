"""Pictures in rows and columns on one dark sheet, with titles and times: contact sheets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from app.errors import StorageError

U1 = npt.NDArray[np.uint8]

CELL_W: Final = 560
GAP: Final = 14
MARGIN: Final = 28
HEAD: Final = 92
BACK, TEXT, DIM = (18, 21, 26), (231, 234, 240), (152, 162, 179)


class PictureSheet:
    """A sheet with named columns, filled row by row.

    Attributes:
        pixels: (H, W, 3) uint8 RGB, to be drawn on; foot: where the space under the rows begins, pixels.
    """

    def __init__(self, columns: Sequence[str], rows: int, aspect: float, foot: int = MARGIN) -> None:
        """``aspect``: height over width of the cells; ``foot``: pixels under the rows."""
        self.cell_h = round(CELL_W * aspect)
        width = 2 * MARGIN + len(columns) * CELL_W + (len(columns) - 1) * GAP
        self.foot = HEAD + rows * (self.cell_h + GAP)
        self.pixels: U1 = np.empty((self.foot + foot, width, 3), np.uint8)
        self.pixels[:] = BACK
        for column, title in enumerate(columns):
            self.write(title, MARGIN + column * (CELL_W + GAP), HEAD - 24, 21, TEXT, 600)

    def write(
        self, text: str, x: int, y: int, size: int, color: tuple[int, int, int], weight: int = 400
    ) -> None:
        """Text with its baseline's start at (x, y)."""
        cv2.putText(self.pixels, text, (x, y), color, cv2.FontFace("sans"), size, weight)

    def row(self, number: int, cells: Sequence[U1], label: str) -> None:
        """Put pictures (scaled to the cells) into a row, and ``label`` over the first."""
        y = HEAD + number * (self.cell_h + GAP)
        for column, cell in enumerate(cells):
            x = MARGIN + column * (CELL_W + GAP)
            small = cv2.resize(cell, (CELL_W, self.cell_h), interpolation=cv2.INTER_AREA)
            self.pixels[y : y + self.cell_h, x : x + CELL_W] = small
        wide = 24 + 9 * len(label)
        self.pixels[y : y + 30, MARGIN : MARGIN + wide] = BACK
        self.write(label, MARGIN + 12, y + 21, 15, TEXT)

    def save(self, path: Path) -> None:
        """Write the sheet as png or jpg, by ``path``'s ending.

        Raises:
            StorageError: it cannot be written.
        """
        if path.suffix.lower() not in (".jpg", ".jpeg", ".png"):
            raise StorageError(f"{path.name} cannot be written: choose a name that ends in .jpg or .png.")
        ok, data = cv2.imencode(path.suffix, cv2.cvtColor(self.pixels, cv2.COLOR_RGB2BGR))
        beside = path.with_name(f".{path.name}.part")
        try:
            if not ok:
                raise OSError("the picture cannot be encoded")
            beside.write_bytes(data.tobytes())
            beside.replace(path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise StorageError(f"{path.name} cannot be written: {error.strerror or error}.") from error
