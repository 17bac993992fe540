"""Writing H.264 or H.265 video with the source's own time stamps, and nothing but pictures and sound."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt
from av.bitstream import BitStreamFilterContext

from app.errors import ExportError, StorageError
from app.footage.base import Image
from app.footage.decoder import open_container
from app.review.types import Codec


def _storage_error(error: OSError, path: Path) -> StorageError | ExportError:
    if error.errno == errno.ENOSPC:
        return StorageError("The disk is full. Free some space, or choose another folder, and export again.")
    return ExportError(f"The video cannot be written to {path.parent}: {error.strerror or error}.")


@dataclass(frozen=True, slots=True)
class _Encoder:
    """How a codec is asked for.

    Attributes:
        preset: how hard the encoder tries.
        tag: the sample entry in the mp4; players of Apple's take H.265 only as "hvc1".
        crf_shift: added to the quality, so that both codecs look alike.
        told: NAL unit types (ITU-T H.264 table 7-1, H.265 table 7-1) of supplemental information, in which
            encoders write their name, version and settings.
    """

    name: str
    preset: str
    tag: str
    options: dict[str, str]
    crf_shift: int
    told: str


# "superfast", but with the bits spent where later frames copy from, as "veryfast" does: 40 covered frames
# at 1280x720, a busy machine, take 6.2 ms of processor time each, 39.1 dB and 574 kB; "veryfast" 9 ms,
# 38.9 dB and 517 kB.
_ENCODERS: dict[Codec, _Encoder] = {
    "h264": _Encoder(
        "libx264", "superfast", "avc1", {"x264-params": "mbtree=1:rc-lookahead=10"}, 0, "6"
    ),
    "h265": _Encoder(
        "libx265", "veryfast", "hvc1", {"x265-params": "info=0:log-level=error:pools=2"}, 3, "39|40"
    ),
}  # fmt: skip


class VideoWriter:
    """Writes frames to an mp4 at the path given (the caller chooses a temporary name).

    H.264 or H.265, yuv420p, BT.709 limited range; odd sizes are padded by repeating the last row or
    column, as yuv420p has no odd sizes. No metadata is written, no encoder's name, no thumbnail.

    Args:
        pts: (N,) int64 time stamps of the frames to come, in units of ``time_base`` seconds.
        audio_from: a file whose sound is copied (between the first and last time stamp); None: no sound.
        crf: quality, 0 (lossless) to 51, on the scale of H.264.
    """

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        pts: npt.NDArray[np.int64],
        time_base: Fraction,
        *,
        audio_from: Path | None = None,
        crf: int = 18,
        audio_start_s: float = 0.0,
        codec: Codec = "h264",
    ) -> None:
        encoder = _ENCODERS[codec]
        self.path = path
        self._pts = pts - pts[0]
        self._written = 0
        self._pad = (height % 2, width % 2)
        self._audio_from = audio_from
        self._audio_start_s = audio_start_s
        duration = float((self._pts[-1]) * time_base) if len(pts) > 1 else 0.0
        rate = Fraction(len(pts) - 1) / Fraction(duration).limit_denominator(10**6) if duration else 25
        try:
            self._out = av.open(
                str(path), "w", format="mp4",
                options={
                    "movflags": "+faststart", "fflags": "+bitexact",
                    "video_track_timescale": str(_ticks(time_base)),
                },
            )  # fmt: skip
            stream = cast(
                av.VideoStream,
                self._out.add_stream(encoder.name, rate=Fraction(rate).limit_denominator(60000)),
            )
        except OSError as error:
            raise _storage_error(error, path) from error
        stream.width, stream.height = width + self._pad[1], height + self._pad[0]
        stream.pix_fmt = "yuv420p"
        stream.time_base = time_base
        stream.codec_context.time_base = time_base
        stream.options = {"crf": str(crf + encoder.crf_shift), "preset": encoder.preset, **encoder.options}
        stream.codec_context.codec_tag = encoder.tag
        stream.codec_context.thread_count = 2
        stream.codec_context.colorspace = 1
        stream.codec_context.color_primaries = 1
        stream.codec_context.color_trc = 1
        stream.codec_context.color_range = 1
        # Without this the encoder's name and settings are written into the stream.
        stream.codec_context.flags |= av.codec.context.Flags.bitexact.value
        self._time_base = time_base
        self._stream = stream
        self._audio: tuple[av.container.InputContainer, av.AudioStream, av.AudioStream] | None = None
        if audio_from is not None:
            self._open_audio(audio_from)
        try:
            self._out.start_encoding()
        except OSError as error:
            raise _storage_error(error, path) from error
        self._bare = BitStreamFilterContext(f"filter_units=remove_types={encoder.told}", stream)

    def _open_audio(self, path: Path) -> None:
        source = open_container(path)
        if not source.streams.audio:
            source.close()
            return
        track = source.streams.audio[0]
        out = self._out.add_stream("aac", rate=track.codec_context.sample_rate)
        out.codec_context.flags |= av.codec.context.Flags.bitexact.value
        self._audio = (source, track, out)

    def write(self, frame: Image) -> None:
        """Append the next frame, (H, W, 3) RGB.

        Raises:
            StorageError: when the disk is full.
            ExportError: when it cannot be written, or more frames come than time stamps.
        """
        if self._written >= len(self._pts):
            raise ExportError("More frames came than there are time stamps.")
        if any(self._pad):
            frame = np.pad(frame, ((0, self._pad[0]), (0, self._pad[1]), (0, 0)), mode="edge")
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        picture = picture.reformat(format="yuv420p", dst_colorspace=1, dst_color_range=1)
        picture.pts = int(self._pts[self._written])
        picture.time_base = self._time_base
        try:
            self._mux(self._stream.encode(picture))
        except OSError as error:
            raise _storage_error(error, self.path) from error
        self._written += 1

    def _mux(self, packets: Iterable[Any]) -> None:
        """Store encoded packets without what the encoder says of itself; None at the end."""
        for packet in packets:
            for bare in self._bare.filter(packet):
                bare.stream = self._stream
                self._out.mux(bare)

    def close(self) -> None:
        """Finish the file.

        Raises:
            StorageError, ExportError: when the rest cannot be written.
        """
        try:
            self._mux([*self._stream.encode(None), None])
            if self._audio is not None:
                self._write_audio(*self._audio)
            self._out.close()
        except OSError as error:
            raise _storage_error(error, self.path) from error

    def _write_audio(
        self, source: av.container.InputContainer, track: av.AudioStream, out: av.AudioStream
    ) -> None:
        end = self._audio_start_s + float(self._pts[-1] * self._time_base)
        resampler = av.AudioResampler(
            format="fltp", layout=track.layout.name, rate=track.codec_context.sample_rate
        )
        with source:
            for frame in source.decode(track):
                at = frame.time if frame.time is not None else 0.0
                if at < self._audio_start_s:
                    continue
                if at > end:
                    break
                for piece in resampler.resample(frame):
                    if piece.pts is not None and piece.time_base is not None:
                        piece.pts -= round(self._audio_start_s / piece.time_base)
                    self._out.mux(out.encode(piece))
            self._out.mux(out.encode(None))

    def abort(self) -> None:
        """Give up and remove the file."""
        if self._audio is not None:
            self._audio[0].close()
        with contextlib.suppress(OSError, ValueError):  # the disk may be full: nothing is left to save
            self._out.close()
        self.path.unlink(missing_ok=True)


def _ticks(time_base: Fraction) -> int:
    """The track's time scale: the source's own where mp4 can hold it."""
    ticks = Fraction(1) / time_base
    return int(ticks) if ticks.denominator == 1 and ticks < 2**31 else 90000
