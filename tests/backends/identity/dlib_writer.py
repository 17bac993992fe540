"""Writes small networks as dlib writes them, for tests of the reader."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

STAGES = ((32, 1, False), (40, 2, True), (40, 1, True))


def number(value: int) -> bytes:
    size = max((abs(value).bit_length() + 7) // 8, 1)
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def numbers(*values: int) -> bytes:
    return b"".join(number(v) for v in values)


def fraction(value: float) -> bytes:
    mantissa, exponent = np.frexp(np.float32(value))
    return numbers(int(mantissa * 2**24), int(exponent) - 24)


def text(value: str) -> bytes:
    return number(len(value)) + value.encode()


def tensor(values: np.ndarray, *shape: int) -> bytes:
    return numbers(2, *shape) + struct.pack(f"<{values.size}f", *values.ravel())


STATE = b"110" + numbers(2, 0, 0, 0, 0) * 3
MEAN = (122.5, 117.0, 104.25)


@dataclass
class Network:
    """A random network of a few layers: what was written, and its parameters in the file's order."""

    stages: Sequence[tuple[int, int, bool]] = STAGES
    seed: int = 0
    convolutions: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)
    last: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def written(self) -> bytes:
        rng = np.random.default_rng(self.seed)

        def convolution(inputs: int, filters: int, kernel: int, stride: int, first: bool = False) -> bytes:
            w = (rng.normal(size=(filters, inputs, kernel, kernel)) / kernel / inputs**0.5).astype(np.float32)
            b, g, s = (rng.normal(size=filters).astype(np.float32) for _ in range(3))
            self.convolutions.append((w, b, g, s))
            p = kernel // 2 if stride == 1 else 0
            flat, scale = np.concatenate([w.ravel(), b]), np.concatenate([g, s])
            return (
                text("con_4") + tensor(flat, len(flat), 1, 1, 1)
                + numbers(filters, kernel, kernel, stride, stride, p, p)
                + numbers(1, filters, inputs, kernel, kernel) + numbers(1, 1, filters, 1, 1)
                + fraction(1) * 3 + fraction(0) + STATE + (number(1) if first else b"")
                + text("affine_") + tensor(scale, len(scale), 1, 1, 1)
                + numbers(1, 1, filters, 1, 1) * 2 + number(0) + STATE
            )  # fmt: skip

        head, body, before = [2, 2], b"", 32
        for _, blocks, halves in reversed(self.stages):
            for i in reversed(range(blocks)):
                head += [2, 2, *((2, 1, 1) if halves and i == 0 else ()), 2, 2, 2, 2, 2, 1]
        out = number(1) + text("loss_metric_2") + fraction(0.04) + fraction(0.6)
        out += numbers(*head, 2, 2, 2, 3) + text("input_rgb_image_sized")
        out += b"".join(fraction(v) for v in MEAN) + numbers(150, 150)
        out += convolution(3, 32, 7, 2, first=True) + text("relu_") + STATE
        out += text("max_pool_2") + numbers(3, 3, 2, 2, 0, 0) + STATE
        for filters, blocks, halves in self.stages:
            for i in range(blocks):
                down = halves and i == 0
                body = convolution(before, filters, 3, 2 if down else 1) + text("relu_") + STATE
                body += convolution(filters, filters, 3, 1)
                body += text("avg_pool_2") + numbers(2, 2, 2, 2, 0, 0) + STATE if down else b""
                out += body + text("add_prev_") + STATE + text("relu_") + STATE
                before = filters
        self.last = rng.normal(size=(before, 128)).astype(np.float32)
        out += text("avg_pool_2") + numbers(0, 0, 1, 1, 0, 0) + STATE
        out += text("fc_2") + numbers(128, before) + tensor(self.last, before, 128, 1, 1)
        out += numbers(1, before, 128, 1, 1) + numbers(1, 0, 0, 0, 0) + number(1)
        return out + fraction(1) * 3 + fraction(0) + STATE

    def write(self, path: Path) -> Path:
        path.write_bytes(self.written())
        return path
