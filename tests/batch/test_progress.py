"""What a person sees while a run goes on: on a real terminal, in a log, and when they want it quiet."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

from migrator.batch.progress import progress

ROOT = Path(__file__).parents[2]
HOSTILE = "[red]evil[/red]\x1b[2J\x1b]0;title\x07:smile:\nname\u202e"
SHOWN = r"[red]evil[/red]\x1b[2J\x1b]0;title\x07:smile:\nname\u202e"
TERMINAL: dict[str, str] = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}


def told(*, total: int | None = 3, is_quiet: bool = False, done: int = 0) -> str:
    stream = io.StringIO()
    with progress(total, is_quiet=is_quiet, done=done, stream=stream) as shown:
        shown.started("shop")
        shown.started(HOSTILE)
        shown.finished("shop", "2 files changed", False)
        shown.finished(HOSTILE, "no [bold]such[/bold] file\x1b[0m", True)
        with shown.hidden():
            stream.write("diff\n")
    return stream.getvalue()


def test_a_log_has_a_plain_line_for_each() -> None:
    assert told() == f"[1/3] shop: 2 files changed\n[2/3] {SHOWN}: no [bold]such[/bold] file\\x1b[0m\ndiff\n"


def test_an_unknown_total_is_not_told() -> None:
    assert told(total=None).startswith("[1] shop: 2 files changed\n[2] ")


def test_what_an_earlier_run_has_done_counts() -> None:
    assert told(total=9, done=5).startswith("[6/9] shop: ")


def test_quiet_tells_of_failures_alone() -> None:
    assert told(is_quiet=True) == f"[2/3] {SHOWN}: no [bold]such[/bold] file\\x1b[0m\ndiff\n"


def test_a_message_is_one_plain_line() -> None:
    stream = io.StringIO()
    with progress(1, is_quiet=True, stream=stream) as shown:
        shown.say("two repositories\x1b[2J are in flight")
    assert stream.getvalue() == "two repositories\\x1b[2J are in flight\n"


SCRIPT = f"""\
import sys, time
from migrator.batch.progress import progress

with progress(30) as shown:
    for number in range(30):
        shown.started(f"repo-{{number:02}}" + "-long" * 20 * (number == 2) if number else {HOSTILE!r})
    time.sleep(1.3)
    shown.finished({HOSTILE!r}, "it [failed]", True)
    shown.finished("repo-01", "went well", False)
    with shown.hidden():
        print("diff on stdout", flush=True)
    shown.say("Ctrl-C again to break off")
    time.sleep(0.6)
    if "stop" in sys.argv:
        raise KeyboardInterrupt
print("the end", flush=True)
"""


def on_a_terminal(*arguments: str, script: str = SCRIPT, **environment: str) -> str:
    """What a script writes to a terminal of 80 by 24."""
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **environment}
    surroundings = {name: value for name, value in surroundings.items() if value}
    for name in ("COLUMNS", "LINES", "FORCE_COLOR", *({"NO_COLOR"} - {*environment})):
        surroundings.pop(name, None)
    child = pexpect.spawn(
        sys.executable, ["-W", "error", "-c", script, *arguments], env=surroundings, dimensions=(24, 80), timeout=20
    )
    child.expect(pexpect.EOF)
    child.close()
    written: bytes = child.before
    return written.decode()


def test_a_terminal_shows_what_is_in_flight_and_keeps_failures() -> None:
    written = on_a_terminal()
    before, _, after = written.partition("it [failed]")
    assert "0/30" in before
    assert re.search(r"0:00:01.{0,9} repo-01\b", before), "the age of each"
    assert re.search(r"0:00:01.{0,9} repo-02-long-long", before)
    assert SHOWN in before
    assert "repo-02" in before
    assert f"[1/30] {SHOWN}: " in before
    assert "2/30" in after
    assert "went well" not in written
    assert "\x1b[2J" not in written
    assert "\x1b]0;" not in written
    assert "\x07" not in written
    assert "diff on stdout" in after
    assert after.rstrip().endswith("the end")


def test_what_is_read_is_in_flight_no_more() -> None:
    script = """\
import time
from migrator.batch.progress import progress

with progress(2) as shown:
    shown.started("shop")
    time.sleep(0.6)
    shown.surveyed("shop")
    print("first half", flush=True)
    time.sleep(0.6)
    shown.started("shop")
    time.sleep(0.6)
    shown.finished("shop", "done", False)
    print("second half", flush=True)
    time.sleep(0.6)
"""
    reading, _, rest = on_a_terminal(script=script).partition("first half")
    migrating, _, after = rest.partition("second half")
    assert "shop" in reading
    assert migrating.index("(1 read)") < migrating.index("shop")
    assert "1/2" in after
    assert "shop" not in after


def test_the_cursor_is_given_back_after_an_interrupt() -> None:
    written = on_a_terminal("stop")
    assert written.count("\x1b[?25h") >= written.count("\x1b[?25l") >= 1
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")


def test_no_color_has_no_colour() -> None:
    coloured = on_a_terminal()
    plain = on_a_terminal(NO_COLOR="1")
    assert "\x1b[38;5;" in coloured
    assert "\x1b[38;" not in plain
    assert "\x1b[3" not in plain.replace("\x1b[39m", "")


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_dumb_terminal_gets_plain_lines(term: str) -> None:
    written = on_a_terminal(TERM=term)
    assert "\x1b" not in written
    assert "[2/30] repo-01: went well\r\n" in written


def test_many_repositories_cost_little_time() -> None:
    stream = io.StringIO()
    begin = time.perf_counter()
    with progress(10_000, stream=stream) as shown:
        for number in range(10_000):
            shown.started(str(number))
            shown.finished(str(number), "done", False)
    assert time.perf_counter() - begin < 2
    assert stream.getvalue().count("\n") == 10_000


def test_one_repository_that_takes_long_shows_that_the_program_is_at_work() -> None:
    """After a second of silence, on a terminal alone."""
    code = "import time; from migrator.batch.progress import waiting\n"
    code += "with waiting('reading'): time.sleep({})\nprint('end')"
    slow = pexpect.spawn(sys.executable, ["-c", code.format(2)], encoding="utf-8", timeout=60, env=TERMINAL)
    slow.expect("reading")
    slow.expect("end")
    quick = pexpect.spawn(sys.executable, ["-c", code.format(0)], encoding="utf-8", timeout=60, env=TERMINAL)
    quick.expect("end")
    assert "reading" not in (quick.before or "")
    piped = subprocess.run([sys.executable, "-c", code.format(1.5)], capture_output=True, text=True, check=True)
    assert (piped.stdout, piped.stderr) == ("end\n", "")
