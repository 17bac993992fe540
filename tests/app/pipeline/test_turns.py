"""The lock's turns are short while a job runs, and as before after it."""

from __future__ import annotations

import sys

import pytest

from app.pipeline.turns import short_turns


def test_turns_are_short_inside_and_as_before_after_a_fault() -> None:
    before = sys.getswitchinterval()

    def fails() -> None:
        with short_turns():
            assert sys.getswitchinterval() < before
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert sys.getswitchinterval() == before
