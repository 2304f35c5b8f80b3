"""The Hypothesis profile of this run."""

from __future__ import annotations

from fuzz.profiles import load_profile

load_profile()
