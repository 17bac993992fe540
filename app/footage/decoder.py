"""Decoding exactly the frame that was asked for.

Seeking by time or by frame number lands on a neighbour in many files. Here a frame is found by
its presentation time stamp: seek to the dts of the keyframe before it, decode until the stamp
is the one wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import Colorspace, VideoReformatter

from app.errors import FootageError
from app.footage.dicom_file import is_dicom, read_pixels_table
from app.footage.dicom_video import VideoInside
from app.footage.frame_table import FrameTable

Image = npt.NDArray[np.uint8]

_HD_HEIGHT = 720
_LISTS = frozenset({"hls", "concat", "dash", "imf"})
_ALONE = {"protocol_whitelist": "file"}
_NOT_A_VIDEO = (
    "{name} is not a video that can be read. It may be damaged or not fully copied; "
    "copy it again, or convert it to mp4."
)
_KNOWN_SPACES = {int(space) for space in Colorspace}


def open_container(path: Path) -> av.container.InputContainer:
    """Open a file, or the video stream inside a DICOM file, for reading, with errors in plain words.

    Nothing but that file is read: a play list reaches neither other files nor the network.

    Raises:
        FootageError: when it does not exist, may not be read or is no video.
    """
    try:
        source = VideoInside(path, read_pixels_table(path)) if is_dicom(path) else str(path)
        container = av.open(source, mode="r", metadata_errors="ignore", options=_ALONE)
    except FileNotFoundError as error:
        raise FootageError(f"There is no file {path.name} in that folder. Check the path.") from error
    except PermissionError as error:
        raise FootageError(f"{path.name} may not be read. Ask for the right to read it.") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise FootageError(_NOT_A_VIDEO.format(name=path.name)) from error
    if container.format.name in _LISTS:
        container.close()
        raise FootageError(f"{path.name} is a list of other files. Choose the videos themselves.")
    return container


def video_stream(container: av.container.InputContainer, name: str) -> av.VideoStream:
    """The first real video stream (cover pictures in sound files do not count).

    Raises:
        FootageError: where there is none.
    """
    streams = [s for s in container.streams.video if not _is_cover(s)]
    if not streams:
        if container.streams.audio:
            raise FootageError(f"{name} holds sound only. Choose a file with a video track.")
        raise FootageError(_NOT_A_VIDEO.format(name=name))  # noise that passed for some format
    stream = streams[0]
    if stream.codec_context is None:  # cut off before it says how it is coded
        raise FootageError(_NOT_A_VIDEO.format(name=name))
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = 2
    return stream


def _is_cover(stream: av.VideoStream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


class Decoder:
    """One open file with a position; not safe to share between threads."""

    def __init__(self, path: Path, table: FrameTable) -> None:
        self._name = path.name
        self._table = table
        self._container = open_container(path)
        self._stream = video_stream(self._container, path.name)
        self._reformatter = VideoReformatter()
        self._frames: Iterator[av.VideoFrame] | None = None
        self._next = 0

    def close(self) -> None:
        """Release the file."""
        self._container.close()

    def read(self, index: int) -> Image:
        """Frame ``index``, going on from the last one where that is quicker than seeking.

        Raises:
            FootageError: when the frame cannot be decoded.
        """
        return self.to_rgb(self._decoded(index))

    def read_grey16(self, index: int) -> npt.NDArray[np.uint16]:
        """Frame ``index`` of a grey video of 16 bits, (H, W) as it is.

        Raises:
            FootageError: when the frame cannot be decoded.
        """
        return np.asarray(self._decoded(index).to_ndarray(format="gray16le"), dtype=np.uint16)

    def _decoded(self, index: int) -> av.VideoFrame:
        pts = int(self._table.pts[index])
        if self._frames is None or index < self._next or self._key_is_ahead(index):
            self._seek(pts)
        frame = self._find(pts)
        # The stamp may be missing after a seek into an open group of pictures: try from further back.
        key = self._table.keyframe_for(pts)
        while frame is None and key > 0:
            key -= 1
            self._seek_key(key)
            frame = self._find(pts)
        if frame is None or frame.is_corrupt:
            self._frames = None
            raise FootageError(self._damaged(index))
        self._next = index + 1
        return frame

    def _damaged(self, index: int) -> str:
        if index == 0:
            return (
                f"{self._name} is damaged from its first frame on. It may not have been copied fully; "
                "copy it again."
            )
        return (
            f"Frame {index + 1} of {len(self._table.pts)} in {self._name} is damaged and cannot be shown. "
            "The frames before it are fine."
        )

    def _key_is_ahead(self, index: int) -> bool:
        """True where a keyframe lies between the position and the wanted frame: seeking is quicker."""
        if index == self._next:
            return False
        here = self._table.keyframe_for(int(self._table.pts[max(self._next - 1, 0)]))
        return self._table.keyframe_for(int(self._table.pts[index])) > here

    def _seek(self, pts: int) -> None:
        self._seek_key(max(self._table.keyframe_for(pts), 0))

    def _seek_key(self, key: int) -> None:
        try:
            self._container.seek(int(self._table.key_dts[key]), stream=self._stream, backward=True)
        except (av.FFmpegError, OverflowError):
            # Some demuxers cannot seek to the very start by time stamp; then begin anew.
            self._container.seek(0, backward=True)
        self._frames = self._decode()

    def _decode(self) -> Iterator[av.VideoFrame]:
        for packet in self._container.demux(self._stream):
            try:
                yield from packet.decode()
            except av.InvalidDataError:
                # A packet that does not decode costs its own frame; the next keyframe mends the rest.
                continue

    def _find(self, pts: int) -> av.VideoFrame | None:
        if self._frames is None:
            return None
        try:
            for frame in self._frames:
                stamp = frame.pts if frame.pts is not None else frame.dts
                if stamp is None or stamp < pts:
                    continue
                if stamp == pts:
                    return frame
                return None
        except av.FFmpegError:
            return None
        return None

    def to_rgb(self, frame: av.VideoFrame) -> Image:
        """A decoded frame as upright (H, W, 3) RGB."""
        space = int(frame.colorspace)
        if space not in _KNOWN_SPACES:
            space = int(Colorspace.ITU709 if frame.height >= _HD_HEIGHT else Colorspace.ITU601)
        rgb = self._reformatter.reformat(frame, format="rgb24", src_colorspace=space).to_ndarray()
        return rotate(np.asarray(rgb, dtype=np.uint8), frame.rotation)


def rotate(image: Image, degrees: int) -> Image:
    """Turn a picture as its metadata asks (counter-clockwise quarter turns)."""
    quarters = round(degrees / 90) % 4
    return np.ascontiguousarray(np.rot90(image, quarters)) if quarters else image
