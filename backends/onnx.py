"""ONNX networks through ONNX Runtime, for pictures of any size.

Many are stored for one size of picture though they are nothing but convolutions. ONNX Runtime takes that size
at its word, so it is struck out of the file's text first; and it folds constants only where they are not
listed among the inputs, as older exporters do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backends.errors import WeightsError

F4 = npt.NDArray[np.float32]

# Field numbers of onnx.proto: ModelProto, GraphProto, NodeProto, TensorProto, ValueInfoProto, TypeProto.
_GRAPH = 7
_NODE, _INITIALIZER, _INPUT, _OUTPUT, _VALUE_INFO = 1, 5, 11, 12, 13
_NODE_INPUT, _NODE_OUTPUT = 1, 2
_TENSOR_NAME, _VALUE_NAME = 8, 1
_TYPE, _TENSOR_TYPE, _SHAPE, _DIM = 2, 1, 2, 1
_DIM_VALUE, _DIM_NAME = 1, 2

_BYTES = 2
"""The wire type of everything that has a length: text, messages, packed numbers."""
_LENGTHS = {1: 8, 5: 4}

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


def of_any_size(model: bytes, outputs: Sequence[str]) -> bytes:
    """An ONNX file's bytes, for any number of pictures of any size, with these outputs only.

    Raises:
        ValueError: no ONNX file, or a damaged one. LookupError: it has no such output, or several inputs.
    """
    parts = [
        (number, kind, _graph(value, outputs) if number == _GRAPH and kind == _BYTES else value)
        for number, kind, value in _fields(model)
    ]
    if not any(number == _GRAPH for number, _, _ in parts):
        raise ValueError("no graph")
    return b"".join(_field(*p) for p in parts)


def _graph(graph: bytes, outputs: Sequence[str]) -> bytes:
    fields = list(_fields(graph))
    constants = {_text(value, _TENSOR_NAME) for number, _, value in fields if number == _INITIALIZER}
    inputs = [v for number, _, v in fields if number == _INPUT and _text(v, _VALUE_NAME) not in constants]
    named = {_text(value, _VALUE_NAME): value for number, _, value in fields if number == _OUTPUT}
    if len(inputs) != 1 or not set(outputs) <= set(named):
        raise LookupError("other inputs or outputs")
    needed, nodes = set(outputs), []
    for node in reversed([value for number, _, value in fields if number == _NODE]):
        if needed & set(_texts(node, _NODE_OUTPUT)):
            needed |= set(_texts(node, _NODE_INPUT))
            nodes.append(node)
    kept = [
        (number, kind, value) for number, kind, value in fields
        if number not in (_NODE, _INPUT, _OUTPUT, _VALUE_INFO)
        and not (number == _INITIALIZER and _text(value, _TENSOR_NAME) not in needed)
    ]  # fmt: skip
    kept += [(_NODE, _BYTES, node) for node in reversed(nodes)]
    kept += [(_INPUT, _BYTES, _resized(inputs[0]))]
    kept += [(_OUTPUT, _BYTES, _resized(named[name])) for name in outputs]
    return b"".join(_field(*f) for f in kept)


def _resized(value: bytes) -> bytes:
    """A description of an input or output (N, C, H, W) in which only C is a number."""
    name = _text(value, _VALUE_NAME)
    dims = 0

    def dim(old: bytes) -> bytes:
        nonlocal dims
        dims += 1
        if dims == 2:  # channels
            return old
        return _field(_DIM_NAME, _BYTES, f"{name}:{dims}".encode())

    shape = partial(_changed, number=_DIM, change=dim)
    tensor = partial(_changed, number=_SHAPE, change=shape)
    kind = partial(_changed, number=_TENSOR_TYPE, change=tensor)
    return _changed(value, number=_TYPE, change=kind)


def _changed(message: bytes, *, number: int, change: Any) -> bytes:
    """A message in which every field of one number is replaced by what ``change`` makes of it."""
    return b"".join(
        _field(n, kind, change(value) if n == number and kind == _BYTES else value)
        for n, kind, value in _fields(message)
    )


def _texts(message: bytes, number: int) -> list[str]:
    return [v.decode() for n, kind, v in _fields(message) if n == number and kind == _BYTES]


def _text(message: bytes, number: int) -> str:
    return next(iter(_texts(message, number)), "")


def _fields(message: bytes) -> Iterator[tuple[int, int, bytes]]:
    """A Protocol Buffers message as (field number, wire type, value as it is stored, without its length).

    Raises:
        ValueError: it is none.
    """
    at, end = 0, len(message)
    while at < end:
        key, at = _number(message, at)
        kind, start = key & 7, at
        if kind == 0:
            _, at = _number(message, at)
        elif kind == _BYTES:
            length, start = _number(message, at)
            at = start + length
        elif kind in _LENGTHS:
            at += _LENGTHS[kind]
        else:
            raise ValueError("unknown wire type")
        if at > end or key < 8:
            raise ValueError("cut short")
        yield key >> 3, kind, message[start:at]


def _number(message: bytes, at: int) -> tuple[int, int]:
    """A number of variable length at a place, and the place behind it."""
    value = shift = 0
    while True:
        if at >= len(message) or shift > 63:
            raise ValueError("cut short")
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _coded(value: int) -> bytes:
    result = bytearray()
    while value > 127:
        result.append(value & 127 | 128)
        value >>= 7
    result.append(value)
    return bytes(result)


def _field(number: int, kind: int, value: bytes) -> bytes:
    key = _coded(number << 3 | kind)
    return key + _coded(len(value)) + value if kind == _BYTES else key + value
