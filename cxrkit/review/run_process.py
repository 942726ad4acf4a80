"""The child's side of cxrkit.review.run: make one table of predictions, and tell how far it is."""

import fcntl
import io
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxrkit.batch import Batch, listing_of_table, predict_table, staffed
from cxrkit.batch_case import Asked
from cxrkit.batch_json import rebuilt
from cxrkit.batch_workers import Answers, Executor, Job
from cxrkit.cases import read_manifest
from cxrkit.errors import CxrkitError, InputError, WeightsError
from cxrkit.review.run_order import VARIABLE, Order
from cxrkit.tasks import find_task
from cxrkit.worker import receive, send

_NICER = 5
"""Whoever looks at a page goes first."""

Report = Callable[[dict[str, Any]], None]


def serve() -> None:
    """Carry out an Order and end; end at once when the parent closes the pipe. Runs in the child only.

    Reports are {"total": cases, "resumed": those a former run had finished}, {"bad": reason or ""} after each case that
    is in the journal, and at last {"finished": true} or {"fatal": sentence}.
    """
    orders, reports = io.FileIO(0), io.FileIO(os.dup(1), "w")
    os.dup2(2, 1)  # whatever prints would end up between the reports
    os.nice(_NICER)
    first = receive(orders)
    if first is None:
        return
    threading.Thread(target=_end_with_the_server, args=(orders,), daemon=True).start()
    try:
        carry_out(rebuilt(Order, first[0]), lambda report: send(reports, report, []))
    except CxrkitError as error:
        send(reports, {"fatal": str(error)}, [])
    else:
        send(reports, {"finished": True}, [])


def carry_out(order: Order, report: Report) -> None:
    """Make the table of predictions, or go on with it.

    Args:
        order: what and where to.
        report: gets the reports of cases, as in `serve`.

    Raises:
        InputError: another process is at this run; its folder cannot be locked; or as cxrkit.batch.predict_table.
        ManifestError: the table of cases cannot be used.
        WeightsError: weights are missing, or they or their card are not those of the order.
    """
    task, table, out = find_task(order.task), Path(order.cases), Path(order.out)
    with _alone(out.parent):
        cases = read_manifest(table, file_columns=task.file_columns, target_column=task.target_column)
        root = Path(order.root)
        batch = Batch(task, cases, root, listing_of_table(table, root), out, Asked(), judged=True)
        card, executor = staffed(batch, Path(order.weights), order.workers)
        if card.identity != order.identity:
            raise WeightsError(
                "The weights or their card were exchanged meanwhile. Start the run again; it begins with the new ones."
            )
        predict_table(batch, card.sha256, _Watched(executor, len(cases), report), restart=order.restart)


@dataclass(frozen=True)
class _Watched:
    """Executor that reports what another one does."""

    executor: Executor
    total: int
    report: Report

    @property
    def identity(self) -> str:
        """As Executor."""
        return self.executor.identity

    def __call__(self, jobs: Iterable[Job]) -> Answers:
        waiting = list(jobs)
        self.report({"total": self.total, "resumed": self.total - len(waiting)})
        with closing(self.executor(waiting)) as answers:
            for place, answer in answers:
                yield place, answer
                self.report({"bad": answer.error})


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder of a run, also against other servers that share it."""
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                "Another server, or the end of a former run, is at this table. Wait a moment and start again."
            ) from None
        except OSError:
            raise InputError(
                f"The file system of the folder for runs cannot lock files. Set {VARIABLE} to a folder on another one, "
                "and start the server again."
            ) from None
        for left in folder.glob(".*.part"):  # of a run that was killed while it wrote the table
            left.unlink(missing_ok=True)
        yield


def _end_with_the_server(orders: io.FileIO) -> None:
    receive(orders)
    os._exit(1)
