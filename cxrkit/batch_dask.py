"""Answer cases on a Dask cluster. `distributed` is imported when a run begins, so that nothing else waits for it.

A few cases at a time are handed out and nothing else is kept there: whatever a dead worker had is done again by the
others, and what is finished lies in the client's journal (cxrkit.batch_journal). Workers read the images themselves, so
the root folder has the same path on every machine. Dask pickles what it sends: a cluster has to be as trusted as this
machine is.
"""

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cxrkit.batch_case import Answer, answer_case, essential, open_case
from cxrkit.batch_json import plain, rebuilt
from cxrkit.batch_process import Post, load_posted
from cxrkit.batch_workers import Answers, Job
from cxrkit.cases import Case
from cxrkit.errors import CxrkitError, InputError, WeightsError
from cxrkit.tasks import find_task
from cxrkit.weights import LoadedModel

if TYPE_CHECKING:
    from dask.typing import Key
    from distributed import Client, Future

AHEAD = 2
"""Cases for each thread of the workers: one at work, one that waits there already. More would only fill memory."""

PATIENCE = 60.0
"""Seconds without a single worker after which a run ends; workers that are replaced come back sooner."""

_SECONDS_TO_JOIN = 10.0
_SECONDS_TO_LOOK = 2.0
_RETRIES = 1
_NETWORKS = 4
_KEPT = "The rows that are finished are kept; the same command goes on from them."
_FORM = "The cluster's address has to be tcp://HOST:PORT, such as tcp://127.0.0.1:8786."
_ABSENT = "No Dask scheduler answers at this address. Start it with: python -m dask scheduler, or check --dask."
_LOST = f"The connection to the Dask scheduler was lost. {_KEPT}"
_NO_WORKERS = (
    f"The Dask scheduler has had no worker for {PATIENCE:.0f} seconds. Start some with: python -m dask worker. {_KEPT}"
)
_NO_PROGRAM = (
    "The cluster cannot import this program. Start scheduler and workers in the project's folder with: python -m dask."
)
_OTHER_WEIGHTS = (
    "A worker of the cluster has other weights than this machine, or another card of them. Bring the same ones to all "
    "machines."
)
_DIED = (
    "Every worker that analysed this case ended, also with no other case at work, perhaps for want of memory. Analyse "
    "it where there is more."
)


def check_address(address: str) -> None:
    """Refuse what is no address of a scheduler.

    Raises:
        InputError: it is not tcp://HOST:PORT, or tls:// where Dask's own settings name certificates.
    """
    try:
        parts = urlsplit(address)
        usable = parts.scheme in {"tcp", "tls"} and bool(parts.hostname) and bool(parts.port)
    except ValueError:
        usable = False
    if not usable or parts.path or parts.query:
        raise InputError(_FORM)


@dataclass(frozen=True, eq=False)
class Cluster:
    """Executor: the workers of a Dask cluster, which may come and go.

    Attributes:
        post: what each is told; root and weights are paths there.
        address: of the scheduler, such as tcp://127.0.0.1:8786.
    """

    post: Post
    address: str

    @property
    def identity(self) -> str:
        """As Executor."""
        return self.post.identity

    def __call__(self, jobs: Iterable[Job]) -> Answers:
        """As Executor.

        Raises:
            InputError: no scheduler, no worker for long, or workers that cannot import this program.
        """
        suspects: list[Job] = []
        task = find_task(self.post.task)
        sent = ((place, essential(task, case)) for place, case in jobs)
        with _joined(self.address) as client:
            for (place, case), answer in self._answers(client, sent, AHEAD):
                if answer is None:
                    suspects.append((place, case))
                else:
                    yield place, answer
            # The scheduler blames a worker's end on all the cases that the worker had, those that waited too.
            for (place, _), answer in self._answers(client, iter(suspects), None):
                yield place, answer or Answer(None, _DIED)

    def _answers(self, client: "Client", jobs: Iterator[Job], ahead: int | None) -> Iterator[tuple[Job, Answer | None]]:
        """Jobs with their answers; None where the worker ended.

        Args:
            client: of the scheduler.
            jobs: taken as there is room.
            ahead: how many for each thread of the workers; None = one at a time.
        """
        post = plain(self.post)
        flying: dict[Key, tuple[Job, Future[Any]]] = {}
        while True:
            most = 1 if ahead is None else max(1, ahead * _threads(client))
            for job in _at_most(jobs, most - len(flying)):
                future = client.submit(answer_posted, post, plain(job[1]), pure=False, retries=_RETRIES)
                flying[future.key] = job, future
            if not flying:
                return
            for key in _finished(client, [future for _, future in flying.values()]):
                job, future = flying.pop(key)
                yield job, _answer(future)


