"""ONNX networks through ONNX Runtime, for pictures of any size.

Many are stored for one size of picture though they are nothing but convolutions. ONNX Runtime takes that size
at its word, so it is struck out first; and it folds constants only where they are not listed among the
inputs, as older exporters do.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from backends.errors import WeightsError

F4 = npt.NDArray[np.float32]

_CHANNELS = 1
"""Place of the one dimension of (N, C, H, W) that stays."""

_CHUNK = 1 << 20

_QUIET = 3
"""ONNX Runtime's level from which on it writes to the console: errors, which come as exceptions too."""


class PictureNetwork:
    """A network that is nothing but convolutions, with one picture as input. Threads may share it: each call
    computes in the thread that makes it."""

    def __init__(self, path: Path, outputs: Sequence[str], model_id: str) -> None:
        """Load and check.

        Args:
            outputs: names of those that are read, in the order in which :meth:`run` returns them; nothing is
                computed for others.
            model_id: what to type to install it.

        Raises:
            WeightsError: missing, damaged, or another network.
        """
        if not path.is_file():
            raise WeightsError(
                f"The network {path.name} is not there. Type: understudy models install {model_id}"
            )
        damaged = f"The network {path.name} is damaged. Type: understudy models verify"
        try:
            model = of_any_size(path.read_bytes(), outputs)
        except ValueError as error:
            raise WeightsError(damaged) from error
        except LookupError as error:
            raise WeightsError(f"{path.name} is another network than the one that is needed here.") from error
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _QUIET
        options.enable_mem_pattern = False  # pictures come in many sizes: a plan for each would only grow
        _share_memory()
        options.add_session_config_entry("session.use_env_allocators", "1")
        try:
            self._session: Any = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # each kind of fault has a class of its own, which the library hides
            raise WeightsError(damaged) from error
        self._input = str(self._session.get_inputs()[0].name)
        self._outputs = list(outputs)

    def run(self, pictures: F4) -> list[F4]:
        """The outputs for (N, C, H, W)."""
        found = self._session.run(self._outputs, {self._input: pictures})
        return [np.asarray(o, dtype=np.float32) for o in found]


@cache
def _share_memory() -> None:
    """Let all networks of the process take memory by the piece that is asked for, from one store.

    By default each has a store of its own that grows by doubling: with pictures of many sizes it is never
    filled, and goes on growing. A second call is an error to the library, hence the cache.
    """
    import onnxruntime as ort

    kind = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    as_requested = {
        "max_mem": 0, "arena_extend_strategy": 1, "initial_chunk_size_bytes": _CHUNK,
        "max_dead_bytes_per_chunk": _CHUNK,
    }  # fmt: skip
    ort.create_and_register_allocator(kind, ort.OrtArenaCfg(as_requested))


def of_any_size(model: bytes, outputs: Sequence[str]) -> bytes:
    """An ONNX file's bytes, for any number of pictures of any size, with these outputs only.

    Raises:
        ValueError: no ONNX file, a damaged one, or one that wants other files read.
        LookupError: it has no such output, or several inputs.
    """
    try:
        network = onnx.load_model_from_string(model)
    except Exception as error:  # the parser's own class is not exported everywhere
        raise ValueError("no ONNX file") from error
    graph = network.graph
    if not graph.node:
        raise ValueError("no graph")
    if any(t.data_location == onnx.TensorProto.EXTERNAL for t in graph.initializer):
        raise ValueError("constants in other files")
    constants = {t.name for t in graph.initializer}
    inputs = [i for i in graph.input if i.name not in constants]
    named = {o.name: o for o in graph.output}
    if len(inputs) != 1 or not set(outputs) <= set(named):
        raise LookupError("other inputs or outputs")
    kept = [named[name] for name in outputs]
    _keep(graph.node, _needed(graph, outputs))
    read = {name for node in graph.node for name in node.input}
    _keep(graph.initializer, [t for t in graph.initializer if t.name in read])
    _keep(graph.input, inputs)
    _keep(graph.output, kept)
    del graph.value_info[:]
    for value in (*graph.input, *graph.output):
        for place, dim in enumerate(value.type.tensor_type.shape.dim):
            if place != _CHANNELS:
                dim.dim_param = f"{value.name}:{place}"
    whole: bytes = network.SerializeToString()
    return whole


def _needed(graph: Any, outputs: Sequence[str]) -> list[Any]:
    """The nodes without which the outputs cannot be had, in their order."""
    wanted, nodes = set(outputs), []
    for node in reversed(graph.node):
        if wanted & set(node.output):
            wanted |= set(node.input)
            nodes.append(node)
    return nodes[::-1]


def _keep(field: Any, members: Sequence[Any]) -> None:
    """Let a repeated field hold these of its members only."""
    copies = [type(m).FromString(m.SerializeToString()) for m in members]
    del field[:]
    field.extend(copies)
