"""Hypothesis profiles for tests and fuzz: ``HYPOTHESIS_PROFILE`` names one.

``gate`` is brief, ``fuzz`` takes minutes, ``soak`` hours.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings


def load_profile() -> None:
    """Make the profile of the environment the default of every test."""
    slow = [HealthCheck.too_slow]
    settings.register_profile("gate", deadline=None, stateful_step_count=25)  # a shared machine has no steady clock
    settings.register_profile(
        "fuzz", deadline=None, max_examples=3_000, stateful_step_count=60, suppress_health_check=slow
    )
    settings.register_profile(
        "soak", deadline=None, max_examples=1_000_000, stateful_step_count=120, suppress_health_check=slow
    )
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))
