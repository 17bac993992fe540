"""Split files of action data sets: which clips are for training and which for testing, with their labels.

Every usual layout is read (commas, semicolons, tabs, or "path label" with a space; with a header or
without; paths with an ending or without, relative to the tree or absolute), and written back as it was,
line by line, with only the clip's name changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.deidentify.inputs import VIDEOS
from app.errors import FootageError
from app.export.atomic import written_whole

_LOOKED_AT = 200
"""Lines in which the column of the clips is looked for."""


@dataclass(frozen=True, slots=True)
class SplitLine:
    """One line: its fields as they stand, and the clip that it names; None of a header or a missing clip."""

    fields: tuple[str, ...]
    clip: Path | None


@dataclass(frozen=True, slots=True)
class Split:
    """A split file; ``column`` names the clips."""

    path: Path
    delimiter: str
    column: int
    lines: tuple[SplitLine, ...]
    has_header: bool

    @property
    def missing(self) -> list[str]:
        """Clips that are named and not there."""
        lines = self.lines[1:] if self.has_header else self.lines
        return [line.fields[self.column] for line in lines if line.clip is None and any(line.fields)]


def read_split(path: Path, tree: Path) -> Split:
    """Read a split file of the data set at ``tree``.

    Raises:
        FootageError: it cannot be read, or no line of it names a clip of the tree.
    """
    try:
        rows = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FootageError(f"The split file {path.name} cannot be read.") from error
    rows = [row for row in rows if row.strip()]
    sample = rows[min(1, len(rows) - 1)] if rows else ""
    delimiter = next((d for d in (",", ";", "\t") if d in sample), " ")
    fields = [tuple(r.rsplit(" ", 1) if delimiter == " " else r.split(delimiter)) for r in rows]
    tree = tree.resolve()
    hits: dict[int, int] = {}
    for row in fields[:_LOOKED_AT]:
        for column, text in enumerate(row):
            if _clip(text, tree) is not None:
                hits[column] = hits.get(column, 0) + 1
    if not hits:
        raise FootageError(f"No line of {path.name} names a clip in the folder {tree.name}.")
    column = max(hits, key=lambda c: hits[c])
    lines = tuple(SplitLine(row, _clip(row[column], tree) if column < len(row) else None) for row in fields)
    first = lines[0]
    return Split(path, delimiter, column, lines, first.clip is None and _is_header(first, column))


def _is_header(line: SplitLine, column: int) -> bool:
    """A header names a column in plain words: no folder, no ending of a video, no number beside it."""
    text = line.fields[column] if column < len(line.fields) else ""
    others = [f.strip() for n, f in enumerate(line.fields) if n != column]
    named = "/" in text or "\\" in text or Path(text).suffix.lower() in VIDEOS
    return not named and not any(other.lstrip("-").isdigit() for other in others)


def _clip(text: str, tree: Path) -> Path | None:
    """The clip that a field names, inside the tree."""
    name = text.strip().strip('"')
    if not name or "\x00" in name:
        return None
    path = (tree / name).resolve()
    if not path.is_relative_to(tree) or path == tree:
        return None
    try:
        if path.is_file():
            return path if path.suffix.lower() in VIDEOS else None
        for ending in sorted(VIDEOS):
            with_ending = path.with_name(path.name + ending)
            if with_ending.is_file():
                return with_ending
    except OSError:  # a field that is far too long for a name
        return None
    return None


def write_split(
    split: Split, target: Path, outputs: Mapping[Path, Path], left_out: Collection[Path]
) -> tuple[int, int]:
    """Write the split of the new tree; clips that are missing there are left out.

    Args:
        outputs: by clip, its new place.
        left_out: clips that shall not be in it.

    Returns:
        How many lines were kept, and how many were left out.
    """
    kept: list[str] = []
    n = dropped = 0
    for number, line in enumerate(split.lines):
        if split.has_header and number == 0:
            kept.append(split.delimiter.join(line.fields))
            continue
        if line.clip is None or line.clip in left_out or line.clip not in outputs:
            dropped += 1
            continue
        fields = list(line.fields)
        fields[split.column] = _renamed(fields[split.column], outputs[line.clip])
        kept.append(split.delimiter.join(fields))
        n += 1
    target.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(target) as part:
        part.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return n, dropped


def _renamed(text: str, output: Path) -> str:
    """The field with the new name, in the way in which the old one was written."""
    name = text.strip().strip('"')
    quote = '"' if text.strip().startswith('"') else ""
    if Path(name).is_absolute():
        return f"{quote}{output}{quote}"
    if Path(name).suffix.lower() in VIDEOS:
        return f"{quote}{Path(name).with_name(output.name).as_posix()}{quote}"
    return text
