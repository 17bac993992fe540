"""The page, its plots, the pictures and the files."""

from __future__ import annotations

import base64
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from measured_room import N, make_project, truth_of

from app.errors import ExportError, StorageError
from app.evaluate import charts
from app.evaluate.evaluate import evaluate_project
from app.evaluate.files import write_html, write_json
from app.evaluate.page import html_page
from app.evaluate.report import Plots, Report
from app.evaluate.svg import Plot, round_ticks
from app.project.records import FittedBody, PersonRecord
from backends.body import BodyParams
from backends.confidence.types import BodyConfidence

SVG = "{http://www.w3.org/2000/svg}"


def poor(record: PersonRecord, frame: int) -> PersonRecord:
    """A pose that is off by a seeded amount, and a confidence that half knows it."""
    rng = np.random.default_rng(10 * frame + record.track_id)
    turned = record.body.params.pose + rng.normal(scale=0.12, size=(55, 3)) * (np.arange(55) > 0)[:, None]
    params = BodyParams(record.body.params.betas, turned, record.body.params.transl)
    mm = rng.uniform(5, 120, 23).astype(np.float32)
    confidence = BodyConfidence(mm, np.full(55, mm.mean(), np.float32), float(mm.mean()))
    return replace(
        record, body=FittedBody(params, record.estimate.keypoints.xy + 2, 2.0), confidence=confidence
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("poor"), poor)


@pytest.fixture(scope="module")
def report(project: Path) -> Report:
    return evaluate_project(project, truth_of(), pictures=2, coverage=False, program="Understudy 0.1.0")


