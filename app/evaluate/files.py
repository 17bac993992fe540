"""The report on the disk: the page, and JSON."""

from __future__ import annotations

import json
from pathlib import Path

from app.errors import StorageError
from app.evaluate.page import html_page
from app.evaluate.report import Report
from app.export.atomic import written_whole


def write_html(report: Report, path: Path) -> None:
    """Write the page; an existing file is replaced once the new one is whole.

    Raises:
        StorageError, ExportError: it cannot be written.
    """
    _write(path, html_page(report))


def write_json(report: Report, path: Path) -> None:
    """Write :meth:`Report.to_dict` as JSON.

    Raises:
        StorageError, ExportError: it cannot be written.
    """
    _write(path, json.dumps(report.to_dict(), indent=2, allow_nan=False) + "\n")


def _write(path: Path, text: str) -> None:
    if path.is_dir():
        raise StorageError(f"{path.name} is a folder. Name a file in it.")
    if not path.resolve().parent.is_dir():
        raise StorageError(f"There is no folder {path.parent} to write {path.name} to. Make it first.")
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8")
