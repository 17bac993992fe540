"""The de-identified video as a DICOM file: the stream as it is, or its frames as JPEGs.

The data set is written from scratch. Nothing of a source's header can reach it, because none is read: new
identifiers, no dates, no device, and what DICOM PS3.15 asks a de-identified object to say of itself.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal
from uuid import uuid4

import cv2
import numpy as np
import numpy.typing as npt
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, JPEGBaseline8Bit, generate_uid

from app.deidentify.codes import CLEAN_PIXEL_DATA, CLEAN_VISUAL_FEATURES, applicable_codes, method_text
from app.deidentify.plan import DeidPlan
from app.errors import ExportError, FootageError
from app.export.atomic import written_whole
from app.export.types import Step, Written
from app.footage import open_footage
from app.footage.decoder import open_container, video_stream
from app.footage.dicom_file import read_pixels_table
from app.footage.dicom_video import VideoInside
from app.pipeline.job import Control

Form = Literal["video", "frames"]

_VIDEO_PHOTOGRAPHIC = "1.2.840.10008.5.1.4.1.1.77.1.4.1"
_TRUE_COLOUR_CAPTURE = "1.2.840.10008.5.1.4.1.1.7.4"
_H264_41, _H264_42 = "1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.104"
_H265_51 = "1.2.840.10008.1.2.4.107"
_IN_PIECES = ".1"
"""Ends the name of a transfer syntax whose stream may lie in several fragments."""
_PIECE = 1 << 31
_MOST_IN_ONE = 0xFFFFFFFE
_FRAME_TIME, _FRAME_TIME_VECTOR = 0x00181063, 0x00181065
_IMPLEMENTATION = "2.25.281460116734203912470185730198337520061"
_EVEN_S = 1e-4
"""Frames are taken as evenly spaced where no step differs from the mean by more."""
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class _Stream:
    """What DICOM has to say of a video."""

    syntax: str
    method: str
    width: int
    height: int
    times: npt.NDArray[np.float64]


def write_dicom(
    video: Path, target: Path, plan: DeidPlan, control: Control, step: Step, *, verified: bool,
    form: Form = "video",
) -> Written:  # fmt: skip
    """Write ``target`` (.dcm) from a finished de-identified mp4; read back before it gets its name.

    Args:
        verified: ``video`` was searched and no event is open.
        form: "video" puts the stream in unchanged; "frames" makes a multi-frame image of JPEGs, which more
            viewers show, at several times the size.

    Raises:
        ExportError: DICOM knows no place for such a video, or the check failed. StorageError: no space.
        FootageError: the video cannot be read. Cancelled: asked to stop; nothing stays.
    """
    stream = _stream_of(video, form)
    header = _header(stream, plan, verified=verified, form=form)
    size = video.stat().st_size
    if form == "video" and size > _MOST_IN_ONE:
        header.file_meta.TransferSyntaxUID = UID(stream.syntax + _IN_PIECES)
    header.LossyImageCompressionRatio = _ratio(stream, size)
    with written_whole(target) as part:
        with part.open("wb") as file:
            dcmwrite(file, header, enforce_file_format=True)
            file.write(struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF))
            file.write(struct.pack("<HHL", 0xFFFE, 0xE000, 0))
            if form == "video":
                _put_stream(file, video, control)
                step(len(stream.times))
            else:
                _put_frames(file, video, control, step)
            file.write(struct.pack("<HHL", 0xFFFE, 0xE0DD, 0))
        _check(part, video, len(stream.times), form, control)
    return Written("dicom", target, len(stream.times), "frames")


def _stream_of(video: Path, form: Form) -> _Stream:
    with open_container(video) as container:
        stream = video_stream(container, video.name)
        codec, config = stream.codec_context.name, bytes(stream.codec_context.extradata or b"")
    with open_footage(video) as footage:
        times, width, height = footage.times, footage.width, footage.height
    if form == "frames":
        return _Stream(str(JPEGBaseline8Bit), "ISO_10918_1", width, height, times)
    if codec == "h264" and len(config) > 3:  # avcC, ISO/IEC 14496-15: profile and level at bytes 1 and 3
        if config[1] in (66, 77, 100) and config[3] <= 42:
            return _Stream(_H264_41 if config[3] <= 41 else _H264_42, "ISO_14496_10", width, height, times)
        raise ExportError(
            f"{width} x {height} at this rate is more than DICOM takes as H.264. Choose H.265, or scale it."
        )
    if codec == "hevc" and len(config) > 12 and config[1] & 0x1F == 1 and config[12] <= 153:  # hvcC
        return _Stream(_H265_51, "ISO_23008_2", width, height, times)
    raise ExportError(f"DICOM has no place for a video of {width} x {height} in this format. Scale it down.")


def _header(stream: _Stream, plan: DeidPlan, *, verified: bool, form: Form) -> Dataset:
    """Everything but the pixels."""
    ds = Dataset()
    ds.SOPClassUID = UID(_VIDEO_PHOTOGRAPHIC if form == "video" else _TRUE_COLOUR_CAPTURE)
    ds.SOPInstanceUID = generate_uid(prefix=None)
    ds.StudyInstanceUID, ds.SeriesInstanceUID = generate_uid(prefix=None), generate_uid(prefix=None)
    ds.Modality = "XC" if form == "video" else "OT"
    ds.Manufacturer = "Understudy"
    ds.PatientName, ds.PatientID = "De-identified", uuid4().hex[:16].upper()
    for empty in (
        "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID",
        "AccessionNumber", "SeriesNumber", "PatientOrientation", "ContentDate", "ContentTime",
    ):  # fmt: skip
        setattr(ds, empty, "" if empty != "SeriesNumber" else None)
    ds.InstanceNumber = 1
    ds.ImageType = ["DERIVED", "SECONDARY"]
    if form == "video":
        ds.AcquisitionContextSequence = []
    else:
        ds.ConversionType = "DV"
    _say_deidentified(ds, plan, verified=verified, form=form)
    _say_pixels(ds, stream, form)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(stream.syntax)
    ds.file_meta.ImplementationClassUID = UID(_IMPLEMENTATION)
    ds.file_meta.ImplementationVersionName = "UNDERSTUDY"
    return ds


def _say_deidentified(ds: Dataset, plan: DeidPlan, *, verified: bool, form: Form) -> None:
    codes = applicable_codes(plan, verified=verified)
    ds.PatientIdentityRemoved = "YES"
    ds.DeidentificationMethod = method_text(plan, verified=verified)
    ds.LongitudinalTemporalInformationModified = "REMOVED"
    ds.RecognizableVisualFeatures = "NO" if CLEAN_VISUAL_FEATURES in codes else "YES"
    if CLEAN_PIXEL_DATA in codes:
        ds.BurnedInAnnotation = "NO"
    elif form == "frames":
        ds.BurnedInAnnotation = "YES"  # has to be said there, and nobody looked for it
    if codes:
        items = []
        for code in codes:
            item = Dataset()
            item.CodeValue, item.CodingSchemeDesignator = code.value, "DCM"
            item.CodeMeaning = code.meaning
            items.append(item)
        ds.DeidentificationMethodCodeSequence = items


def _say_pixels(ds: Dataset, stream: _Stream, form: Form) -> None:
    n = len(stream.times)
    steps_ms = np.diff(stream.times) * 1e3
    mean = float(steps_ms.mean()) if n > 1 else 40.0
    ds.SamplesPerPixel, ds.PlanarConfiguration = 3, 0
    ds.PhotometricInterpretation = "YBR_PARTIAL_420" if form == "video" else "YBR_FULL_422"
    ds.Rows, ds.Columns, ds.NumberOfFrames = stream.height, stream.width, n
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.LossyImageCompression, ds.LossyImageCompressionMethod = "01", stream.method
    if form == "frames" and n > 1 and np.abs(steps_ms - mean).max() > 1e3 * _EVEN_S:
        ds.FrameTimeVector = ["0", *(f"{ms:.6g}" for ms in steps_ms)]
        ds.FrameIncrementPointer = _FRAME_TIME_VECTOR
        return
    ds.FrameTime = f"{mean:.10g}"
    ds.FrameIncrementPointer = _FRAME_TIME
    ds.CineRate = max(round(1e3 / mean), 1)


def _ratio(stream: _Stream, size: int) -> str:
    return f"{3 * stream.width * stream.height * len(stream.times) / max(size, 1):.6g}"


def _put_stream(file: BinaryIO, video: Path, control: Control) -> None:
    size = video.stat().st_size
    pieces = [size] if size <= _MOST_IN_ONE else [min(_PIECE, size - i) for i in range(0, size, _PIECE)]
    with video.open("rb") as source:
        for length in pieces:
            file.write(struct.pack("<HHL", 0xFFFE, 0xE000, length + length % 2))
            left = length
            while left:
                control.check()
                block = source.read(min(left, _BLOCK))
                file.write(block)
                left -= len(block)
            file.write(b"\x00" * (length % 2))


def _put_frames(file: BinaryIO, video: Path, control: Control, step: Step) -> None:
    with open_footage(video) as footage:
        for _, image in footage.iter_frames():
            control.check()
            done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
            if not done:
                raise ExportError("A frame cannot be packed as JPEG. Export again.")
            packed = data.tobytes()
            file.write(struct.pack("<HHL", 0xFFFE, 0xE000, len(packed) + len(packed) % 2))
            file.write(packed + b"\x00" * (len(packed) % 2))
            step(1)


def _check(part: Path, video: Path, n: int, form: Form, control: Control) -> None:
    """Read it back as anybody would: the statement, the number of frames, and every pixel or byte.

    Raises:
        ExportError: something is missing or different.
    """
    try:
        header = dcmread(part, stop_before_pixels=True)
        if header.PatientIdentityRemoved != "YES":
            raise ExportError("The DICOM file does not say that it is de-identified. Export again.")
        if form == "video":
            same = _same_bytes(VideoInside(part, read_pixels_table(part)), video, control)
            count = int(header.NumberOfFrames) if same else 0
        else:
            with open_footage(part) as footage:
                count = 0
                for _ in footage.iter_frames():
                    control.check()
                    count += 1
    except (FootageError, AttributeError) as error:
        raise ExportError("The written DICOM file cannot be read back. Export again.") from error
    if count != n:
        raise ExportError(f"The written DICOM file has {count} whole frames instead of {n}. Export again.")


def _same_bytes(inside: io.RawIOBase, video: Path, control: Control) -> bool:
    with inside, video.open("rb") as source:
        while block := source.read(_BLOCK):
            control.check()
            if inside.read(len(block)) != block:
                return False
        return inside.read() in (b"", b"\x00")
