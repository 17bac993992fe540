"""What goes wrong with data sets."""

from __future__ import annotations

from pathlib import Path

from app.errors import UnderstudyError


class DataSetError(UnderstudyError):
    """A data set cannot be read: missing, damaged, or laid out in another way than it should be."""

    exit_code = 3


def damaged(path: Path, what: str) -> DataSetError:
    """One wording for files that do not hold what they should."""
    return DataSetError(f"{path.name} is damaged or of another layout: {what}. Get the file again.")
