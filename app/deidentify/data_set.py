"""A whole action data set, clip by clip: the tree and the splits stay, people become meshes."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.deidentify.batch import FAILED, WAITING, FileResult, run_batch
from app.deidentify.clips import INTERMEDIATE
from app.deidentify.inputs import BatchInput, find_inputs, places_of
from app.deidentify.request import BatchRequest
from app.deidentify.splits import Split, read_split, write_split
from app.errors import ExportError, FootageError
from app.export.atomic import written_whole
from app.pipeline.engine import Engine
from app.pipeline.events import Listener
from app.pipeline.job import Control

TABLE = "conversion.csv"
_COLUMNS = (
    "clip", "state", "frames", "fps", "people", "events", "open_events", "verified", "occluded",
    "occlusion_fault", "message",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Conversion:
    """What came of a data set.

    Attributes:
        splits: name, lines kept, lines left out.
        missing: clips that a split names and the tree does not hold.
    """

    results: list[FileResult]
    splits: tuple[tuple[str, int, int], ...]
    missing: tuple[str, ...]

    @property
    def faults(self) -> list[FileResult]:
        """Clips in which a mesh covers what stood before a person."""
        return [r for r in self.results if r.values.get("occlusion_fault")]


def convert_data_set(
    tree: Path, splits: Sequence[Path], request: BatchRequest, control: Control, listener: Listener, *,
    workers: int = 1, engine: Engine | None = None,
) -> Conversion:  # fmt: skip
    """De-identify the clips of a data set: those that the splits name, or all.

    Clips in which somebody may be seen keep "_unverified" in their names and stay out of the new splits.
    A table (conversion.csv) says what came of each clip.

    Args:
        engine: works in this process; None: in processes of their own.

    Raises:
        FootageError: no tree, or a split that cannot be read. ExportError, StorageError: see
            :func:`app.deidentify.batch.run_batch`.
    """
    if not tree.is_dir():
        raise FootageError(f"There is no folder {tree.name}. Name the folder of the data set.")
    if request.clips is None:
        raise ExportError("A data set needs a form for its clips.")
    read = [read_split(path, tree) for path in splits]
    inputs = find_inputs([str(tree)], request.out)
    if read:
        wanted = {line.clip for split in read for line in split.lines if line.clip is not None}
        known = {item.path.resolve() for item in inputs}
        extra = [BatchInput(clip, place) for clip, place in places_of(wanted - known, tree.resolve())]
        inputs = [i for i in inputs if i.path.resolve() in wanted] + extra
    if not inputs:
        raise FootageError(f"There is no video in the folder {tree.name}.")
    maker = None if engine is None else (lambda: engine)
    results = run_batch(inputs, request, control, listener, workers=workers, engine=maker)
    _write_table(results, request.out / TABLE)
    written = tuple(_write_split(split, tree, request.out, results) for split in read)
    missing = tuple(dict.fromkeys(name for split in read for name in split.missing))
    return Conversion(results, written, missing)


def _write_split(split: Split, tree: Path, out: Path, results: Sequence[FileResult]) -> tuple[str, int, int]:
    outputs: dict[Path, Path] = {}
    left_out: set[Path] = set()
    for result in results:
        clip = result.item.path.resolve()
        videos = [Path(o) for o in result.values.get("outputs", ()) if not o.startswith(INTERMEDIATE)]
        if result.state in (FAILED, WAITING) or not videos:
            left_out.add(clip)
            continue
        outputs[clip] = out / videos[0]
        if videos[0].stem.endswith("_unverified"):
            left_out.add(clip)
    own = split.path.resolve()
    inside = own.relative_to(tree.resolve()) if own.is_relative_to(tree.resolve()) else Path(own.name)
    kept, dropped = write_split(split, out / inside, outputs, left_out)
    return inside.as_posix(), kept, dropped


def _write_table(results: Sequence[FileResult], target: Path) -> None:
    with written_whole(target) as part, part.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(_COLUMNS)
        for result in results:
            plain: dict[str, Any] = {**result.plain(), "clip": result.item.place.as_posix()}
            table.writerow([plain.get(name, "") for name in _COLUMNS])
