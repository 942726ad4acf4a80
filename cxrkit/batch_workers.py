"""Answer cases in this process or in several on this machine.

Both are Executors, which is all that cxrkit.batch knows of them; cxrkit.batch_dask is one that sends `Post` and `Case`
to other machines, as JSON (cxrkit.batch_json), and brings the `Answer`s back.
"""

import io
import os
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Protocol, cast

import torch

from cxrkit.batch_case import Answer, Asked, answer_case, essential, open_case
from cxrkit.batch_json import plain, rebuilt
from cxrkit.batch_process import Post
from cxrkit.cases import Case
from cxrkit.errors import InputError, WeightsError
from cxrkit.tasks import find_task
from cxrkit.weights import LoadedModel
from cxrkit.worker import receive, send

MOST_TOGETHER = 4
"""Cases that one process works on at once. More would only fill memory: Python's own steps are one at a time."""

_TRIES = 2
_STARTS = 3
_SECONDS_TO_LEAVE = 2.0
_DIED = (
    f"The process that analysed this case ended {_TRIES} times, perhaps for want of memory. Analyse it alone, or give "
    "fewer --workers."
)
_NO_START = (
    "The processes end before they have read the network, perhaps for want of memory. Give fewer --workers; the rows "
    "that are finished are kept."
)

Job = tuple[int, Case]
"""A case with its place among the cases."""

Answers = Generator[tuple[int, Answer], None, None]
"""Places with their answers. Closing it ends the work."""


class Executor(Protocol):
    """Something that answers cases."""

    @property
    def identity(self) -> str:
        """Of the card that it answers by; see `cxrkit.card.Card`."""

    def __call__(self, jobs: Iterable[Job]) -> Answers:
        """Answer every job exactly once, in any order, each as soon as it is there.

        Takes no more jobs ahead than it works on or reads: neither their images nor their answers pile up.

        Raises:
            WeightsError: weights are missing or altered.
        """


