"""The report: nothing from elsewhere, nothing that runs, nothing that names anybody."""

from __future__ import annotations

import copy
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app.audit.known import FOLLOWED
from app.audit.report import write_report
from app.audit.report.content import make_content
from app.audit.report.page import render_page
from app.audit.report.pdf import render_pdf
from app.audit.report.words import clock, number, share

EVENT: dict[str, Any] = {
    "id": "1-1", "kind": "face", "person": None, "first": 24, "last": 27, "from_s": 0.96, "to_s": 1.08,
    "score": 0.71, "severity": 2, "found_by": "CenterFace", "state": "open", "reason": "", "who": "",
    "size_px": 31,
}  # fmt: skip
MANIFEST: dict[str, Any] = {
    "made": "2026-11-26T15:00:00+00:00", "verified": False,
    "input": {"sha256": "a" * 64, "frames": 100, "width": 640, "height": 360, "fps": 25.0, "sound": True},
    "frames": [0, 99],
    "deidentification": {"cover": "whole", "fill": "mesh", "look": "shaded", "keep_audio": False},
    "people": [
        {"id": 1, "corrected": True, "found_in_frames": 90, "first": 0, "last": 89, "cover": "whole",
         "fill": "mesh", "look": "shaded",
         "exceptions": [{"first": 10, "last": 500, "spared": True, "reason": "she <agreed> & signed"}]},
    ],
    "regions": [{"id": 1, "fill": "solid", "first": 0, "last": 99, "mends": None}],
    "background": {"camera": "fixed", "never_seen_share_of_replaced_pixels": 0.034},
    "audit": {
        "searched": True, "why": "", "frames": 100, "whole_searches": 5, "seconds": 3.2,
        "searches": [{"name": "CenterFace", "network": "centerface", "sha256": "b" * 64}],
        "events": [EVENT], "mended_earlier": [],
    },
    "dicom_codes": [{"code": "113102", "meaning": "Clean Recognizable Visual Features", "applies": False}],
    "frames_where_a_found_person_is_uncovered": [],
    "outputs": [{"kind": "video", "name": "Mr Smith_deidentified.mp4", "count": 100, "unit": "frames",
                 "sha256": "c" * 64}],
    "networks": {"blazepose-detector": "d" * 64}, "segmentations": {"detectron2": "e" * 64}, "body": "anny",
    "versions": {"understudy": "1.0", "av": "18"},
}  # fmt: skip


def test_that_heads_were_followed_is_said_where_they_were() -> None:
    followed = copy.deepcopy(MANIFEST)
    followed["audit"]["searches"].append({"name": FOLLOWED, "network": "", "sha256": ""})
    told = "followed through the recording by its look"
    assert told not in Outline(render_page(make_content(MANIFEST, {}))).words
    assert told in Outline(render_page(make_content(followed, {}))).words


class Outline(HTMLParser):
    """Tags with their attributes, and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def manifest(**more: Any) -> dict[str, Any]:
    return {**copy.deepcopy(MANIFEST), **more}


def page(values: dict[str, Any], pictures: dict[str, bytes] | None = None) -> str:
    return render_page(make_content(values, pictures or {}))


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    outline = Outline(page(manifest()))
    assert not {"script", "link", "iframe", "object", "embed"} & {t for t, _ in outline.tags}
    for _, attributes in outline.tags:
        assert not {"src", "href", "onclick", "onload"} & set(attributes)
    assert "url(" not in page(manifest())
    assert "@import" not in page(manifest())


def test_what_people_typed_is_text_and_no_markup() -> None:
    values = manifest()
    values["audit"]["events"][0].update(
        state="released", reason="</td><script>alert(1)</script>", who="<img src=x>"
    )
    text = page(values)
    assert "<script" not in text
    assert "<img" not in text
    outline = Outline(text)
    assert "</td><script>alert(1)</script>" in outline.words
    assert "she <agreed> & signed" in outline.words
    render_pdf(make_content(values, {}))  # its paragraphs know markup of their own


def test_no_file_is_named() -> None:
    assert "Smith" not in page(manifest())
    assert b"Smith" not in render_pdf(make_content(manifest(), {}))


def test_it_says_what_was_found_what_was_decided_and_by_whom() -> None:
    values = manifest()
    words = Outline(page(values)).words
    assert "Not verified" in words
    assert "Somebody may be seen in 1 place" in words
    assert "frames 25–28, 0:00.96–0:01.08" in words
    assert "Left visible on purpose" in words
    assert "frames 11–100" in words
    assert "3.4 %" in words
    values["audit"]["events"][0].update(state="released", reason="a poster", who="mrossi")
    values["verified"] = True
    words = Outline(page(values)).words
    assert "Verified" in words
    assert "Released: a poster (mrossi)" in words
    assert "1 person stayed visible on purpose" in words


@pytest.mark.parametrize(
    ("audit", "stamp", "words"),
    [
        (None, "No video", "No video was written"),
        ({"searched": False, "why": "The video was not searched."}, "Not searched", "was not searched"),
    ],
)
def test_what_was_not_searched_is_not_called_searched(audit: Any, stamp: str, words: str) -> None:
    text = Outline(page(manifest(audit=audit))).words
    assert stamp in text
    assert words in text


def test_the_same_manifest_gives_the_same_bytes(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        made.append([p.read_bytes() for p in write_report(manifest(), tmp_path / name, "x")])
    assert made[0] == made[1]
    assert made[0][1].startswith(b"%PDF")
    assert {p.name for p in (tmp_path / "a").iterdir()} == {"x_report.html", "x_report.pdf"}


def test_pictures_are_in_it_only_where_they_are_given() -> None:
    jpeg = cv2.imencode(".jpg", np.full((40, 30, 3), 90, np.uint8))[1].tobytes()
    assert not [a for t, a in Outline(page(manifest())).tags if t == "img"]
    shown = [a for t, a in Outline(page(manifest(), {"1-1": jpeg})).tags if t == "img"]
    assert len(shown) == 1
    assert str(shown[0]["src"]).startswith("data:image/jpeg;base64,")
    assert len(render_pdf(make_content(manifest(), {"1-1": jpeg}))) > len(
        render_pdf(make_content(manifest(), {}))
    )  # fmt: skip


def test_letters_that_the_pdf_has_no_font_for_do_not_stop_it() -> None:
    values = manifest()
    values["audit"]["events"][0].update(state="released", reason="Žižkov 病院 \x00", who="Łukasz")
    assert render_pdf(make_content(values, {})).startswith(b"%PDF")


def test_a_long_report_has_several_pages() -> None:
    values = manifest()
    values["audit"]["events"] = [{**EVENT, "id": f"1-{k}"} for k in range(200)]
    assert render_pdf(make_content(values, {})).count(b"/Type /Page\n") > 4


def test_numbers_read_as_people_write_them() -> None:
    assert number(1, "frame") == "1 frame"
    assert number(3, "person") == "3 people"
    assert [share(v) for v in (0, 0.0341, 0.26)] == ["0 %", "3.4 %", "26 %"]
    assert [clock(s) for s in (0, 7.484, 59.999, 3723)] == ["0:00.00", "0:07.48", "1:00.00", "1:02:03.00"]


def test_it_says_that_limbs_which_nobody_saw_are_left_out() -> None:
    said = "Limbs that nobody saw are covered, and not drawn."
    assert said not in page(MANIFEST)
    chosen = {**MANIFEST["deidentification"], "believed_only": True}
    assert said in page({**MANIFEST, "deidentification": chosen})
    assert said not in page({**MANIFEST, "deidentification": {**chosen, "cover": "head"}})
