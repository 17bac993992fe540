"""Which processor the work runs on, and batches that shrink when memory runs out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.errors import UnderstudyError

T = TypeVar("T")
R = TypeVar("R")


class DeviceError(UnderstudyError):
    """The device that was asked for is not in this machine."""

    exit_code = 8


@dataclass(frozen=True, slots=True)
class Device:
    """A processor: ``kind`` "cpu", "cuda" or "mps"; ``label`` as the status bar shows it."""

    kind: str
    label: str


def cpu() -> Device:
    """The machine's own processor."""
    cores = os.cpu_count() or 1
    return Device("cpu", f"CPU, {cores} core{'s' if cores != 1 else ''}")


def choose_device(wanted: str = "auto") -> Device:
    """The device to use.

    Args:
        wanted: "auto" (the best there is), "cpu", "cuda" or "mps".

    Raises:
        DeviceError: for a device that this machine lacks, or an unknown word.
    """
    if wanted == "cpu":
        return cpu()
    if wanted not in ("auto", "cuda", "mps"):
        raise DeviceError(f"There is no device '{wanted}'. Choose auto, cpu, cuda or mps.")
    import torch  # takes seconds to import, so only where the answer depends on it

    if wanted in ("auto", "cuda") and torch.cuda.is_available():
        return Device("cuda", f"GPU, {torch.cuda.get_device_name(0)}")
    if wanted in ("auto", "mps") and torch.backends.mps.is_available():
        return Device("mps", "GPU, Apple")
    if wanted == "auto":
        return cpu()
    name = {"cuda": "NVIDIA GPU (CUDA)", "mps": "Apple GPU (MPS)"}[wanted]
    raise DeviceError(f"This machine has no {name} that PyTorch can use. Choose auto or cpu.")


def is_out_of_memory(error: BaseException) -> bool:
    """True for numpy's, Python's and PyTorch's ways of saying that memory ran out."""
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"


class AdaptiveBatch:
    """Splits work into batches and halves them for good when memory runs out."""

    def __init__(self, size: int) -> None:
        self.size = size

    def run(self, items: Sequence[T], work: Callable[[Sequence[T]], list[R]]) -> Iterator[R]:
        """``work`` over all ``items``, in order, in batches as large as memory allows.

        Raises:
            MemoryError: (or PyTorch's own) when even one item at a time does not fit.
        """
        start = 0
        while start < len(items):
            batch = items[start : start + self.size]
            try:
                results = work(batch)
            except Exception as error:
                if not is_out_of_memory(error) or self.size == 1:
                    raise
                self.size = max(1, self.size // 2)
                continue
            yield from results
            start += len(batch)
