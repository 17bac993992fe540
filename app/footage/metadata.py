"""What a video file says beside its pictures and its sound: looked for after writing, byte by byte.

A finished mp4 should hold frames and nothing else. The container's own tags are read through the
demuxer, the boxes of the file one by one (ISO/IEC 14496-12), and the video's packets for supplemental
information of the encoder (SEI, ITU-T H.264 and H.265 annex D), where names, settings and whole user texts
may hide.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import av

from app.footage.decoder import open_container

_PLAIN_TAGS = {"major_brand", "minor_version", "compatible_brands"}
_PLAIN_STREAM_TAGS = {
    ("language", "und"), ("handler_name", "VideoHandler"), ("handler_name", "SoundHandler"),
    ("vendor_id", "[0][0][0][0]"),
}  # fmt: skip

_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf"}
_PLAIN_BOXES = _CONTAINERS | {
    b"ftyp", b"free", b"mdat", b"mvhd", b"tkhd", b"elst", b"mdhd", b"hdlr", b"vmhd", b"smhd", b"dref",
    b"stsd", b"stts", b"stss", b"ctts", b"stsc", b"stsz", b"stco", b"co64", b"sgpd", b"sbgp", b"sdtp",
}  # fmt: skip
_EMPTY_UDTA = (
    b"\x00\x00\x00\x35meta" + bytes(4)
    + b"\x00\x00\x00\x21hdlr" + bytes(8) + b"mdirappl" + bytes(9) + b"\x00\x00\x00\x08ilst"
)  # fmt: skip
"""User data as our writer leaves them: a list of tags with none in it."""
_TIMED_BOXES = {b"mvhd", b"tkhd", b"mdhd"}
_MAX_BOXES = 100_000


def leftovers(path: Path) -> list[str]:
    """Everything in an mp4 that is neither picture nor sound nor needed to play them, in words.

    An empty list is what a de-identified video should give.

    Raises:
        FootageError: when the file cannot be opened.
    """
    found = [*_tags(path), *_boxes(path)]
    return list(dict.fromkeys(found))


def _tags(path: Path) -> Iterator[str]:
    with open_container(path) as container:
        for key in container.metadata:
            if key not in _PLAIN_TAGS:
                yield f"the tag “{key}”"
        if container.chapters():
            yield "chapters"
        for stream in container.streams:
            for key, value in stream.metadata.items():
                if (key, value) not in _PLAIN_STREAM_TAGS:
                    yield f"the tag “{key}” of a {stream.type} track"
            if stream.type not in ("video", "audio"):
                yield f"a {stream.type} track"
            if stream.disposition & av.stream.Disposition.attached_pic:
                yield "a thumbnail"
        for stream in container.streams.video[:1]:
            hevc = stream.codec_context.name == "hevc"
            for packet in container.demux(stream):
                if packet.size and _has_sei(bytes(packet), hevc):
                    yield "supplemental information of the encoder"
                    return


def _has_sei(data: bytes, hevc: bool) -> bool:
    """Whether an access unit, NAL units with 4 bytes of length before each, holds an SEI message."""
    at = 0
    while at + 5 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4] >> 1 & 0x3F if hevc else data[at + 4] & 0x1F
        if kind in ((39, 40) if hevc else (6,)):
            return True
        at += 4 + length
    return False


def _boxes(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        end = file.seek(0, 2)
        yield from _walk(file, 0, end, [0])


def _walk(file: BinaryIO, start: int, end: int, count: list[int]) -> Iterator[str]:
    at = start
    while at + 8 <= end:
        count[0] += 1
        if count[0] > _MAX_BOXES:
            yield "more boxes than any video has"
            return
        file.seek(at)
        head = file.read(16)
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        inner = 8
        if size == 1:
            size, inner = int.from_bytes(head[8:16], "big"), 16
        elif size == 0:
            size = end - at
        if size < inner or at + size > end:
            yield "bytes that belong to no box"
            return
        name = kind.decode("latin-1")
        if kind == b"udta" and _content(file, at + inner, at + size) == _EMPTY_UDTA:
            pass
        elif kind not in _PLAIN_BOXES:
            yield f"a box “{name}”"
        elif kind in _CONTAINERS:
            yield from _walk(file, at + inner, at + size, count)
        elif kind == b"free" and any(_content(file, at + inner, at + size)):
            yield "bytes in unused space"
        elif kind in _TIMED_BOXES and _has_times(file, at + inner):
            yield "a time of creation or change"
        at += size
    if at != end:
        yield "bytes that belong to no box"


def _content(file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(end - start)


def _has_times(file: BinaryIO, start: int) -> bool:
    """Creation and modification time of a header box, version 0 (32 bits) or 1 (64 bits)."""
    file.seek(start)
    version = file.read(4)[:1]
    return any(file.read(16 if version == b"\x01" else 8))
