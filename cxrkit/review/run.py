"""Runs of tables of cases that a page starts: each is a process of its own, watched from here; it may be cancelled.

A run's folder is named after task, weights, folder of cases and content of the table; so whoever asks for the same
finds the same run, and nobody any other. What a cancelled or crashed run had finished stays in its journal
(cxrkit.batch_journal), and the next one goes on from there. torch is loaded in that process alone.
"""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

from cxrkit.batch_json import plain
from cxrkit.errors import InputError
from cxrkit.review.run_order import Order, Wanted
from cxrkit.worker import receive, send

MOST_WORKERS = 2
"""Of one run. **Choice**: the pages want the processor too."""

MOST_AT_ONCE = 2
"""Runs of one server."""

_REASONS = 20
_SECONDS_TO_END = 2.0
_DIED = (
    "The run ended by itself, perhaps for want of memory. The cases that were finished are kept: start it again, with "
    "one worker if it had more."
)

State = Literal["starting", "running", "finished", "cancelled", "failed"]


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        state: "starting" until the network is loaded.
        total: cases of the table.
        resumed: those of them that a former run had finished.
        done: cases in the journal, with the resumed ones.
        bad: those of this run that could not be analysed.
        reasons: why, as sentences; the first of each kind and not more than a few.
        seconds: since the network was loaded.
        problem: why it failed, as a sentence; "" otherwise.
    """

    state: State = "starting"
    total: int = 0
    resumed: int = 0
    done: int = 0
    bad: int = 0
    reasons: tuple[str, ...] = ()
    seconds: float = 0.0
    problem: str = ""

    @property
    def at_work(self) -> bool:
        return self.state in {"starting", "running"}

    @property
    def rate(self) -> float | None:
        """Cases a second; None before the first."""
        here = self.done - self.resumed
        return here / self.seconds if here and self.seconds > 0 else None

    @property
    def remaining(self) -> float | None:
        """Seconds; None while no rate is known."""
        return None if self.rate is None else (self.total - self.done) / self.rate


class Run:
    """One process at work, and what became of it.

    Args:
        order: what it is told.
        serve: module:function that the process runs.
    """

    def __init__(self, order: Order, serve: str = "cxrkit.review.run_process:serve") -> None:
        self._progress, self._began, self._cancelled = Progress(), 0.0, False
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._process = _process(serve)
        self._listener = threading.Thread(target=self._listen, name="run", daemon=True)
        # Of a process that died meanwhile the end of its reports tells.
        with suppress(OSError):
            send(cast(io.FileIO, self._process.stdin), plain(order), [])
        self._listener.start()

    def progress(self) -> Progress:
        """How far it is now."""
        with self._lock:
            found = self._progress
            return replace(found, seconds=time.monotonic() - self._began) if found.state == "running" else found

    def cancel(self) -> None:
        """End the process and all that it started, at once; what is in the journal stays."""
        with self._lock:
            self._cancelled = True
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self.wait(_SECONDS_TO_END)

    def wait(self, seconds: float) -> bool:
        """Wait for its end; whether it came."""
        return self._ended.wait(seconds)

    def _listen(self) -> None:
        reports = cast(io.FileIO, self._process.stdout)
        with suppress(OSError, ValueError):  # half a report, of a process that was killed
            while (received := receive(reports)) is not None:
                with self._lock:
                    self._progress = self._after(received[0])
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            cast(io.FileIO, pipe).close()
        with self._lock:
            if self._progress.at_work:
                ending: State = "cancelled" if self._cancelled else "failed"
                self._progress = replace(self._after({}), state=ending, problem="" if self._cancelled else _DIED)
        self._ended.set()

    def _after(self, report: dict[str, Any]) -> Progress:
        """Progress with one more report."""
        now = self._progress
        if "total" in report:
            self._began = time.monotonic()
            return replace(
                now, state="running", total=report["total"], resumed=report["resumed"], done=report["resumed"]
            )
        seconds = time.monotonic() - self._began if now.state == "running" else now.seconds
        if "finished" in report:
            return replace(now, state="finished", seconds=seconds)
        if "fatal" in report:
            return replace(now, state="failed", seconds=seconds, problem=str(report["fatal"]))
        if "bad" in report:
            reasons = dict.fromkeys([*now.reasons, *filter(None, [report["bad"]])])
            bad = now.bad + bool(report["bad"])
            return replace(now, done=now.done + 1, bad=bad, reasons=tuple(reasons)[:_REASONS], seconds=seconds)
        return replace(now, seconds=seconds)


class Runs:
    """All runs of one server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, Run] = {}

    def find(self, asked: Wanted) -> Run | None:
        """The latest run of it on this server."""
        with self._lock:
            return self._runs.get(asked.key)

    def start(self, asked: Wanted, workers: int = 1, restart: bool = False) -> Run:
        """Begin a run, or go on with a stopped one; the one that is at work already, if there is one.

        Args:
            asked: what is to be predicted.
            workers: processes, 1 to MOST_WORKERS.
            restart: forget what a former run had finished.

        Raises:
            InputError: workers out of range, too many runs at once, or a folder that cannot be written to.
        """
        if not 1 <= workers <= MOST_WORKERS:
            raise InputError(f"There are to be {workers} workers; choose 1 to {MOST_WORKERS}.")
        with self._lock:
            running = self._runs.get(asked.key)
            if running is not None and running.progress().at_work:
                return running
            if sum(run.progress().at_work for run in self._runs.values()) >= MOST_AT_ONCE:
                raise InputError(
                    f"{MOST_AT_ONCE} other runs are at work on this server, and more would only be slower. Wait for "
                    "one of them to end, then start again."
                )
            run = self._runs[asked.key] = Run(asked.order(workers, restart))
        return run


def _process(serve: str) -> "subprocess.Popen[bytes]":
    """A process that heads a group of its own, so that all that it starts can be ended with it."""
    module, _, function = serve.partition(":")
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONWARNINGS"}
    search = os.pathsep.join(filter(None, [str(Path(__file__).resolve().parents[2]), kept.get("PYTHONPATH", "")]))
    return subprocess.Popen(
        [sys.executable, "-P", "-c", f"from {module} import {function}; {function}()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        env={**kept, "PYTHONPATH": search, "TQDM_DISABLE": "1"},
        start_new_session=True,
    )