@dataclass(frozen=True, eq=False)
class InProcess:
    """Executor: threads of this process that each work on a case from file to answer; answers come in order.

    One case after the other would leave cores idle while a file is read, and a network shares one image badly among
    cores.

    Attributes:
        loaded: the network with its card.
        root: folder that the cases' files are below.
        asked: how each case is analysed.
    """

    loaded: LoadedModel
    root: Path
    asked: Asked

    @property
    def identity(self) -> str:
        """As Executor."""
        return self.loaded.card.identity

    def __call__(self, jobs: Iterable[Job]) -> Answers:
        """As Executor."""
        cores = torch.get_num_threads()
        threads = min(cores, MOST_TOGETHER)
        begun: deque[tuple[int, Future[Answer]]] = deque()
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(cores // threads,)) as pool:
            for place, case in jobs:
                begun.append((place, pool.submit(self._answer, case)))
                if len(begun) > threads:  # one waits, so that no thread does
                    yield _first(begun)
            while begun:
                yield _first(begun)

    def _answer(self, case: Case) -> Answer:
        return answer_case(self.loaded, case, open_case(self.loaded.task, case, self.root, self.asked), self.asked)


def _first(begun: deque[tuple[int, Future[Answer]]]) -> tuple[int, Answer]:
    place, answer = begun.popleft()
    return place, answer.result()


@dataclass
class _Trial:
    """A job, and how often a process died over it."""

    place: int
    case: Case
    deaths: int = 0


@dataclass(frozen=True)
class Processes:
    """Executor: processes that each load the network once and work on one case at a time.

    A case whose process dies is tried once more, in a new one, and then answered with an error.

    Attributes:
        post: what each is told.
        workers: how many, at least 1.
        serve: module:function that a process runs.
    """

    post: Post
    workers: int
    serve: str = "cxrkit.batch_process:serve"

    @property
    def identity(self) -> str:
        """As Executor."""
        return self.post.identity

    def __call__(self, jobs: Iterable[Job]) -> Answers:
        """As Executor.

        Raises:
            InputError: processes end again and again before they have read the network.
        """
        task = find_task(self.post.task)
        trials = _Trials((place, essential(task, case)) for place, case in jobs)
        hands: list[_Hand] = []
        gone: list[_Hand] = []
        starts = 0
        try:
            while self._fill(hands, trials):
                ready = wait([hand.fileno() for hand in hands])
                for hand in [hand for hand in hands if hand.fileno() in ready]:
                    trial = hand.trial
                    reply = hand.reply()
                    if reply is None:
                        hands.remove(hand)
                        hand.stop()
                        starts = 0 if hand.ready else starts + 1
                        if starts == _STARTS:
                            raise InputError(_NO_START)
                        if trials.died(trial, over_it=hand.ready):
                            yield trial.place, Answer(None, _DIED)
                    elif "fatal" in reply:
                        raise WeightsError(str(reply["fatal"]))
                    elif not hand.ready:
                        starts = 0
                        hand.begin()
                    else:
                        if not hand.go_on(trials.next()):
                            # It takes a second to leave, and others' answers must not wait for that.
                            hands.remove(hand)
                            gone.append(hand)
                        yield trial.place, rebuilt(Answer, reply)
        finally:
            for hand in hands:
                hand.let_go()
            for hand in [*hands, *gone]:
                hand.stop()

    def _fill(self, hands: "list[_Hand]", trials: "_Trials") -> bool:
        """Start processes as long as there are jobs for them; False = nothing is left to do."""
        while len(hands) < self.workers and (trial := trials.next()) is not None:
            hands.append(_Hand(self.serve, self.post, trial))
        return bool(hands)


class _Trials:
    """Jobs one by one, those to be tried once more before others."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._jobs = iter(jobs)
        self._again: deque[_Trial] = deque()

    def next(self) -> _Trial | None:
        if self._again:
            return self._again.popleft()
        job = next(self._jobs, None)
        return None if job is None else _Trial(*job)

    def died(self, trial: _Trial, *, over_it: bool) -> bool:
        """Put a trial back whose process died; True = it has been tried often enough."""
        trial.deaths += over_it
        if trial.deaths == _TRIES:
            return True
        self._again.append(trial)
        return False


class _Hand:
    """The parent's end of one child process, with the case that it works on or will begin with."""

    def __init__(self, serve: str, post: Post, trial: _Trial) -> None:
        self.trial = trial
        self.ready = False
        module, _, function = serve.partition(":")
        root = str(Path(__file__).resolve().parents[1])
        kept = {name: text for name, text in os.environ.items() if name != "PYTHONWARNINGS"}
        search = os.pathsep.join(filter(None, [root, kept.get("PYTHONPATH", "")]))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", f"from {module} import {function}; {function}()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**kept, "PYTHONPATH": search, "OMP_NUM_THREADS": str(post.threads)},
        )
        self._send(plain(post))

    def fileno(self) -> int:
        """Of the pipe that replies come through."""
        return cast(io.FileIO, self._process.stdout).fileno()

    def begin(self) -> None:
        """The process has read the network; give it its first case."""
        self.ready = True
        self._send(plain(self.trial.case))

    def go_on(self, trial: _Trial | None) -> bool:
        """Give the process another case; without one it is let go, and False returned."""
        if trial is None:
            self.let_go()
            return False
        self.trial = trial
        self._send(plain(trial.case))
        return True

    def reply(self) -> dict[str, object] | None:
        """The next reply; None where the process died."""
        try:
            received = receive(cast(io.FileIO, self._process.stdout))
        except (OSError, ValueError):
            return None
        return None if received is None else received[0]

    def let_go(self) -> None:
        """Close the pipes, so that the process ends after the case that it works on."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def stop(self) -> None:
        """End the process; one that is still at work after a moment is killed."""
        self.let_go()
        try:
            self._process.wait(timeout=_SECONDS_TO_LEAVE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, message: dict[str, object]) -> None:
        # Of a process that died meanwhile the end of its replies tells.
        with suppress(OSError):
            send(cast(io.FileIO, self._process.stdin), message, [])
