"""Many cases -> a table of predictions. A run that is stopped, even killed, is gone on with by the next one."""

import hashlib
import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from cxrkit.batch_case import Answer, Asked, Row, Seen, look, row_of
from cxrkit.batch_journal import About, Journal
from cxrkit.batch_json import plain, rebuilt
from cxrkit.batch_process import Post
from cxrkit.batch_workers import Executor, InProcess, Job, Processes
from cxrkit.card import WEIGHTS, Card
from cxrkit.cases import Case, check_root, resolve
from cxrkit.errors import InputError, ManifestError
from cxrkit.predictions import check_columns, write_predictions
from cxrkit.task import Task
from cxrkit.weights import load_model, read_weights

_NONE = -1


@dataclass(frozen=True)
class Batch:
    """What is to be predicted, and into which table.

    Attributes:
        task: that is asked.
        cases: in the order of the table; their images are read one by one.
        root: folder that the cases' files are below.
        listing: SHA-256 of what lists the cases; see `listing_of_table` and `listing_of_folder`.
        out: the table.
        asked: how each case is analysed.
        judged: whether the cases' truth is read beside the answers.

    Raises:
        InputError: the root is no folder.
        ManifestError: the cases have a column of the predictions.
    """

    task: Task
    cases: Sequence[Case]
    root: Path
    listing: str
    out: Path
    asked: Asked
    judged: bool

    def __post_init__(self) -> None:
        check_root(self.root)
        check_columns(self.task, self.cases)


@dataclass(frozen=True)
class LeftOut:
    """A case without an answer, or of evaluations without a truth.

    Attributes:
        row: of the manifest as a spreadsheet counts it; None of a folder's file.
        files: of the case, below the root folder.
        reason: as a sentence.
    """

    row: int | None
    files: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Outcome:
    """What became of a batch.

    Attributes:
        cases: in the table.
        resumed: those of them that a former run had finished.
        left_out: those that could not be used, in order.
        warned: how many of the others have something in the column warnings.
    """

    cases: int
    resumed: int
    left_out: tuple[LeftOut, ...]
    warned: int = 0


def listing_of_table(path: Path, root: Path) -> str:
    """SHA-256 of a table of cases and the folder that its paths start in.

    Raises:
        ManifestError: it cannot be opened.
    """
    try:
        return hashlib.sha256(path.read_bytes() + os.fsencode(os.path.realpath(root))).hexdigest()
    except OSError:
        raise ManifestError("The table of cases cannot be opened. Check that it exists and may be read.") from None


def listing_of_folder(root: Path) -> str:
    """SHA-256 of where a folder is: it may have more files, or fewer, when a stopped run is gone on with."""
    return hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()


