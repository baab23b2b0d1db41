"""The processes that `dizuo up` starts: the web server and the clerk, each in a session of its own.

Ctrl-C in a terminal reaches every process of the foreground group; children in sessions of their own are told by their
parent instead, one after the other, so that the database is the last to stop.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from dizuo.foundation.kernel.errors import DizuoError

_PARENT_DEATH = 1  # prctl(PR_SET_PDEATHSIG), Linux


class ChildEnded(DizuoError):
    """{name} 进程意外退出（退出码 {code}）。"""

    fix = "上面几行是它最后说的话。数据没有丢，请再运行一次；还是这样的话，请运行 dizuo doctor。"


class Children:
    """Child processes by name; `watch` returns when a signal asks to stop (`told`) and raises when one ends by itself."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.told = False
        # From now on Ctrl-C is a request that `watch` honours, also while the children are starting.
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, self._told)

    def start(self, name: str, arguments: Sequence[str]) -> None:
        """Start `python -m …` as a child that is told to stop when this process dies, however it dies."""
        self._running[name] = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
            [sys.executable, "-m", *arguments], start_new_session=True, preexec_fn=_stop_with_parent
        )

    def alive(self) -> bool:
        return not self.told and all(child.poll() is None for child in self._running.values())

    def watch(self) -> None:
        """Wait for SIGINT or SIGTERM. Errors: ChildEnded."""
        while not self.told:
            for name, child in self._running.items():
                if child.poll() is not None:
                    raise ChildEnded(name=name, code=child.returncode)
            time.sleep(0.1)

    def _told(self, number: int, frame: object) -> None:
        self.told = True

    def stop(self) -> None:
        """End them in the order in which they were started; each gets twenty seconds before it is killed."""
        for child in self._running.values():
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
            try:
                child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _stop_with_parent() -> None:
    """In the child, before it runs: ask the kernel for SIGTERM when the parent is gone. Where that is unknown, nothing."""
    if sys.platform == "linux":
        try:
            ctypes.CDLL(None).prctl(_PARENT_DEATH, signal.SIGTERM)
        except (OSError, AttributeError):
            return
        if os.getppid() == 1:  # it died in between
            os._exit(0)
