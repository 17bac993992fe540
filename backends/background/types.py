"""What the empty room is, and what everything that finds it has in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

_STEADY = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Plate:
    """The empty room of one picture, or of all pictures of a fixed camera.

    Attributes:
        rgb: (H, W, 3) uint8; seen: (H, W) where the background was ever seen (else it was filled in).
        seen_fraction: share of the picture that was seen.
        agreement: share of the background's edges that a typical picture has here too, in [0, 1]:
            above 0.9 from a fixed camera, about 0.3 from one in somebody's hand.
        lit: made for one picture and in its light already.
        doubted: (H, W) where the room was seen, and filled in all the same, because what was seen looks like
            somebody who was found there at other times; None: nowhere.
    """

    rgb: U1
    seen: BoolArray
    seen_fraction: float
    agreement: float = 1.0
    lit: bool = False
    doubted: BoolArray | None = None

    @property
    def steady(self) -> bool:
        """False where the camera moved: then this is no background of any picture."""
        return self.agreement >= _STEADY

    def at(self, index: int) -> Plate:
        """The room in frame ``index``: the same in every frame."""
        del index
        return self


@dataclass(frozen=True, slots=True, eq=False)
class MaskedFrame:
    """One picture and where people are in it.

    Attributes:
        index: of the frame; rgb: (H, W, 3) uint8, left as it is; hidden: (H, W) where people are or may be.
        surely: (H, W) which of these pixels surely are people, where that is known: what looks the same
            elsewhere is somebody who was not found there.
    """

    index: int
    rgb: U1
    hidden: BoolArray
    surely: BoolArray | None = None


class Inpainter(Protocol):
    """Takes people out of pictures: a fixed camera, a moving camera, or a network."""

    def rooms(self, frames: Iterable[MaskedFrame]) -> Iterator[Plate]:
        """The empty room of each picture, in order, as many as there are pictures.

        Pictures are taken from ``frames`` as they are needed: a bounded number ahead of the room that is
        given, and a bounded number is held, so memory does not depend on the length.

        Raises:
            InputError: a picture of another size than the first.
        """
        ...
