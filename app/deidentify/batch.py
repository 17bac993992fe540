"""Many files in a row, each in safety from the others: one bad file never ends the batch.

Files are worked through in a process of their own, so that neither a crash in a decoder nor memory that
one file used up reaches the next. What is finished is written down at once; a batch that was killed goes
on where it stopped.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.deidentify.inputs import BatchInput
from app.deidentify.ledger import Ledger
from app.deidentify.one_file import deidentify_file
from app.deidentify.request import BatchRequest, FileOutcome
from app.deidentify.workplace import workplace
from app.errors import Cancelled, ExportError, FootageError, StorageError, UnderstudyError
from app.pipeline.engine import Engine, default_engine
from app.pipeline.events import (
    CancelledByUser,
    Event,
    Failed,
    FileEnded,
    FileStarted,
    Finished,
    Listener,
    Warned,
)
from app.pipeline.job import Control, how_it_ended
from app.pipeline.process_job import ProcessJob
from backends.errors import BackendError

DONE, KEPT, LEAKS, FAILED, WAITING = "done", "kept", "leaks", "failed", "waiting"
"""States of a file: de-identified now; finished before; somebody may be seen; not made; not begun."""

_POLL_S = 0.2


@dataclass(slots=True)
class FileResult:
    """What came of one file; ``values`` as :func:`deidentify_file` gives them."""

    item: BatchInput
    state: str = WAITING
    message: str = ""
    exit_code: int = 0
    seconds: float = 0.0
    values: dict[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """For JSON: names relative to the output folder only."""
        return {
            "place": self.item.place.as_posix(), "state": self.state, "message": self.message,
            "seconds": round(self.seconds, 2), **self.values,
        }  # fmt: skip


def exit_code_of(results: Iterable[FileResult]) -> int:
    """0 where every file is finished and nobody is known to be seen; else the code of the worst."""
    codes = [r.exit_code for r in results] + [ExportError.exit_code for r in results if r.state == LEAKS]
    return max(codes, default=0)


def run_batch(
    inputs: Sequence[BatchInput], request: BatchRequest, control: Control, listener: Listener, *,
    workers: int = 1, engine: Callable[[], Engine] | None = None,
) -> list[FileResult]:  # fmt: skip
    """De-identify all files; one result each, in order.

    Args:
        workers: processes that work side by side.
        engine: makes the networks in this process, and files are worked through in it; None: in processes
            of their own.

    Asked to stop, it leaves the rest waiting: the same call goes on with them.

    Raises:
        ExportError: another batch writes to the same folder. StorageError: it cannot be written.
    """
    results = [FileResult(item) for item in inputs]
    with workplace(request.out, request.projects) as projects:
        batch = _Batch(request, projects, results, listener)
        batch.refuse_strangers()
        with contextlib.suppress(Cancelled):  # what was not begun says so itself
            if engine is None:
                batch.run_apart(control, max(workers, 1))
            else:
                batch.run_here(control, engine())
    return results


class _Batch:
    """One run over the files; events of workers come in on their own threads."""

    def __init__(
        self, request: BatchRequest, projects: Path, results: list[FileResult], listener: Listener
    ) -> None:
        self._request = request
        self._projects = projects
        self._results = results
        self._listener = listener
        self._ledger = Ledger(request.out)
        self._digest = request.digest()
        self._lock = threading.Lock()
        self._started: dict[int, float] = {}
        self._begun = time.monotonic()
        self._bytes = [_size(r.item.path) for r in results]
        self._side_by_side = False
        self.disk_full = False

    def refuse_strangers(self) -> None:
        """Files under an output's name that no batch made, or that were made otherwise, are not replaced."""
        for result in self._results:
            item, place = result.item, result.item.place.as_posix()
            if self._request.overwrite:
                continue
            target = self._request.out / item.place
            there = [e for e in self._request.endings if target.with_name(item.place.name + e).exists()]
            if there and not self._ledger.knows(place):
                words = f"{item.place.name}{there[0]} is there already."
            elif there and self._ledger.made_otherwise(place, self._digest):
                words = f"{item.place.name}{there[0]} was made with other settings."
            else:
                continue
            result.state, result.exit_code = FAILED, ExportError.exit_code
            result.message = f"{words} Choose another folder, or allow it to be replaced (--overwrite)."

    def waiting(self) -> list[int]:
        """Numbers of files that nobody has begun."""
        return [n for n, r in enumerate(self._results) if r.state == WAITING]

    # --- in this process ---

    def run_here(self, control: Control, engine: Engine) -> None:
        """One file after the other."""
        for number in self.waiting():
            control.check()
            if self.disk_full:
                return
            _work_on(number, self._results[number].item, self._request, self._projects, self._ledger, engine,
                     control, self.take)  # fmt: skip

    # --- in processes ---

    def run_apart(self, control: Control, workers: int) -> None:
        """Files shared out among processes; one that dies costs the file it was at, and is replaced."""
        shares = _shared_out(self.waiting(), self._bytes, workers)
        self._side_by_side = len(shares) > 1
        jobs: list[tuple[ProcessJob, list[int]]] = [self._job(share) for share in shares]
        try:
            while jobs:
                if control.stopped:
                    raise Cancelled("Stopped.")
                for job, share in list(jobs):
                    if not job.wait(_POLL_S / len(jobs)):
                        continue
                    jobs.remove((job, share))
                    left = [n for n in share if self._results[n].state == WAITING]
                    if left and left[0] in self._started:
                        self._give_up(left.pop(0))
                    if left and not self.disk_full:
                        jobs.append(self._job(left))
        finally:
            for job, _ in jobs:
                job.cancel()
            for job, _ in jobs:
                job.wait(10.0)

    def _job(self, share: list[int]) -> tuple[ProcessJob, list[int]]:
        items = [(n, self._results[n].item) for n in share]
        arguments = (items, self._request, self._projects)
        return ProcessJob("batch", batch_task, arguments, self.take, polite=False), share

    def _give_up(self, number: int) -> None:
        self._end(number, FileOutcomeOrError(error=(
            "The work on this file ended unexpectedly: it may be damaged in a way that breaks the decoder, "
            "or need more memory than there is.", FootageError.exit_code,
        )))  # fmt: skip

    # --- what the work tells ---

    def take(self, event: Event) -> None:
        """An event of the work, on whatever thread."""
        with self._lock:
            if isinstance(event, FileStarted):
                self._started[event.index] = time.monotonic()
                place = self._results[event.index].item.place.as_posix()
                self._note(lambda: self._ledger.begin(place))
                self._listener(FileStarted(
                    event.index + 1, len(self._results), event.name, self._remaining_s()
                ))  # fmt: skip
            elif isinstance(event, FileEnded):
                self._end(event.index, event.result["told"])
            elif isinstance(event, Failed):
                self._listener(Warned(event.message))
            elif isinstance(event, Warned) or not (
                self._side_by_side or isinstance(event, Finished | CancelledByUser)
            ):
                self._listener(event)  # of files side by side, only what is said of each as a whole

    def _end(self, number: int, told: FileOutcomeOrError) -> None:
        result = self._results[number]
        result.seconds = time.monotonic() - self._started.get(number, time.monotonic())
        if told.error is not None:
            result.state, (result.message, result.exit_code) = FAILED, told.error
            self.disk_full = self.disk_full or result.exit_code == StorageError.exit_code
        else:
            outcome = told.outcome
            assert outcome is not None
            if isinstance(outcome, FileOutcome):
                result.values, result.state = dict(outcome.result), DONE
                place, files, values = result.item.place.as_posix(), outcome.files, dict(outcome.result)
                source = outcome.source
                self._note(lambda: self._ledger.finish(place, source, self._digest, files, values))
            else:
                result.values, result.state = dict(outcome), KEPT
            result.message = str(result.values.pop("message", ""))
            if _may_be_seen(result.values, asked=self._request.audit):
                result.state = LEAKS
        self._listener(
            FileEnded(number + 1, len(self._results), result.item.place.as_posix(), result.plain())
        )

    def _note(self, write: Callable[[], None]) -> None:
        """Write into the ledger; where that fails the disk is full and the batch ends after this file."""
        try:
            write()
        except UnderstudyError as error:
            self.disk_full = True
            self._listener(Warned(str(error)))

    def _remaining_s(self) -> float | None:
        """From the bytes of what is done; None while nothing is."""
        pairs = list(zip(self._bytes, self._results))
        done = sum(b for b, r in pairs if r.state in (DONE, LEAKS) and r.seconds > 1)
        left = sum(b for b, r in pairs if r.state == WAITING)
        return (time.monotonic() - self._begun) * left / done if done else None


