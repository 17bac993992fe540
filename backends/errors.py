"""What array code may raise on bad input; ``app`` turns these into its own errors."""

from __future__ import annotations


class BackendError(Exception):
    """Base of the errors raised below ``app``. Messages are fit for a person to read."""


class WeightsError(BackendError):
    """A file of weights or a body file is missing, damaged or unsafe to load."""


class InputError(BackendError):
    """Arrays of the wrong shape, type or with values that are not finite."""
