"""A de-identified video as DICOM: read back by pydicom and by ourselves; nothing of the source is in it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from app.deidentify.codes import applicable_codes, method_text
from app.deidentify.plan import DeidPlan, FreeRegion, Method, PersonRule, RegionKey
from app.errors import Cancelled, ExportError
from app.export import dicom
from app.export.dicom import Form, write_dicom
from app.footage import open_footage
from app.footage.writer import VideoWriter
from app.pipeline.job import Control
from app.review.types import Codec, DeidSettings

W, H, N = 96, 64, 12
PLAN = DeidPlan(DeidSettings())
_SQUARE = np.array([(0, 0), (9, 0), (9, 9)], np.float32)
CLOCK = FreeRegion(1, "Clock", "solid", 0, N - 1, (RegionKey(0, _SQUARE),))


def _stamps(even: bool) -> np.ndarray:
    return np.arange(N) * 40 if even else np.cumsum([0] + [40 if i % 2 else 60 for i in range(N - 1)])


def _video(folder: Path, *, even: bool = True, codec: Codec = "h264", size: tuple[int, int] = (W, H)) -> Path:
    path = folder / "finished.mp4"
    writer = VideoWriter(path, *size, _stamps(even), Fraction(1, 1000), codec=codec)
    for i in range(N):
        writer.write(np.full((size[1], size[0], 3), 20 * i, np.uint8))
    writer.close()
    return path


@pytest.mark.parametrize("form", ["video", "frames"])
@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("even", [True, False])
def test_it_says_what_was_done_and_gives_every_frame_back(
    form: Form, codec: Codec, even: bool, tmp_path: Path
) -> None:
    video = _video(tmp_path, even=even, codec=codec)
    counted: list[int] = []
    target = tmp_path / "out.dcm"
    written = write_dicom(video, target, PLAN, Control(), counted.append, verified=True, form=form)
    assert (written.count, sum(counted)) == (N, N)
    ds = dcmread(target)
    assert ds.PatientIdentityRemoved == "YES"
    assert ds.DeidentificationMethod == "Understudy: whole person replaced by body mesh, verified"
    (code,) = ds.DeidentificationMethodCodeSequence
    assert (code.CodeValue, code.CodingSchemeDesignator) == ("113102", "DCM")
    assert ds.RecognizableVisualFeatures == "NO"
    assert (ds.Rows, ds.Columns, ds.NumberOfFrames) == (H, W, N)
    assert not [e for e in ds if e.VR in ("DA", "TM", "DT") and e.value]
    syntax = {"frames": ".50", "h264": ".102", "h265": ".107"}["frames" if form == "frames" else codec]
    assert str(ds.file_meta.TransferSyntaxUID).endswith(syntax)
    with open_footage(target) as footage:
        images = [image for _, image in footage.iter_frames()]
        np.testing.assert_allclose(footage.times, _stamps(even) / 1e3, atol=1e-3)
    assert [round(float(i.mean()) / 20) for i in images] == list(range(N))
    if form == "video":
        assert video.read_bytes() in target.read_bytes()


def test_every_file_has_numbers_of_its_own(tmp_path: Path) -> None:
    video = _video(tmp_path)
    found = set()
    for name in ("a.dcm", "b.dcm"):
        write_dicom(video, tmp_path / name, PLAN, Control(), lambda n: None, verified=True)
        ds = dcmread(tmp_path / name)
        found |= {ds.SOPInstanceUID, ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.PatientID}
    assert len(found) == 8


def test_codes_are_claimed_only_where_they_hold() -> None:
    def values(plan: DeidPlan, *, verified: bool = True) -> list[str]:
        return [code.value for code in applicable_codes(plan, verified=verified)]

    assert values(PLAN) == ["113102"]
    assert values(PLAN, verified=False) == []
    assert values(replace(PLAN, regions=(CLOCK,))) == ["113101", "113102"]
    assert values(replace(PLAN, regions=(replace(CLOCK, event_id="face-1"),))) == ["113102"]
    spared = PersonRule(1, 2, 0, 5, None, "the surgeon agreed")
    assert values(replace(PLAN, rules=(spared,))) == []
    assert values(replace(PLAN, rules=(PersonRule(1, 2, 0, 5, Method("face", "blur")),))) == []
    assert values(DeidPlan(DeidSettings(fill="blur"), (), (CLOCK,))) == ["113101"]
    assert len(method_text(DeidPlan(DeidSettings(fill="remove")), verified=False)) <= 64


def test_an_unverified_video_claims_nothing(tmp_path: Path) -> None:
    target = tmp_path / "out.dcm"
    write_dicom(_video(tmp_path), target, PLAN, Control(), lambda n: None, verified=False)
    ds = dcmread(target)
    assert "DeidentificationMethodCodeSequence" not in ds
    assert ds.DeidentificationMethod.endswith("not verified")
    assert ds.RecognizableVisualFeatures == "YES"


def test_a_video_larger_than_dicoms_levels_is_refused(tmp_path: Path) -> None:
    video = _video(tmp_path, size=(4096, 2304))
    with pytest.raises(ExportError, match="more than DICOM takes"):
        write_dicom(video, tmp_path / "out.dcm", PLAN, Control(), lambda n: None, verified=True)
    assert not (tmp_path / "out.dcm").exists()


def test_stopping_and_a_failed_check_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = _video(tmp_path)
    control = Control()
    control.stop()
    with pytest.raises(Cancelled):
        write_dicom(video, tmp_path / "o.dcm", PLAN, control, lambda n: None, verified=True)
    put = dicom._put_stream

    def short(file: object, path: Path, control: Control) -> None:
        cut = tmp_path / "cut.mp4"
        cut.write_bytes(path.read_bytes()[:-40])
        put(file, cut, control)  # type: ignore[arg-type]
        cut.unlink()

    monkeypatch.setattr(dicom, "_put_stream", short)
    with pytest.raises(ExportError, match="0 whole frames instead of 12"):
        write_dicom(video, tmp_path / "o.dcm", PLAN, Control(), lambda n: None, verified=True)
    assert [p.name for p in tmp_path.iterdir()] == ["finished.mp4"]