@dataclass(frozen=True, slots=True)
class FileOutcomeOrError:
    """What a worker tells of a file: the outcome, or words with an exit code."""

    outcome: FileOutcome | dict[str, Any] | None = None
    error: tuple[str, int] | None = None


def batch_task(
    control: Control, listener: Listener, items: Sequence[tuple[int, BatchInput]], request: BatchRequest,
    projects: Path,
) -> dict[str, Any]:  # fmt: skip
    """A share of a batch, in a process of its own."""
    ledger, engine = Ledger(request.out), default_engine()
    for number, item in items:
        control.check()
        full = _work_on(number, item, request, projects, ledger, engine, control, listener)
        if full:
            break
    return {}


def _work_on(
    number: int, item: BatchInput, request: BatchRequest, projects: Path, ledger: Ledger, engine: Engine,
    control: Control, listener: Listener,
) -> bool:  # fmt: skip
    """One file from beginning to end, whatever happens; whether the disk is full.

    Raises:
        Cancelled: asked to stop.
    """
    place, digest = item.place.as_posix(), request.digest()
    listener(FileStarted(number, 0, item.path.name))
    try:
        outcome = deidentify_file(
            item, request, projects, engine, control, listener,
            lambda source: ledger.finished(place, source, digest),
        )  # fmt: skip
        told = FileOutcomeOrError(outcome)
    except Cancelled:
        raise
    except (UnderstudyError, BackendError) as error:
        code = error.exit_code if isinstance(error, UnderstudyError) else FootageError.exit_code
        told = FileOutcomeOrError(error=(str(error), code))
    except Exception as error:
        ended = how_it_ended(error)
        assert isinstance(ended, Failed)
        told = FileOutcomeOrError(error=(ended.message, UnderstudyError.exit_code))
    listener(FileEnded(number, 0, item.path.name, {"told": told}))
    return told.error is not None and told.error[1] == StorageError.exit_code


def _may_be_seen(values: dict[str, Any], *, asked: bool) -> bool:
    """Whether somebody may be seen: the video was to be searched and is not verified, or nobody searched it
    and not everybody was covered."""
    if asked:
        return not values["verified"]
    return bool(values["uncovered"]) and not values["searched"]


def _size(path: Path) -> int:
    try:
        if path.is_dir():
            return sum(f.stat().st_size for f in path.iterdir() if f.is_file())
        return path.stat().st_size
    except OSError:
        return 0


def _shared_out(numbers: Sequence[int], sizes: Sequence[int], workers: int) -> list[list[int]]:
    """Shares of about the same size, each in order; none is empty."""
    shares: list[list[int]] = [[] for _ in range(min(workers, len(numbers)))]
    weight = [0] * len(shares)
    for number in sorted(numbers, key=lambda n: -sizes[n]):
        least = weight.index(min(weight))
        shares[least].append(number)
        weight[least] += sizes[number] + 1
    return [sorted(share) for share in shares]
