"""DICOM footage: videos and frames inside are read exactly, in place; hostile files give one clear error."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import clips
import cv2
import numpy as np
import pytest
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import (
    MPEG2MPML,
    MPEG4HP41,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from app.errors import FootageError
from app.footage import open_footage

N = 6


def _data_set(**values: object) -> Dataset:
    ds = Dataset()
    ds.PatientName, ds.PatientID, ds.StudyDate = "Smith^John", "4711", "20240506"
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.77.1.4.1", "2.25.7"
    ds.Rows, ds.Columns, ds.SamplesPerPixel = clips.H, clips.W, 3
    ds.PhotometricInterpretation, ds.PlanarConfiguration = "RGB", 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.NumberOfFrames, ds.FrameTime = N, "40.0"
    for name, value in values.items():
        setattr(ds, name, value)
    return ds


def _write(ds: Dataset, path: Path, syntax: UID) -> Path:
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds["PixelData"].VR = "OB" if ds.BitsAllocated == 8 else "OW"
    if syntax.is_encapsulated:
        ds["PixelData"].is_undefined_length = True
    dcmwrite(path, ds, enforce_file_format=True)
    return path


def _raw(n: int = N) -> bytes:
    return b"".join(clips.painted(i).tobytes() for i in range(n))


def _video(folder: Path, *, pieces: int = 1, suffix: str = ".mp4", syntax: UID = MPEG4HP41) -> Path:
    codec = "mpeg2video" if syntax == MPEG2MPML else "libx264"
    made = clips.write_clip(folder / f"clip{suffix}", 60, codec=codec, options={"g": "12", "bf": "2"})
    data = made.read_bytes()
    made.unlink()
    step = -(-len(data) // (2 * pieces)) * 2
    parts = [data[i : i + step] for i in range(0, len(data), step)]
    items = b"".join(
        struct.pack("<HHL", 0xFFFE, 0xE000, len(p) + len(p) % 2) + p + b"\0" * (len(p) % 2) for p in parts
    )
    body = struct.pack("<HHL", 0xFFFE, 0xE000, 0) + items
    return _write(_data_set(NumberOfFrames=60, PixelData=body), folder / "clip.dcm", syntax)


@pytest.mark.parametrize("kind", ["mp4", "mp4 in pieces", "H.264 in a transport stream", "MPEG-2"])
def test_frames_of_a_video_inside_are_the_ones_asked_for(kind: str, tmp_path: Path) -> None:
    path = {
        "mp4": lambda: _video(tmp_path),
        "mp4 in pieces": lambda: _video(tmp_path, pieces=5),
        "H.264 in a transport stream": lambda: _video(tmp_path, suffix=".ts"),
        "MPEG-2": lambda: _video(tmp_path, suffix=".ts", syntax=MPEG2MPML),
    }[kind]()
    before = path.read_bytes()
    with open_footage(path) as footage:
        assert footage.n_frames == 60
        np.testing.assert_allclose(np.diff(footage.times), 0.04, atol=1e-6)
        for index in np.random.default_rng(0).integers(0, 60, 25):
            assert clips.number_in(footage.frame(int(index))) == index
        assert [clips.number_in(image) for _, image in footage.iter_frames(20, 40)] == list(range(20, 40))
        assert [f.name for f in tmp_path.iterdir()] == ["clip.dcm"]  # read in place: nothing is unpacked
    assert path.read_bytes() == before


def _jpeg(i: int) -> bytes:
    return cv2.imencode(".jpg", clips.painted(i)[..., ::-1])[1].tobytes()


def _jpeg_rgb(i: int) -> bytes:
    """A JPEG whose three components are red, green, blue, without a word about it inside."""
    coder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(coder, av.VideoCodecContext)
    coder.width, coder.height, coder.pix_fmt, coder.time_base = clips.W, clips.H, "yuvj444p", Fraction(1, 25)
    coder.options = {"qmin": "1", "qmax": "2"}
    planes = np.ascontiguousarray(np.moveaxis(clips.painted(i), 2, 0))
    picture = av.VideoFrame.from_ndarray(planes, format="yuvj444p")
    picture.pts = 0
    (packet,) = [*coder.encode(picture), *coder.encode(None)]
    assert b"JFIF" not in bytes(packet)  # which would mean YCbCr
    return bytes(packet)


def _j2k(i: int) -> bytes:
    data = cv2.imencode(".jp2", clips.painted(i)[..., ::-1])[1].tobytes()
    return data[data.index(b"\xff\x4f\xff\x51") :]


def _planar(image: np.ndarray) -> bytes:
    return np.moveaxis(image, 2, 0).tobytes()


def _grey16(i: int) -> bytes:
    return (clips.painted(i)[..., 0].astype(np.uint16) * 16).tobytes()


_GREY = {"SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "PlanarConfiguration": None}


def _palette(i: int) -> dict[str, object]:
    ramp = np.arange(256, dtype=np.uint16) << 8
    table = {f"{c}PaletteColorLookupTableData": ramp.tobytes() for c in ("Red", "Green", "Blue")}
    described = {f"{c}PaletteColorLookupTableDescriptor": [256, 0, 16] for c in ("Red", "Green", "Blue")}
    pixels = b"".join(clips.painted(k)[..., 0].tobytes() for k in range(i))
    return {**_GREY, "PhotometricInterpretation": "PALETTE COLOR", **table, **described, "PixelData": pixels}


def _rle(i: int) -> bytes:
    return RLELosslessEncoder.encode(
        clips.painted(i), rows=clips.H, columns=clips.W, samples_per_pixel=3, bits_allocated=8, bits_stored=8,
        pixel_representation=0, photometric_interpretation="RGB", number_of_frames=1, planar_configuration=0,
    )  # fmt: skip


_STILLS: dict[str, tuple[UID, Callable[[], dict[str, object]]]] = {
    "explicit": (ExplicitVRLittleEndian, lambda: {"PixelData": _raw()}),
    "implicit": (ImplicitVRLittleEndian, lambda: {"PixelData": _raw()}),
    "planes apart": (
        ExplicitVRLittleEndian,
        lambda: {
            "PlanarConfiguration": 1, "PixelData": b"".join(_planar(clips.painted(i)) for i in range(N)),
        },
    ),
    "grey of 12 bits": (
        ExplicitVRLittleEndian,
        lambda: {
            **_GREY, "BitsAllocated": 16, "BitsStored": 12, "HighBit": 11,
            "PixelData": b"".join(_grey16(i) for i in range(N)),
        },
    ),
    "palette": (ExplicitVRLittleEndian, lambda: _palette(N)),
    "JPEG": (
        JPEGBaseline8Bit,
        lambda: {
            "PhotometricInterpretation": "YBR_FULL_422",
            "PixelData": encapsulate([_jpeg(i) for i in range(N)]),
        },
    ),
    "JPEG of RGB": (JPEGBaseline8Bit, lambda: {"PixelData": encapsulate([_jpeg_rgb(i) for i in range(N)])}),
    "JPEG in pieces, with offsets": (
        JPEGBaseline8Bit,
        lambda: {
            "PhotometricInterpretation": "YBR_FULL_422",
            "PixelData": encapsulate([_jpeg(i) for i in range(N)], fragments_per_frame=3),
        },
    ),
    "JPEG in pieces, no offsets": (
        JPEGBaseline8Bit,
        lambda: {
            "PhotometricInterpretation": "YBR_FULL_422",
            "PixelData": encapsulate([_jpeg(i) for i in range(N)], fragments_per_frame=2, has_bot=False),
        },
    ),
    "JPEG 2000": (JPEG2000Lossless, lambda: {"PixelData": encapsulate([_j2k(i) for i in range(N)])}),
    "run lengths": (RLELossless, lambda: {"PixelData": encapsulate([_rle(i) for i in range(N)])}),
}  # fmt: skip


@pytest.mark.parametrize("kind", _STILLS)
def test_frames_of_every_kind_of_pixels_are_right_in_place_and_colour(kind: str, tmp_path: Path) -> None:
    syntax, make = _STILLS[kind]
    path = _write(_data_set(**make()), tmp_path / "still", syntax)
    with open_footage(path) as footage:
        assert (footage.n_frames, footage.kind) == (N, "video")
        for index in (5, 0, 3):
            image = footage.frame(index)
            assert np.abs(image.astype(int) - clips.painted(index)).mean() < 4
            assert clips.number_in(image) == index
        assert [i for i, _ in footage.iter_frames(2, 5)] == [2, 3, 4]


def test_colours_are_not_swapped(tmp_path: Path) -> None:
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0], red[..., 2] = 200, 30
    jpeg = cv2.imencode(".jpg", red[..., ::-1])[1].tobytes()
    shape = {"Rows": 64, "Columns": 64, "NumberOfFrames": 1}
    plain = _write(_data_set(**shape, PixelData=red.tobytes()), tmp_path / "a.dcm", ExplicitVRLittleEndian)
    packed = _write(
        _data_set(**shape, PhotometricInterpretation="YBR_FULL_422", PixelData=encapsulate([jpeg])),
        tmp_path / "b.dcm", JPEGBaseline8Bit,
    )  # fmt: skip
    for path in (plain, packed):
        with open_footage(path) as footage:
            assert footage.kind == "picture"
            np.testing.assert_allclose(footage.frame(0)[32, 32], (200, 0, 30), atol=3)


def test_frame_times_are_the_files_own(tmp_path: Path) -> None:
    steps = [0.0, 40.0, 60.0, 33.0, 40.0, 100.0]
    for n, (values, want) in enumerate((
        ({"FrameTimeVector": [str(s) for s in steps]}, np.cumsum(steps) / 1e3),
        ({"FrameTime": "50"}, np.arange(N) * 0.05),
        ({"FrameTime": None, "CineRate": "10"}, np.arange(N) * 0.1),
        ({"FrameTime": None, "RecommendedDisplayFrameRate": "20"}, np.arange(N) * 0.05),
        ({"FrameTime": "-3", "CineRate": "0"}, np.arange(N) * 0.04),
    )):  # fmt: skip
        path = _write(_data_set(PixelData=_raw(), **values), tmp_path / f"{n}.dcm", ExplicitVRLittleEndian)
        with open_footage(path) as footage:
            np.testing.assert_allclose(footage.times, want, atol=1e-6)


def test_a_window_and_inverted_grey_are_applied(tmp_path: Path) -> None:
    values = np.linspace(-1000, 3000, 64 * 64).reshape(64, 64).astype(np.int16)
    path = _write(
        _data_set(
            **{**_GREY, "PhotometricInterpretation": "MONOCHROME1"}, Rows=64, Columns=64, NumberOfFrames=1,
            BitsAllocated=16, BitsStored=16, HighBit=15, PixelRepresentation=1, RescaleIntercept="-24",
            RescaleSlope="1", WindowCenter="40", WindowWidth="400", PixelData=values.tobytes(),
        ),
        tmp_path / "ct.dcm", ExplicitVRLittleEndian,
    )  # fmt: skip
    with open_footage(path) as footage:
        image = footage.frame(0)[..., 0].astype(int)
    want = 255 - np.clip((values - 24.0 - (40 - 200)) / 400 * 255, 0, 255)
    assert np.abs(image - want).max() <= 2


# --- bad and hostile files --------------------------------------------------------------------


def test_a_file_cut_off_keeps_its_whole_frames(tmp_path: Path) -> None:
    for syntax, pixels in (
        (ExplicitVRLittleEndian, _raw()),
        (JPEGBaseline8Bit, encapsulate([_jpeg(i) for i in range(N)], has_bot=False)),
    ):
        photometric = "RGB" if syntax == ExplicitVRLittleEndian else "YBR_FULL_422"
        whole = _write(
            _data_set(PixelData=pixels, PhotometricInterpretation=photometric), tmp_path / "w.dcm", syntax
        )
        data = whole.read_bytes()
        cut = tmp_path / "cut.dcm"
        cut.write_bytes(data[: len(data) - int(2.5 * len(pixels) / N)])
        with open_footage(cut) as footage:
            assert footage.n_frames in (3, 4)
            assert [clips.number_in(footage.frame(i)) for i in range(3)] == [0, 1, 2]


def _deep(levels: int) -> bytes:
    """A private sequence in a sequence in a sequence ..., never closed."""
    one = struct.pack("<HH2sHL", 0x0009, 0x1001, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    return one * levels


_HOSTILE: dict[str, tuple[dict[str, object], str]] = {
    "no rows": ({"Rows": 0}, "no pixels"),
    "absurd size": ({"Rows": 65535, "Columns": 65535}, "more than this program takes"),
    "more frames than any": ({"NumberOfFrames": 2_000_000_000}, "damaged"),
    "no frames": ({"NumberOfFrames": 0}, "damaged"),
    "a negative number": ({"NumberOfFrames": -4}, "damaged"),
    "one bit a pixel": ({"BitsAllocated": 1}, "cannot be read"),
    "seven samples": ({"SamplesPerPixel": 7}, "cannot be read"),
    "unknown colours": ({"PhotometricInterpretation": "SECRET"}, "cannot be read"),
    "pixels missing": ({"Rows": 5000, "Columns": 5000}, "no whole picture"),
}


@pytest.mark.parametrize("kind", _HOSTILE)
def test_headers_that_lie_give_one_clear_error(kind: str, tmp_path: Path) -> None:
    values, words = _HOSTILE[kind]
    path = _write(_data_set(**{"PixelData": _raw(), **values}), tmp_path / "h.dcm", ExplicitVRLittleEndian)
    with pytest.raises(FootageError, match=words):
        open_footage(path)


def test_broken_structures_give_one_clear_error(tmp_path: Path) -> None:
    whole = _write(_data_set(PixelData=_raw()), tmp_path / "w.dcm", ExplicitVRLittleEndian).read_bytes()
    at = whole.index(struct.pack("<HH", 0x0008, 0x0016))  # the first element after the file's own header
    text = whole.index(struct.pack("<HH2s", 0x0028, 0x0008, b"IS"))
    end = whole.index(struct.pack("<HH", 0x7FE0, 0x0010))
    number = text + 8
    for name, data in (
        ("only the magic", whole[:132]),
        ("header only", whole[:end]),
        ("noise behind the magic", whole[:132] + bytes(np.random.default_rng(3).bytes(4000))),
        ("sequences without end", whole[:at] + _deep(20_000)),
        ("a length past the end", whole[:text] + struct.pack("<HH2sH", 0x28, 8, b"IS", 0xFFF0)),
        ("words for a number", whole[:number] + b"xx" + whole[number + 2 :]),
        (
            "floats instead of pictures",
            whole[:end] + struct.pack("<HH2sHL", 0x7FE0, 8, b"OF", 0, 8) + bytes(8),
        ),
    ):
        path = tmp_path / "bad.dcm"
        path.write_bytes(data)
        with pytest.raises(FootageError, match=r"bad\.dcm") as told:
            open_footage(path)
        assert "Traceback" not in str(told.value), name


@pytest.mark.parametrize(
    ("syntax", "words"), [(JPEGLSLossless, "not known here"), (DeflatedExplicitVRLittleEndian, "deflated")]
)
def test_what_cannot_be_unpacked_says_what_to_do(syntax: UID, words: str, tmp_path: Path) -> None:
    pixels = encapsulate([b"\xff\xd8\xff\xf7" + bytes(40)]) if syntax == JPEGLSLossless else _raw(1)
    path = _write(_data_set(NumberOfFrames=1, PixelData=pixels), tmp_path / "x.dcm", syntax)
    with pytest.raises(FootageError, match=words):
        open_footage(path)


def test_a_video_syntax_around_no_video_is_refused(tmp_path: Path) -> None:
    path = _write(_data_set(PixelData=encapsulate([bytes(5000)])), tmp_path / "x.dcm", MPEG4HP41)
    with pytest.raises(FootageError, match="not a video that can be read"):
        open_footage(path)


def test_lists_of_other_files_are_refused(tmp_path: Path) -> None:
    clips.write_clip(tmp_path / "a.ts", 12)
    play = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2.0,\na.ts\n#EXT-X-ENDLIST\n"
    for name, text in (("list.mp4", "ffconcat version 1.0\nfile a.ts\n"), ("list.m3u8", play)):
        (tmp_path / name).write_text(text)
        with pytest.raises(FootageError, match="list of other files"):
            open_footage(tmp_path / name)
