"""A white sheet for figures of papers: text, panels, colour bars."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from app.errors import StorageError
from backends.confidence import confidence_rgb

U1 = npt.NDArray[np.uint8]
Color = tuple[int, int, int]

INK: Final[Color] = (28, 35, 45)
GREY: Final[Color] = (93, 104, 120)
RULE: Final[Color] = (216, 222, 230)
Side = Literal["left", "middle", "right"]


class Figure:
    """White pixels to draw on; places are pixels from the top left.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
    """

    def __init__(self, width: int, height: int) -> None:
        self.pixels: U1 = np.full((height, width, 3), 255, np.uint8)

    def text(
        self, words: str, x: float, y: float, size: int, *, color: Color = INK, weight: int = 400,
        side: Side = "left",
    ) -> None:  # fmt: skip
        """One line with its baseline at ``y``; ``x`` is the side of it that ``side`` names."""
        face = cv2.FontFace("sans")
        if side != "left":
            _, _, wide, _ = cv2.getTextSize((0, 0), words, (0, 0), face, size, weight)
            x -= wide if side == "right" else wide / 2
        cv2.putText(self.pixels, words, (round(x), round(y)), color, face, size, weight)

    def picture(self, image: U1, x: int, y: int, width: int, height: int) -> None:
        """A picture scaled to a place."""
        grows = width > image.shape[1]
        scaled = cv2.resize(
            image, (width, height), interpolation=cv2.INTER_CUBIC if grows else cv2.INTER_AREA
        )
        self.pixels[y : y + height, x : x + width] = scaled

    def ring(self, x: float, y: float, radius: int) -> None:
        """A white ring with a dark rim, that can be seen on every colour."""
        middle = (round(x), round(y))
        cv2.circle(self.pixels, middle, radius, INK, 4, cv2.LINE_AA)
        cv2.circle(self.pixels, middle, radius, (255, 255, 255), 2, cv2.LINE_AA)

    def frame(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """A white frame with a dark rim."""
        corners = (round(x0), round(y0)), (round(x1), round(y1))
        cv2.rectangle(self.pixels, *corners, INK, 5)
        cv2.rectangle(self.pixels, *corners, (255, 255, 255), 2)

    def bar(self, x: int, y: int, width: int, tolerance: float, unit: str) -> None:
        """The colours of confidence from 0 to twice the tolerance, with ticks below."""
        values = np.linspace(0.0, 2.0 * tolerance, width)
        self.pixels[y : y + 16, x : x + width] = confidence_rgb(values, tolerance)[None]
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            at = x + share * (width - 1)
            cv2.line(self.pixels, (round(at), y + 16), (round(at), y + 22), GREY, 1)
            more = "≥ " if share == 1.0 else ""
            words = f"{more}{2 * tolerance * share:.3g} {unit if share == 1.0 else ''}".strip()
            side: Side = "left" if share == 0.0 else "right" if share == 1.0 else "middle"
            self.text(words, at, y + 40, 16, color=GREY, side=side)

    def save(self, path: Path) -> None:
        """Write as png or jpg, by ``path``'s ending.

        Raises:
            StorageError: it cannot be written.
        """
        beside = path.with_name(f".{path.name}.part")
        try:
            ok, data = cv2.imencode(path.suffix, cv2.cvtColor(self.pixels, cv2.COLOR_RGB2BGR))
        except cv2.error as error:
            raise StorageError(
                f"{path.name}: pictures are written as .png or .jpg; choose such a name."
            ) from error
        try:
            if not ok:
                raise OSError("the picture cannot be encoded")
            beside.write_bytes(data.tobytes())
            beside.replace(path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise StorageError(f"{path.name} cannot be written: {error.strerror or error}.") from error
