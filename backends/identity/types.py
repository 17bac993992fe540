"""What every network that tells people apart is: pictures in, unit vectors out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]

Subject = Literal["face", "person"]


class Embedder(Protocol):
    """Turns pictures of people into vectors; the same person's lie close to each other.

    Attributes:
        name: what it is called in reports.
        subject: "face": pictures are faces, aligned by :func:`backends.identity.chips.face_chip`; "person":
            cut out of the picture by :func:`backends.identity.chips.person_crop`.
        size: (height, width) of the pictures that it takes, pixels.
    """

    name: str
    subject: Subject
    size: tuple[int, int]

    def embed(self, pictures: Sequence[U1]) -> F4:
        """(N, D) a vector of length 1 for each picture (H, W, 3), RGB.

        Raises:
            InputError: a picture of another size or type.
        """
        ...
