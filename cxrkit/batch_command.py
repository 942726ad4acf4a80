"""`analyse` with --out: many images into a table. torch is imported when it runs, as by cxrkit.commands."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cxrkit import printed
from cxrkit.batch_folder import find_images, refuse_image
from cxrkit.errors import InputError
from cxrkit.table import is_table
from cxrkit.task import Task

if TYPE_CHECKING:
    from cxrkit.batch import Batch, Outcome
    from cxrkit.batch_case import Asked

_LONGEST_NAME = 200
"""In bytes; file systems allow 255."""


def analyse_table(
    task: Task,
    paths: Sequence[Path],
    root: Path | None,
    out: Path,
    asked: "Asked",
    weights: Path | None,
    workers: int,
    cluster: str | None,
    *,
    restart: bool,
    as_json: bool,
) -> None:
    """Analyse folders, files or a table of cases into a table of predictions, and print what became of them.

    Args:
        task: that is asked.
        paths: folders and files, or one table of cases.
        root: folder that a table's paths start in; None = the table's own.
        out: CSV to be written.
        asked: how each case is analysed.
        weights: folder of weights; None = the shipped one.
        workers: processes.
        cluster: address of a Dask scheduler; None = this machine.
        restart: forget an unfinished table of this name.
        as_json: print JSON.

    Raises:
        InputError: none of the cases could be analysed, after all was written and printed; paths that cannot be used.
        CxrkitError: as cxrkit.batch.
    """
    from cxrkit import batch as batches

    batch, strangers = _listed(task, paths, root, out, asked)
    card, executor = batches.staffed(batch, weights, workers, cluster)
    start = time.perf_counter()
    outcome = batches.predict_table(batch, card.sha256, executor, restart=restart)
    result = printed.batch(task.name, card.sha256, outcome, strangers, time.perf_counter() - start)
    typer.echo(printed.strict(result) if as_json else printed.batch_lines(result, outcome.left_out))
    check_outcome(outcome)


def check_outcome(outcome: "Outcome") -> None:
    """Raise InputError if not one case of a table could be used."""
    if len(outcome.left_out) == outcome.cases:
        raise InputError("None of the cases could be analysed; the column error of the table says why.")


def _listed(
    task: Task, paths: Sequence[Path], root: Path | None, out: Path, asked: "Asked"
) -> "tuple[Batch, Sequence[str]]":
    """The cases of a table or of folders and files, and the files there that are no images."""
    from cxrkit.batch import Batch, listing_of_folder, listing_of_table
    from cxrkit.batch_journal import journal_of
    from cxrkit.cases import read_manifest

    check_out(out, paths[0])
    if root is not None or is_table(paths):
        if len(paths) > 1:
            raise InputError("One table of cases is read at a time. Give one, or leave out --root for images.")
        cases = read_manifest(paths[0], file_columns=task.file_columns, target_column=None)
        folder = root or paths[0].parent
        return Batch(task, cases, folder, listing_of_table(paths[0], folder), out, asked, judged=False), ()
    if len(task.inputs) > 1:
        raise InputError(
            f"This task compares {len(task.inputs)} images, and a folder does not say which. Give a table of cases "
            f"with the columns {' and '.join(task.file_columns)}."
        )
    found = find_images(paths, without=(out, journal_of(out)))
    batch = Batch(task, found.cases, found.root, listing_of_folder(found.root), out, asked, judged=False)
    return batch, found.strangers


def check_out(out: Path, manifest: Path) -> None:
    """Refuse a place for the predictions before hours of work, not after.

    Raises:
        InputError: it is a folder, or in none, or what is to be read, or an image, a device or a pipe; or its name
            leaves no room for those of the files that lie beside it meanwhile.
    """
    if os.path.isdir(out) or not os.path.isdir(out.absolute().parent):
        raise InputError("The predictions need a file in a folder that exists. Name another file after --out.")
    if len(os.fsencode(out.name)) > _LONGEST_NAME:
        raise InputError(
            f"The name of the file for the predictions has more than {_LONGEST_NAME} bytes. Name a shorter one after "
            "--out."
        )
    if os.path.isfile(out) and os.path.isfile(manifest) and out.samefile(manifest):
        raise InputError("The predictions would replace the table of cases. Name another file after --out.")
    if os.path.exists(out) and not os.path.isfile(out):
        raise InputError("The predictions cannot replace a device or a pipe. Name another file after --out.")
    refuse_image([os.fspath(out)])