def answer_posted(post: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    """Answer one case. Runs in a worker only, in one of its threads.

    Args:
        post: a Post as JSON.
        case: a Case as JSON.

    Returns:
        an Answer as JSON, or {"fatal": sentence} of what ends it all.
    """
    told, asked_for = rebuilt(Post, post), rebuilt(Case, case)
    try:
        loaded = _network(told.task, told.weights, told.identity, told.threads)
        opened = open_case(loaded.task, asked_for, Path(told.root), told.asked)
        return dict(plain(answer_case(loaded, asked_for, opened, told.asked)))
    except CxrkitError as error:
        return {"fatal": str(error)}


_loading = threading.Lock()


def _network(task: str, weights: str, identity: str, threads: int) -> LoadedModel:
    """The network of a worker process, loaded once for all of its threads."""
    with _loading:
        return _load(task, weights, identity, threads)


@lru_cache(_NETWORKS)
def _load(task: str, weights: str, identity: str, threads: int) -> LoadedModel:
    return load_posted(task, weights, identity, threads, _OTHER_WEIGHTS)


@contextmanager
def _joined(address: str) -> "Iterator[Client]":
    """A client of the scheduler; on leaving, what was handed out and has not begun is forgotten there.

    Raises:
        InputError: nobody answers at the address.
    """
    from distributed import Client

    try:
        client = Client(address, timeout=_SECONDS_TO_JOIN, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError):
        raise InputError(_ABSENT) from None
    with client:
        yield client


def _at_most(jobs: Iterator[Job], count: int) -> Iterator[Job]:
    """The next jobs; no more are taken than are given."""
    for _ in range(count):
        job = next(jobs, None)
        if job is None:
            return
        yield job


def _threads(client: "Client") -> int:
    """Of all workers at this moment.

    Raises:
        InputError: the scheduler is lost.
    """
    if client.status != "running":
        raise InputError(_LOST)
    try:
        return sum(client.nthreads().values())  # type: ignore[no-untyped-call]
    except OSError:
        raise InputError(_LOST) from None


def _finished(client: "Client", futures: "list[Future[Any]]") -> "list[Key]":
    """Wait until at least one is finished; keys of those that are.

    Raises:
        InputError: the scheduler is lost, or there has been no worker for PATIENCE.
    """
    from distributed import wait

    without = 0.0
    while True:
        try:
            with client.as_current():
                done = wait(futures, _SECONDS_TO_LOOK, "FIRST_COMPLETED").done  # type: ignore[no-untyped-call]
            return [future.key for future in done]
        except TimeoutError:
            without = 0.0 if _threads(client) else without + _SECONDS_TO_LOOK
        except CancelledError:
            raise InputError(_LOST) from None
        if without >= PATIENCE:
            raise InputError(_NO_WORKERS)


def _answer(future: "Future[Any]") -> Answer | None:
    """Of a future that is finished; None where the workers that had it ended.

    Raises:
        WeightsError: weights are missing or others on a worker.
        InputError: a worker lacks this program, or the scheduler was lost meanwhile.
    """
    from distributed import KilledWorker

    try:
        reply = future.result()
    except KilledWorker:
        return None
    except (ImportError, RuntimeError) as error:
        # What the scheduler could not import comes as the cause of a RuntimeError.
        if isinstance(error, ImportError) or isinstance(error.__cause__, ImportError):
            raise InputError(_NO_PROGRAM) from None
        raise
    except CancelledError:
        raise InputError(_LOST) from None
    if "fatal" in reply:
        raise WeightsError(str(reply["fatal"]))
    return rebuilt(Answer, reply)