def staffed(batch: Batch, weights: Path | None, workers: int, cluster: str | None = None) -> tuple[Card, Executor]:
    """The card of a task's network, and an executor.

    Args:
        batch: that is to be predicted.
        weights: folder of the tasks' folders; None = the shipped one.
        workers: 1 = this process; more = so many others, which share the processor's cores.
        cluster: address of a Dask scheduler whose workers answer in place of this machine; None = this machine.

    Raises:
        InputError: less than 1 worker, or several beside a cluster; an address that cannot be one.
        WeightsError: as `cxrkit.weights.load_model`.
    """
    if workers < 1:
        raise InputError(f"There are to be {workers} workers; give 1 or more after --workers.")
    if cluster is not None:
        return _clustered(batch, weights, workers, cluster)
    folder = weights or WEIGHTS
    if workers == 1:
        loaded = load_model(batch.task, folder)
        return loaded.card, InProcess(loaded, batch.root, batch.asked)
    import torch

    _, card = read_weights(folder / batch.task.name, batch.task.train_command)
    threads = max(1, torch.get_num_threads() // workers)
    places = (str(folder.absolute()), card.identity, str(batch.root.absolute()))
    return card, Processes(Post(batch.task.name, *places, batch.asked, threads), workers)


def _clustered(batch: Batch, weights: Path | None, workers: int, cluster: str) -> tuple[Card, Executor]:
    """Weights and images are named by their paths, which are the same on all machines; of shipped weights each machine
    has its own."""
    from cxrkit.batch_dask import Cluster, check_address

    if workers != 1:
        raise InputError("A Dask cluster brings its own workers: leave out --workers, or --dask.")
    check_address(cluster)
    _, card = read_weights((weights or WEIGHTS) / batch.task.name, batch.task.train_command)
    folder = "" if weights is None else str(weights.absolute())
    return card, Cluster(
        Post(batch.task.name, folder, card.identity, str(batch.root.absolute()), batch.asked, 1), cluster
    )


def predict_table(
    batch: Batch,
    weights: str,
    executor: Executor,
    *,
    restart: bool = False,
    keep: Callable[[Row], None] | None = None,
) -> Outcome:
    """Predict every case and write the table, in the cases' order.

    Rows lie in a file beside the table (cxrkit.batch_journal) until all are there; then the table appears at once. A
    run that finds such a file goes on with it: rows whose files are unchanged are kept. Size and time tell, and where
    they differ the content. Shows rate and remaining time on stderr, if that is a terminal.

    Args:
        batch: what and where to.
        weights: SHA-256 of the network's.
        executor: answers the cases, by a card of these weights.
        restart: forget what a former run had finished.
        keep: gets every row, in order, after all are there.

    Raises:
        InputError: a former run's rows belong to something else, or another run is at it; the table cannot be written.
        WeightsError: weights that the preparation needs are missing.
    """
    left_out: list[LeftOut] = []
    warned = 0

    def seen(row: Row) -> None:
        nonlocal warned
        warned += row.prediction is not None and bool(row.prediction.remarks)
        if row.error:
            left_out.append(LeftOut(row.case.number or None, row.case.files, row.error))
        if keep is not None:
            keep(row)

    about = About(batch.task.name, weights, executor.identity, batch.listing, batch.asked)
    with Journal(batch.out, about, restart) as journal:
        places = _finished(batch, journal)
        resumed = sum(place != _NONE for place in places)
        bar = tqdm(total=len(places), initial=resumed, desc=batch.task.name, unit="case", disable=None)
        with bar, closing(executor(_jobs(batch.cases, places))) as answers:
            for index, answer in answers:
                places[index] = journal.append({"key": _key(batch.cases[index])} | plain(answer))
                bar.update()
        write_predictions(batch.task, _rows(batch, journal, places, seen), batch.out, weights)
        journal.remove()
    return Outcome(len(places), resumed, tuple(left_out), warned)


def _jobs(cases: Sequence[Case], places: Sequence[int]) -> Iterator[Job]:
    return ((index, case) for index, case in enumerate(cases) if places[index] == _NONE)


def _rows(
    batch: Batch,
    journal: Journal,
    places: Sequence[int],
    seen: Callable[[Row], None],
) -> Iterator[Row]:
    """The rows in the cases' order, read one by one."""
    for case, place in zip(batch.cases, places, strict=True):
        row = row_of(batch.task, case, rebuilt(Answer, journal.read(place)), batch.judged)
        seen(row)
        yield row


def _finished(batch: Batch, journal: Journal) -> "array[int]":
    """Where in the journal the row of each case is; _NONE = it has none to be used, or its files have changed since."""
    places = array("q", [_NONE]) * len(batch.cases)
    index = {tuple(_key(case)): position for position, case in enumerate(batch.cases)}
    for place, row in journal.rows():
        try:
            position, seen = index.get(tuple(row["key"])), rebuilt(Answer, row).seen
        except (TypeError, KeyError, ValueError, AttributeError):
            continue  # another version of this program wrote it: its case is answered again
        if position is not None and _unchanged(batch.cases[position], batch.root, seen):
            places[position] = place
    return places


def _key(case: Case) -> list[Any]:
    """What tells a case from the others: its row, and its files."""
    return [case.number, *case.files]


def _unchanged(case: Case, root: Path, seen: Sequence[Seen]) -> bool:
    """Whether the files of a row that was written are what they were; not of files that were not found."""
    try:
        paths = resolve(case, root)
    except (InputError, ManifestError):
        return False
    return bool(seen) and all(_same(path, each) for path, each in zip(paths, seen, strict=True))


def _same(path: Path, seen: Seen) -> bool:
    now = look(path)
    if now.size != seen.size:
        return False
    if now.modified == seen.modified:
        return True
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == seen.sha256
    except OSError:
        return False
