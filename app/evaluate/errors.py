"""What goes wrong when a project is weighed."""

from __future__ import annotations

from app.errors import UnderstudyError


class EvaluationError(UnderstudyError):
    """Project and truth do not belong together, or there is nothing to compare."""

    exit_code = 4
