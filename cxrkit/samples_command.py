"""`samples`: fetch a dozen follow-up radiographs of real patients, on the user's own command and never without it."""

import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from cxrkit.download import check_source, download
from cxrkit.errors import FetchError
from cxrkit.hannover_samples import (
    ATTRIBUTION,
    FOLDER_VARIABLE,
    SOURCE,
    RealSample,
    samples_folder,
    to_fetch,
    total_bytes,
)

_LOCK = ".fetching"


def samples(
    out: Annotated[
        Path | None, typer.Option(help="Folder to keep them in; else CXRKIT_SAMPLES, or that of your user's data.")
    ] = None,
    source: Annotated[
        str, typer.Option(help="Address to fetch them from in place of the repository's; the files are the same.")
    ] = SOURCE,
) -> None:
    """Fetch a dozen follow-up radiographs of the Hannover COVID-19 repository (CC BY 3.0), 2 MB, and check them.

    What is there already is not fetched again, and what was interrupted goes on.
    """
    folder = out or samples_folder()
    lacking = to_fetch(folder)
    typer.echo(f"{len(lacking)} radiographs, {total_bytes(lacking) / 1e6:.1f} MB, from {source}")
    for sample in fetch_samples(folder, source):
        typer.echo(f"{sample.name}: patient {sample.patient}, day {sample.day}, {sample.view}")
    typer.echo(f"They are in {folder}. The follow-up page offers them from there.")
    if out is not None:
        typer.echo(f"It looks there where {FOLDER_VARIABLE} names this folder.")
    typer.echo(ATTRIBUTION)


def fetch_samples(
    folder: Path, source: str = SOURCE, told: Callable[[int], object] = lambda count: None
) -> list[RealSample]:
    """Fetch those that are missing, one after the other.

    Args:
        folder: to keep them in; made where it does not exist.
        source: address of the repository's files.
        told: hears how many bytes of all that were missing are there.

    Returns:
        Those that were fetched.

    Raises:
        FetchError: as cxrkit.download; or another process is fetching into this folder, or the folder cannot be
            locked against one. What was fetched is kept.
    """
    address = check_source(source)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("w")
    except OSError:
        raise FetchError("The folder for the samples cannot be made or written. Name another one.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FetchError("The samples are being fetched at this moment. Wait until that has ended.") from None
        except OSError:  # such as ENOLCK or EOPNOTSUPP of a network's disk
            raise FetchError(
                "The folder for the samples cannot be locked against a second fetch. Name one on a disk of this "
                "machine."
            ) from None
        lacking = to_fetch(folder)
        done = 0
        for sample in lacking:
            download(
                f"{address}/{sample.path}",
                folder / sample.name,
                sample.size,
                sample.sha256,
                _beyond(done, told),
            )
            done += sample.size
        return lacking


def _beyond(done: int, told: Callable[[int], object]) -> Callable[[int], object]:
    """The count of one file as a count of all."""
    return lambda count: told(done + count)
