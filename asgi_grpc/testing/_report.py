"""What an application did wrong while it was served."""

from __future__ import annotations


class Report:
    """The faults of one application.

    Attributes:
        errors: what it raised.
        violations: a sentence for each event that ASGI does not allow.
    """

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.violations: list[str] = []

    def check(self) -> None:
        """Raise the first error, if any; fail if there were violations."""
        if self.errors:
            raise self.errors[0]
        assert not self.violations, "; ".join(self.violations)
