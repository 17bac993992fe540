"""``understudy deidentify`` as it is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from app.cli import main
from app.cli.deidentify import parse_span
from app.deidentify import batch
from app.deidentify.batch import FileResult
from app.deidentify.inputs import BatchInput
from app.deidentify.request import BatchRequest
from app.review.types import DeidSettings

VALUES = {
    "frames": 240, "people": 2, "events": 3, "open_events": 0, "searched": True, "verified": True,
    "uncovered": 0, "outputs": ["a_deidentified.mp4"], "tracks": [1, 2],
}  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[BatchRequest]:
    """Requests that reach the batch; it answers with one file done, one with a leak, one not read."""
    requests: list[BatchRequest] = []

    def answer(
        inputs: list[BatchInput], request: BatchRequest, *rest: object, **kw: object
    ) -> list[FileResult]:
        requests.append(request)
        rows = [
            FileResult(inputs[0], "done", seconds=12.0, values=VALUES),
            FileResult(inputs[0], "leaks", seconds=9.0, values={**VALUES, "open_events": 2}),
            FileResult(inputs[0], "failed", "It is empty (0 bytes).", 3),
        ]
        return rows[: 1 if request.report else 3]

    monkeypatch.setattr(batch, "run_batch", answer)
    monkeypatch.setattr("app.pipeline.engine.require_networks", lambda: None)
    monkeypatch.setattr("app.audit.run.require_audit_networks", lambda: None)
    return requests


def test_options_become_settings(asked: list[BatchRequest], tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    given = [str(tmp_path / "a.mp4"), "-o", str(tmp_path / "out")]
    assert main(["deidentify", *given]) == 0
    assert asked[-1] == BatchRequest(tmp_path / "out", DeidSettings())
    options = (
        "--what face --how pixelate --keep-audio --codec h265 --between 00:10-00:20 --no-audit --dicom video"
    )
    assert main(["deidentify", *given, *options.split(), "--spare", "2", "--reason", "agreed"]) == 0
    assert asked[-1].deid == DeidSettings("face", "pixels", "original", True, "clothed", "h265")
    assert (asked[-1].between, asked[-1].audit, asked[-1].dicom) == ((10.0, 20.0), False, "video")
    assert (asked[-1].spare, asked[-1].reason) == ((2,), "agreed")
    assert main(["deidentify", *given, "--how", "remove"]) == 0
    assert asked[-1].deid.background == "plate"


def test_the_table_says_what_came_of_each_file(
    asked: list[BatchRequest], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    given = ["deidentify", str(tmp_path / "a.mp4"), "-o", str(tmp_path / "out"), "--no-report"]
    assert main(given) == 6
    out = capsys.readouterr().out
    for words in ("somebody may be seen", "2 of 3 open", "0 of 3 open", "It is empty (0 bytes).",
                  "--projects", "1 of 3 files finished"):  # fmt: skip
        assert words in out, (words, out)
    assert main([*given, "--json"]) == 6
    told = json.loads(capsys.readouterr().out)
    assert [f["state"] for f in told["files"]] == ["done", "leaks", "failed"]
    assert told["exit_code"] == 6


def test_wrong_usage_and_nothing_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    (tmp_path / "none").mkdir()
    a, out = str(tmp_path / "a.mp4"), str(tmp_path / "out")
    for arguments, code, words in (
        ([a, "-o", out, "--spare", "1"], 2, "--reason"),
        ([a, "-o", out, "--between", "20-10"], 2, "ends before it begins"),
        ([a, "-o", out, "--device", "abacus"], 8, "abacus"),
        ([str(tmp_path / "none"), "-o", out], 3, "no video"),
        ([a, "-o", a], 6, "is a file"),
        ([str(tmp_path), "-o", str(tmp_path)], 6, "folder of the footage"),
    ):
        assert main(["deidentify", *arguments]) == code, arguments
        assert words in " ".join(capsys.readouterr().err.split())


def test_spans_of_time_are_read() -> None:
    assert parse_span("00:10-00:20") == (10, 20)
    assert parse_span("1:02:03 - 1:05:00.5") == (3723, 3900.5)
    assert parse_span("10-20.5") == (10, 20.5)
    assert parse_span(None) is None
    for text in ("ten-twenty", "10", "10-", "-5-3", "20-10", "5-5"):
        with pytest.raises(typer.BadParameter):
            parse_span(text)