class Tags(HTMLParser):
    """Checks that what is opened is closed, and collects what there is."""

    EMPTY = frozenset({"meta", "img", "br", "line", "rect", "circle", "polyline", "polygon"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.EMPTY:
            assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_but_itself(report: Report) -> None:
    page = html_page(report)
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert not [t for t, _ in tags.seen if t in ("script", "link", "iframe", "object")]
    sources = [a.get("src") or "" for t, a in tags.seen if t == "img"]
    assert len(sources) == 2
    assert all(s.startswith("data:image/jpeg;base64,") for s in sources)
    assert set(re.findall(r"https?://[^\"' ]+", page)) == {"http://www.w3.org/2000/svg"}
    assert "url(" not in page
    assert "default-src 'none'" in page


def test_the_page_says_the_numbers_with_joints_alignment_and_samples(report: Report) -> None:
    page = html_page(report)
    for key in ("mpjpe", "pa_mpjpe", "hota", "ap", "auroc", "mask_iou"):
        assert f">{report.row(key).shown}" in page
    for words in ("Procrustes", "joints taken by name, no regressor", f"{2 * N * 23:,} joints", "Umeyama",
                  "Holistic recall", "Understudy 0.1.0"):  # fmt: skip
        assert words in page


def test_names_cannot_smuggle_markup(report: Report) -> None:
    page = html_page(replace(report, project="<script>alert(1)</script>", warnings=("<b>bold</b>",)))
    assert "<script>" not in page
    assert "&lt;b&gt;bold" in page


def test_pictures_only_where_they_are_wanted(project: Path, report: Report) -> None:
    assert "shows people" in html_page(report)
    plain = html_page(evaluate_project(project, truth_of(), coverage=False))
    assert "data:image" not in plain
    assert "shows people" not in plain
    assert "Where it is worst" in plain


def test_the_pictures_show_truth_and_estimate_beside_the_body(report: Report) -> None:
    pictures = [w.picture for w in report.worst if w.picture is not None]
    assert len(pictures) == 2
    for picture in pictures:
        assert picture.dtype == np.uint8
        half = picture.shape[1] // 2
        for colour in ((53, 194, 176), (240, 180, 41)):
            near = np.abs(picture.astype(int) - colour).sum(axis=2) < 30
            assert near[:, :half].sum() > 40
            assert near[:, half:].sum() < near[:, :half].sum() / 4
    src = re.search(r"base64,([^\"]+)", html_page(report))
    assert src is not None
    decoded = cv2.imdecode(np.frombuffer(base64.b64decode(src[1]), np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape == pictures[0].shape


def test_without_the_footage_the_numbers_stay_and_it_says_so(tmp_path: Path) -> None:
    path = make_project(tmp_path, poor)
    (tmp_path / "clip.mp4").unlink()
    report = evaluate_project(path, truth_of(), pictures=3, coverage=False)
    assert all(w.picture is None for w in report.worst)
    assert any("not drawn" in w for w in report.warnings)
    assert report.row("mpjpe").value > 0


def test_the_worst_frames_are_apart_and_in_order(report: Report) -> None:
    errors = [w.error_mm for w in report.worst]
    assert errors == sorted(errors, reverse=True)
    # The clip is shorter than half a second, so each person is there once.
    assert sorted(w.person for w in report.worst) == [1, 2]


def drawings(plots: Plots) -> dict[str, str | None]:
    return {
        "histogram": charts.histogram(plots, 50.0), "joints": charts.joint_bars(plots, 50.0),
        "time": charts.over_time(plots, 50.0), "calibration": charts.calibration(plots, 50.0),
        "risk": charts.risk(plots), "expected": charts.expected_measured(plots, 50.0),
    }  # fmt: skip


def test_every_plot_is_sound_svg_within_its_frame(report: Report) -> None:
    for name, text in drawings(report.plots).items():
        assert text is not None, name
        root = ET.fromstring(text)
        _, _, width, height = (float(v) for v in root.attrib["viewBox"].split())
        assert root.attrib["aria-label"]
        assert "nan" not in text.lower().replace("nance", "")
        for element in root.iter():
            for at, limit in (("x", width), ("cx", width), ("y", height), ("cy", height)):
                if at in element.attrib:
                    assert -1 <= float(element.attrib[at]) <= limit + 1, (name, element.attrib)
            for point in element.attrib.get("points", "").split():
                x, y = (float(v) for v in point.split(","))
                assert 0 <= x <= width
                assert -1 <= y <= height


def test_without_data_there_are_no_plots() -> None:
    assert set(drawings(Plots()).values()) == {None}


def test_bars_are_as_long_as_the_errors_and_coloured_by_them() -> None:
    plots = Plots(joints=("left_wrist", "nose"), joint_mm=np.array([100.0, 25.0]))
    root = ET.fromstring(charts.joint_bars(plots, 50.0) or "")
    wrist, nose = root.findall(f"{SVG}rect")
    assert float(wrist.attrib["width"]) == pytest.approx(4 * float(nose.attrib["width"]), rel=1e-2)
    assert wrist.attrib["fill"] == "#cc4714"
    assert nose.attrib["fill"] != wrist.attrib["fill"]


def test_the_histogram_holds_all_joints() -> None:
    errors = np.concatenate([np.full(90, 10.0), np.full(10, 900.0)])
    root = ET.fromstring(charts.histogram(Plots(errors_mm=errors), 50.0) or "")
    shares = [float(r[0].text.rsplit(": ", 1)[1][:-2]) for r in root.findall(f"{SVG}rect")]
    assert sum(shares) == pytest.approx(100.0)
    assert shares[-1] == 10.0


def test_a_gap_breaks_the_line_and_a_lonely_point_is_seen() -> None:
    plot = Plot(100, 100, (0, 5), (0, 1)).line(np.arange(6.0), [0, 1, np.nan, 1, np.nan, 0], "main")
    root = ET.fromstring(plot.svg("line"))
    assert len(root.findall(f"{SVG}polyline")) == 1
    assert len(root.findall(f"{SVG}circle")) == 2


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (0, 97, [0, 20, 40, 60, 80]), (3, 3, [3]), (0, 1e-6, 6)],
)
def test_ticks_are_round(low: float, high: float, ticks: list[float] | int) -> None:
    found = round_ticks(low, high)
    assert found == ticks or len(found) == ticks


def test_the_files_are_written_whole(report: Report, tmp_path: Path) -> None:
    write_html(report, tmp_path / "report.html")
    write_json(report, tmp_path / "report.json")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == html_page(report)
    said = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert said["schema"] == 1
    assert said["worst_frames"][0]["error_mm"] == pytest.approx(report.worst[0].error_mm)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_places_that_cannot_be_written_are_said(report: Report, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="folder"):
        write_html(report, tmp_path)
    with pytest.raises((StorageError, ExportError), match="no folder"):
        write_html(report, tmp_path / "none" / "report.html")
