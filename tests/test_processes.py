"""The helper that starts programs tells what they did, and ends exactly those."""

from __future__ import annotations

import sys

import pytest

from tests.processes import started

READY = "import sys, time; print('listening on 127.0.0.1:1'); "


def test_a_program_is_ready_when_it_says_so_and_is_ended_afterwards() -> None:
    with started(sys.executable, "-c", READY + "time.sleep(60)") as program:
        assert (program.address, program.returncode) == ("127.0.0.1:1", None)
    assert program.returncode == -15


def test_the_ready_line_may_be_on_stderr_and_need_not_have_an_address() -> None:
    script = "import sys, time; print('up', file=sys.stderr); time.sleep(60)"
    with started(sys.executable, "-c", script, ready="^up") as program:
        assert (program.address, program.stdout, program.stderr) == ("", "", "up\n")


def test_a_program_that_ends_before_it_is_ready_shows_what_it_said() -> None:
    with (
        pytest.raises(AssertionError, match=r"(?s)it ended with 3.*no luck"),
        started(sys.executable, "-c", "import sys; print('no luck', file=sys.stderr); sys.exit(3)"),
    ):
        pytest.fail("it was not ready")


def test_a_program_that_is_never_ready_is_ended() -> None:
    with (
        pytest.raises(AssertionError, match=r"not within 0\.1 s"),
        started(sys.executable, "-c", "import time; time.sleep(60)", timeout_s=0.1),
    ):
        pytest.fail("it was not ready")


def test_a_later_line_can_be_waited_for() -> None:
    script = READY + "print('got', sys.stdin.read() == '', __import__('os').environ['COLOUR']); time.sleep(60)"
    with started(sys.executable, "-c", script, env={"COLOUR": "red"}) as program:
        assert program.wait_for(r"^got (\w+) (\w+)").groups() == ("True", "red")
        program.kill()
        assert program.returncode == -9


def test_a_program_that_does_not_listen_is_killed() -> None:
    script = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + READY + "time.sleep(60)"
    with started(sys.executable, "-c", script) as program:
        assert program.stop(timeout_s=0.2) == -9
