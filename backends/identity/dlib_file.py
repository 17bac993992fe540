"""Reads dlib's own files of networks: numbers as few bytes as they need, tensors as plain floats.

Written from what dlib's files hold: a whole number is a byte that says how many bytes follow (its highest
bit: negative), lowest first; a fraction is two whole numbers, mantissa and exponent of two; a truth value is
the character 0 or 1; a tensor is version 2, four sizes and its float32 values. The layers' versions come
first, from the last layer to the first; then the layers themselves, from the first to the last.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from backends.errors import WeightsError

F4 = npt.NDArray[np.float32]

_MAX_BYTES = 256_000_000
_MAX_NUMBER_BYTES = 8
_MAX_TEXT = 64
_TENSOR, _PART = 2, 1
"""Versions of a tensor, and of what only says where in a tensor something lies."""


class DlibReader:
    """Reads one value after the other; whatever is not as expected is an error that names the file."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            WeightsError: it is not there, or larger than any such network.
        """
        self._name = path.name
        try:
            if path.stat().st_size > _MAX_BYTES:
                raise WeightsError(f"{path.name} is larger than any network of dlib's. Check the path.")
            self._data = path.read_bytes()
        except OSError as error:
            raise WeightsError(f"{path.name} cannot be read: {error.strerror or error}.") from error
        self._at = 0

    def fail(self, what: str) -> WeightsError:
        """The error to raise: ``what`` was found where the network should go on."""
        return WeightsError(
            f"{self._name} is damaged, or another network than the one that is needed here ({what}, byte "
            f"{self._at}). Type: understudy models verify"
        )

    def _take(self, count: int) -> bytes:
        if count > len(self._data) - self._at:
            raise self.fail("it ends too early")
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self) -> int:
        """A whole number."""
        head = self._take(1)[0]
        count = head & 0x7F
        if not 1 <= count <= _MAX_NUMBER_BYTES:
            raise self.fail("no number")
        value = int.from_bytes(self._take(count), "little")
        return -value if head & 0x80 else value

    def numbers(self, count: int) -> tuple[int, ...]:
        """Whole numbers."""
        return tuple(self.number() for _ in range(count))

    def fraction(self) -> float:
        """A number with a fraction, finite."""
        mantissa, exponent = self.numbers(2)
        if not -1100 <= exponent <= 900:
            raise self.fail("a number that is none")
        return float(mantissa) * 2.0**exponent

    def text(self) -> str:
        """A short name."""
        count = self.number()
        if not 0 < count <= _MAX_TEXT:
            raise self.fail("no name")
        return self._take(count).decode("latin1")

    def truths(self, count: int) -> None:
        """Truth values that do not matter here."""
        if set(self._take(count)) - set(b"01"):
            raise self.fail("neither true nor false")

    def expect(self, *wanted: int) -> None:
        """Whole numbers that must be these."""
        found = self.numbers(len(wanted))
        if found != wanted:
            raise self.fail(f"{found} for {wanted}")

    def expect_text(self, wanted: str) -> None:
        """A name that must be this."""
        found = self.text()
        if found != wanted:
            raise self.fail(f"{found!r} for {wanted!r}")

    def tensor(self, *shape: int) -> F4:
        """A tensor of this shape (four sizes), every value finite."""
        self.expect(_TENSOR, *shape)
        values = np.frombuffer(self._take(4 * int(np.prod(shape))), "<f4").reshape(shape)
        if not np.isfinite(values).all():
            raise self.fail("values that are no numbers")
        return values.astype(np.float32)

    def empty_tensor(self) -> None:
        """A tensor without values: what is left of training."""
        self.expect(_TENSOR, 0, 0, 0, 0)

    def part(self, *shape: int) -> None:
        """Where in a tensor something of this shape lies."""
        self.expect(_PART, *shape)

    def end(self) -> None:
        """Nothing may follow."""
        if self._at != len(self._data):
            raise self.fail("more than a network")
