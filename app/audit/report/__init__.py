"""The report of an export: a page and a PDF that say the same, for whoever has to believe it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.audit.report.content import make_content
from app.audit.report.page import render_page
from app.audit.report.pdf import render_pdf
from app.export.atomic import written_whole

_PAGE, _PDF = "_report.html", "_report.pdf"


def report_paths(folder: Path, stem: str) -> tuple[Path, Path]:
    """Where the page and the PDF lie; the manifest is the same for machines."""
    return folder / f"{stem}{_PAGE}", folder / f"{stem}{_PDF}"


def write_report(
    manifest: Mapping[str, Any], folder: Path, stem: str, pictures: Mapping[str, bytes] | None = None
) -> tuple[Path, Path]:
    """Write both; the same manifest gives the same bytes.

    Args:
        pictures: by the finding's id, a JPEG; only where somebody has asked for pictures of patients.

    Returns:
        The page and the PDF.

    Raises:
        StorageError, ExportError: they cannot be written.
    """
    content = make_content(manifest, pictures or {})
    page, pdf = report_paths(folder, stem)
    with written_whole(page) as part:
        part.write_text(render_page(content), encoding="utf-8", newline="\n")
    with written_whole(pdf) as part:
        part.write_bytes(render_pdf(content))
    return page, pdf
