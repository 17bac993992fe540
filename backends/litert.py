"""TFLite networks through LiteRT: one small wrapper that knows outputs by their shape."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backends.errors import WeightsError

F4 = npt.NDArray[np.float32]

_STDERR = 2
_quiet = threading.Lock()


@contextlib.contextmanager
def _without_greeting() -> Iterator[None]:
    """Keep the library's own lines ("INFO: Created ... delegate") out of what a person reads.

    They come from C++ and know no switch. Errors come as exceptions, so nothing is lost.
    """
    with _quiet:
        try:
            kept, nowhere = os.dup(_STDERR), os.open(os.devnull, os.O_WRONLY)
        except OSError:  # a program without a console
            yield
            return
        try:
            os.dup2(nowhere, _STDERR)
            yield
        finally:
            os.dup2(kept, _STDERR)
            os.close(kept)
            os.close(nowhere)


class Network:
    """A network with one picture as input. Not thread-safe: give each thread its own."""

    def __init__(
        self, path: Path, *, input_size: int, outputs: tuple[tuple[int, ...], ...], threads: int = 2
    ) -> None:
        """Load and check.

        Args:
            input_size: the picture's side in pixels, (1, S, S, 3) float32.
            outputs: the shapes that are read, in the order in which :meth:`run` returns them; of several of
                one shape, the network's first comes first.

        Raises:
            WeightsError: missing, damaged, or another network.
        """
        from ai_edge_litert.interpreter import Interpreter

        if not path.is_file():
            raise WeightsError(f"The network {path.name} is not there. Type: understudy models install")
        try:
            with _without_greeting():
                self._interpreter: Any = Interpreter(model_path=str(path), num_threads=threads)
                self._interpreter.allocate_tensors()
            details = self._interpreter.get_input_details()
            found = self._interpreter.get_output_details()
        except (ValueError, RuntimeError) as error:
            raise WeightsError(
                f"The network {path.name} is damaged. Type: understudy models verify"
            ) from error
        shapes: dict[tuple[int, ...], list[int]] = {}
        for d in found:
            shapes.setdefault(tuple(int(v) for v in d["shape"]), []).append(int(d["index"]))
        expected = (1, input_size, input_size, 3)
        if (
            len(details) != 1
            or tuple(details[0]["shape"]) != expected
            or any(outputs.count(o) > len(shapes.get(o, [])) for o in outputs)
        ):
            raise WeightsError(f"{path.name} is another network than the one that is needed here.")
        self._input = int(details[0]["index"])
        self._outputs = [shapes[o].pop(0) for o in outputs]

    def run(self, image: F4) -> list[F4]:
        """The outputs (without the batch dimension) for one picture (S, S, 3)."""
        self._interpreter.set_tensor(self._input, image[None])
        self._interpreter.invoke()
        return [np.asarray(self._interpreter.get_tensor(i)[0], dtype=np.float32) for i in self._outputs]
