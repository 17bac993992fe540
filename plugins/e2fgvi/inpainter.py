"""Fills the contract of :class:`backends.background.Inpainter` with a network that looks at many frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt
import torch

from backends.background import MaskedFrame, Plate
from backends.errors import InputError
from plugins.e2fgvi.load import load_network

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]

NEIGHBOURS = 5
"""Every so many frames the network is asked, about these frames and as many before and after."""
REFERENCE = 10
"""Of the other frames every so many-th is shown to it too."""
REACH = 50
"""The authors show it frames of the whole video; here those this near, so that any length fits in memory."""
WIDTH, HEIGHT = 432, 240
_MULTIPLE_W, _MULTIPLE_H = 108, 60


class Network(Protocol):
    """What the authors' network takes and gives."""

    def __call__(self, frames: torch.Tensor, n_local: int) -> tuple[torch.Tensor, Any]:
        """From (1, T, 3, H, W) in [-1, 1], people grey, local frames first, to (n_local, 3, H, W)."""
        ...


def open_inpainter(code: Path, weights: Path) -> E2FGVI:
    """The network from a copy of the authors' repository and a checkpoint of theirs.

    Raises:
        WeightsError: one of them is missing, damaged or not what it should be.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return E2FGVI(load_network(code, weights).to(device), device=device)


class E2FGVI:
    """Paints what is behind people.

    Args:
        network: see :class:`Network`; size: (width, height) at which it works, the other way round for
            upright video; device: where it lives.
    """

    def __init__(
        self, network: Network, *, size: tuple[int, int] = (WIDTH, HEIGHT), device: str = "cpu"
    ) -> None:
        self._network, self._wide, self._device = network, size, device
        self._size = size

    def rooms(self, frames: Iterable[MaskedFrame]) -> Iterator[Plate]:
        """See :class:`backends.background.Inpainter`. What is painted counts as never seen.

        Raises:
            InputError: pictures of several sizes, or the network gave another shape than it should.
        """
        held: list[MaskedFrame] = []
        inputs: dict[int, tuple[F4, F4]] = {}
        painted: dict[int, F4] = {}
        source = iter(frames)
        given, ended, middle, first = 0, False, 0, 0
        while not ended or first < given:
            while not ended and given <= middle + max(REACH, NEIGHBOURS):
                frame = next(source, None)
                if frame is None:
                    ended = True
                    break
                if held and frame.rgb.shape != held[-1].rgb.shape:
                    raise InputError(f"frame {frame.index} is {frame.rgb.shape}, not {held[-1].rgb.shape}")
                if not given:
                    upright = frame.rgb.shape[0] > frame.rgb.shape[1]
                    self._size = self._wide[::-1] if upright else self._wide
                held.append(frame)
                inputs[given] = self._input(frame)
                given += 1
            if middle < given:
                self._ask(middle, given, inputs, painted)
            middle += NEIGHBOURS
            done = given if middle >= given and ended else min(middle - NEIGHBOURS, given)
            while first < done:
                yield _room(held.pop(0), painted.pop(first))
                first += 1
            for old in [k for k in inputs if k < middle - REACH - NEIGHBOURS]:
                del inputs[old]

    def _ask(self, middle: int, given: int, inputs: dict[int, tuple[F4, F4]], painted: dict[int, F4]) -> None:
        """Paint the frames about ``middle``; where a frame was painted before, both count half."""
        local = list(range(max(middle - NEIGHBOURS, 0), min(middle + NEIGHBOURS + 1, given)))
        far = range(max(middle - REACH, 0), min(middle + REACH + 1, given))
        references = [k for k in far if k % REFERENCE == 0 and k not in local]
        pictures = np.stack([inputs[k][0] * (1 - inputs[k][1]) for k in [*local, *references]])
        tensor = torch.from_numpy(_padded(pictures)).to(self._device)[None]
        with torch.inference_mode():
            found, _ = self._network(tensor, len(local))
        width, height = self._size
        if found.ndim != 4 or found.shape[0] < len(local) or found.shape[1] != 3:
            raise InputError(f"the network gave {tuple(found.shape)} for {len(local)} frames")
        values = found[: len(local), :, :height, :width].float().cpu().numpy()
        for k, value in zip(local, values):
            if k in painted:
                painted[k] = 0.5 * painted[k] + 0.5 * value
            else:
                painted[k] = value

    def _input(self, frame: MaskedFrame) -> tuple[F4, F4]:
        """(3, h, w) in [-1, 1] and (1, h, w) 1 where people are, at the network's size."""
        small = cv2.resize(frame.rgb, self._size, interpolation=cv2.INTER_AREA)
        mask = cv2.resize(frame.hidden.astype(np.float32), self._size, interpolation=cv2.INTER_AREA) > 0
        picture = np.asarray(small, np.float32).transpose(2, 0, 1) / 127.5 - 1
        return picture, mask[None].astype(np.float32)


def _padded(pictures: F4) -> F4:
    """(T, 3, h, w) mirrored at the bottom and the right to the multiples that the network works in."""
    h, w = pictures.shape[2:]
    return np.pad(pictures, ((0, 0), (0, 0), (0, -h % _MULTIPLE_H), (0, -w % _MULTIPLE_W)), mode="symmetric")


def _room(frame: MaskedFrame, painted: F4) -> Plate:
    height, width = frame.hidden.shape
    picture = np.clip((painted.transpose(1, 2, 0) + 1) * 127.5 + 0.5, 0, 255).astype(np.uint8)
    large = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    rgb = np.where(frame.hidden[..., None], large, frame.rgb)
    return Plate(rgb, ~frame.hidden, float(1 - frame.hidden.mean()), lit=True)
