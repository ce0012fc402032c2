"""What a person at a terminal sees of `coffer run`: it reads, Ctrl-Z stops and continuing goes on, Ctrl-C ends.

Usage: terminal.py COMMAND...   where COMMAND runs `cat` at its end. Prints `ok`.
"""

import os
import pty
import select
import signal
import sys
import time

WITHIN_S = 20


def until(terminal, text):
    """Reads until `text` was shown."""
    shown, deadline = b"", time.monotonic() + WITHIN_S
    while text not in shown:
        assert time.monotonic() < deadline, f"not shown: {text!r} in {shown!r}"
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 4096)


def waited(pid, what):
    """The status of a process, once there is one."""
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        found, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
        if found:
            return status
        time.sleep(0.02)
    raise AssertionError(f"not {what}")


pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
# The terminal shows what is typed once, and `cat` says it again.
os.write(terminal, b"hello\n")
until(terminal, b"hello\r\nhello\r\n")
os.write(terminal, b"\x1a")
status = waited(pid, "stopped by Ctrl-Z")
assert os.WIFSTOPPED(status), status
assert os.tcgetpgrp(terminal) == os.getpgid(pid), "who was stopped has given the terminal back"
os.kill(pid, signal.SIGCONT)
os.write(terminal, b"again\n")
until(terminal, b"again\r\nagain\r\n")
os.write(terminal, b"\x03")
status = waited(pid, "ended by Ctrl-C")
assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == 130, status
print("ok")
