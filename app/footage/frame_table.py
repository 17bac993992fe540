"""The table of frames of a video: one pass over its packets, without decoding."""

from __future__ import annotations

from dataclasses import dataclass

import av
import numpy as np
import numpy.typing as npt

from app.errors import FootageError

MAX_FRAMES = 20_000_000
"""A week at 30 frames a second; more is a damaged or hostile file."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameTable:
    """Where every frame is.

    Attributes:
        pts: (N,) int64, sorted presentation time stamps of the frames that are shown.
        key_pts, key_dts: (K,) int64 time stamps of the keyframes, sorted by pts, hidden ones included:
            a seek goes to a keyframe's **dts**, which is what demuxers index by.
    """

    pts: npt.NDArray[np.int64]
    key_pts: npt.NDArray[np.int64]
    key_dts: npt.NDArray[np.int64]

    def keyframe_for(self, pts: int) -> int:
        """Index of the last keyframe at or before ``pts``; -1 where there is none."""
        return int(np.searchsorted(self.key_pts, pts, side="right")) - 1


def read_frame_table(container: av.container.InputContainer, stream: av.VideoStream, name: str) -> FrameTable:
    """Demux the whole file once.

    Packets without any time stamp are dropped; where only dts exists it stands for pts, as in AVI
    without B-frames. A demuxing error ends the table there: what comes before is still good.

    Raises:
        FootageError: where there is no frame at all, or an absurd number.
    """
    shown: list[int] = []
    keys: list[tuple[int, int]] = []
    try:
        for packet in container.demux(stream):
            if packet.size == 0:
                continue
            pts = packet.pts if packet.pts is not None else packet.dts
            if pts is None:
                continue
            if packet.is_keyframe:
                keys.append((pts, packet.dts if packet.dts is not None else pts))
            if not packet.is_discard:
                shown.append(pts)
            if len(shown) > MAX_FRAMES:
                raise FootageError(f"{name} says it has more than {MAX_FRAMES} frames. It is damaged.")
    except (av.FFmpegError, MemoryError):
        pass
    if not shown:
        raise FootageError(f"{name} holds no picture. It may be damaged, or hold sound only.")
    keys.sort()
    table = np.array(keys or [(shown[0], shown[0])], dtype=np.int64)
    return FrameTable(np.unique(np.array(shown, dtype=np.int64)), table[:, 0].copy(), table[:, 1].copy())
