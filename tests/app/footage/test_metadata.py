"""Nothing but pictures and sound leaves the program: planted metadata are looked for in the bytes."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import clips
import numpy as np
import pytest

from app.footage import open_footage
from app.footage.metadata import leftovers
from app.footage.writer import VideoWriter
from app.review.types import Codec

PLANTED = "Smith^John 1957-03-02"


def _loud_clip(path: Path) -> Path:
    """A clip whose every place for words says who the patient is; mov, with sound and a chapter."""
    with av.open(str(path), "w") as out:
        out.metadata.update({"title": PLANTED, "comment": PLANTED, "creation_time": "2024-05-06T07:08:09Z"})
        picture = out.add_stream("libx264", rate=25)
        picture.width, picture.height, picture.pix_fmt = clips.W, clips.H, "yuv420p"
        picture.metadata.update({"handler_name": PLANTED, "language": "deu"})
        sound = out.add_stream("aac", rate=8000)
        sound.metadata["handler_name"] = PLANTED
        out.set_chapters(
            [{"id": 1, "start": 0, "end": 5, "time_base": Fraction(1, 25), "metadata": {"title": PLANTED}}]
        )
        for i in range(10):
            frame = av.VideoFrame.from_ndarray(clips.painted(i), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            out.mux(picture.encode(frame))
        tone = av.AudioFrame.from_ndarray(np.zeros((1, 3200), np.float32), format="fltp", layout="mono")
        tone.sample_rate, tone.pts = 8000, 0
        out.mux(sound.encode(tone))
        for stream in (picture, sound):
            out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_nothing_of_what_was_planted_is_in_the_bytes_of_the_output(codec: Codec, tmp_path: Path) -> None:
    source = _loud_clip(tmp_path / "Smith John.mov")
    assert source.read_bytes().count(PLANTED.encode()) >= 4
    target = tmp_path / "out.mp4"
    with open_footage(source) as footage:
        writer = VideoWriter(
            target, footage.width, footage.height, footage.pts, footage.time_base, audio_from=source,
            codec=codec,
        )  # fmt: skip
        for _, image in footage.iter_frames():
            writer.write(image)
        writer.close()
    data = target.read_bytes()
    for told in (PLANTED, "Smith", "x264", "x265", "Lavf", "Lavc", "options", "creation"):
        assert told.encode() not in data, told
    assert leftovers(target) == []
    with av.open(str(target)) as video:
        assert video.streams.video[0].codec_context.name == {"h264": "h264", "h265": "hevc"}[codec]
        assert len(video.streams.audio) == 1
        assert sum(1 for _ in video.decode(video=0)) == 10


def test_whatever_says_something_is_named(tmp_path: Path) -> None:
    told = leftovers(_loud_clip(tmp_path / "loud.mp4"))
    for word in ("“title”", "“comment”", "chapters", "supplemental", "handler_name", "“udta”", "creation"):
        assert any(word in line for line in told), (word, told)


def _silent(path: Path) -> bytearray:
    writer = VideoWriter(path, 64, 48, np.arange(3), Fraction(1, 10))
    for _ in range(3):
        writer.write(np.full((48, 64, 3), 90, np.uint8))
    writer.close()
    assert leftovers(path) == []
    return bytearray(path.read_bytes())


def test_bytes_hidden_between_and_behind_the_boxes_are_found(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    whole = _silent(path)
    hidden = PLANTED.encode()
    for extra, word in (
        (struct.pack(">I", 8 + len(hidden)) + b"free" + hidden, "unused space"),
        (struct.pack(">I", 8 + len(hidden)) + b"uuid" + hidden, "“uuid”"),
        (b"\x00\x00\x00", "no box"),
        (struct.pack(">I", 4) + b"free", "no box"),
        (b"\xff\xff\xff\xf0mdat", "no box"),
    ):
        path.write_bytes(whole + extra)
        assert any(word in line for line in leftovers(path)), word


def test_a_time_of_recording_in_a_header_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    whole = _silent(path)
    at = whole.find(b"tkhd") + 8
    whole[at : at + 4] = struct.pack(">I", 3_800_000_000)
    path.write_bytes(whole)
    assert leftovers(path) == ["a time of creation or change"]
