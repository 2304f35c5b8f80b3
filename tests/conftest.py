"""The Hypothesis profile of this run, and Ctrl-C as programs in a terminal know it."""

from __future__ import annotations

import signal

from fuzz.profiles import load_profile

load_profile()

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job: its children would never hear Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)
