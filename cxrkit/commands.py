"""The commands of `python -m cxrkit`. torch is imported when a command runs, so that help and refusals are quick."""

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cxrkit import printed
from cxrkit.batch_command import analyse_table, check_out, check_outcome
from cxrkit.bone_age import check_age, check_sex
from cxrkit.errors import CxrkitError, InputError
from cxrkit.helper_threads import calm_helpers
from cxrkit.samples_command import samples
from cxrkit.table import is_table
from cxrkit.task import ModelInput, Task
from cxrkit.tasks import find_task
from cxrkit.whole_file import whole_file

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="See what a network sees in a radiograph. Research and teaching only; not for diagnosis.",
)

TaskName = Annotated[str, typer.Argument(metavar="TASK", help="Such as tuberculosis.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")]
Weights = Annotated[Path | None, typer.Option(help="Folder of weights to use in place of the shipped one.")]
Workers = Annotated[int, typer.Option(help="Processes that share the work on many cases.")]
Dask = Annotated[
    str | None,
    typer.Option(
        metavar="tcp://HOST:PORT",
        help="Scheduler of a Dask cluster that does the work; images lie at the same path on all its machines.",
    ),
]
Restart = Annotated[
    bool, typer.Option("--restart", help="Begin anew instead of going on with an unfinished table of this name.")
]
Crop = Annotated[str | None, typer.Option(help="L,T,R,B in pixels of the image; right and bottom exclusive.")]
Turn = Annotated[int | None, typer.Option(help="Quarter turns clockwise that bring the fingers up, of a hand.")]
Swap = Annotated[
    bool | None,
    typer.Option("--swap/--no-swap", help="Whether black and white are swapped first; chests wait to be told."),
]


@app.command()
def analyse(
    task: TaskName,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH",
            help="DICOM, PNG, JPEG or TIFF; with --out also folders, or one table of cases, which needs no target.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="CSV for the predictions of many images; an existing one is replaced.")
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Folder that the paths in a table of cases start in; else the table's own.")
    ] = None,
    workers: Workers = 1,
    dask: Dask = None,
    restart: Restart = False,
    frame: Annotated[int | None, typer.Option(help="Frame of a file with several, from 1.")] = None,
    threshold: Annotated[float | None, typer.Option(help="In [0, 1], in place of the card's.")] = None,
    crop: Crop = None,
    brightness: Annotated[float, typer.Option(help="Added to gray values, -0.5 to 0.5.")] = 0.0,
    contrast: Annotated[float, typer.Option(help="Factor about mid-gray, 0.5 to 2.")] = 1.0,
    sharpness: Annotated[float, typer.Option(help="-1 to 2.")] = 0.0,
    size: Annotated[int | None, typer.Option(help="Side of the network's input, a multiple of 32.")] = None,
    turn: Turn = None,
    swap: Swap = None,
    sex: Annotated[str | None, typer.Option(help="F or M; only of bone_age.")] = None,
    age_months: Annotated[
        float | None, typer.Option(help="The child's own age, for the SD score; only of bone_age.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also what does not look like the kind of image that the task reads.")
    ] = False,
    weights: Weights = None,
    as_json: AsJson = False,
) -> None:
    """Scores of one radiograph, or of a baseline and its follow-up; bone age of a hand; type of a lung scan; findings.

    With --out the same of many images, in a table; a run that was stopped goes on where it was. The seconds are those
    of reading, preparing and predicting, without start-up.
    """
    chosen = find_task(task)
    context = _context(chosen, {"sex": sex, "age_months": age_months})
    edits = ModelInput(None if crop is None else _box(crop), brightness, contrast, sharpness, size, turn, swap)
    edits.check()
    if out is None:
        _check_single(chosen, paths, threshold, table=root is not None or workers != 1 or dask is not None or restart)
        result = _analyse_one(chosen, paths, edits, frame, threshold, context, force=force, weights=weights)
        typer.echo(printed.strict(result) if as_json else printed.lines(result))
        return
    if threshold is not None:
        raise InputError("A table holds scores and is not called at one threshold: leave out --threshold.")
    if age_months is not None:
        raise InputError("A table holds no SD scores: leave out --age-months.")
    from cxrkit.batch_case import Asked

    asked = Asked(edits, frame, context, guarded=not force)
    analyse_table(chosen, paths, root, out, asked, weights, workers, dask, restart=restart, as_json=as_json)


@app.command()
def evaluate(
    task: TaskName,
    manifest: Annotated[
        Path,
        typer.Argument(
            metavar="MANIFEST.csv",
            help="Table with the columns file and target; of followup baseline, followup and change; of bone_age file, "
            "age_months (the reference bone age) and sex; of nih14 file and findings, joined by |, or No Finding.",
        ),
    ],
    root: Annotated[
        Path | None,
        typer.Option(help="Folder that the table's paths start in, else the table's own; nothing outside it is read."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="CSV to write the predictions to, beside the table as NAME.predictions.csv if not given; an existing "
            "one is replaced."
        ),
    ] = None,
    weights: Weights = None,
    workers: Workers = 1,
    dask: Dask = None,
    restart: Restart = False,
    as_json: AsJson = False,
) -> None:
    """Predict every case of a table and measure how good the predictions are, at the card's threshold or thresholds.

    A run that was stopped goes on where it was. If not one case could be used, that is an error, after all was printed.
    """
    chosen = find_task(task)
    root, out = root or manifest.parent, out or manifest.parent / f"{manifest.stem}.predictions.csv"
    check_out(out, manifest)

    from cxrkit import batch as batches
    from cxrkit.batch_case import Asked
    from cxrkit.cases import read_manifest
    from cxrkit.evaluate import figures_of
    from cxrkit.tally import Tally

    cases = read_manifest(manifest, file_columns=chosen.file_columns, target_column=chosen.target_column)
    listing = batches.listing_of_table(manifest, root)
    batch = batches.Batch(chosen, cases, root, listing, out, Asked(), judged=True)
    card, executor = batches.staffed(batch, weights, workers, dask)
    start = time.perf_counter()
    tally = Tally(chosen)
    outcome = batches.predict_table(batch, card.sha256, executor, restart=restart, keep=tally.add)
    limit = None if chosen.called is None else card.thresholds[chosen.called]
    found = figures_of(tally, limit, training=[label.positives for label in card.support])
    result = printed.summary(found, card.sha256, time.perf_counter() - start) | printed.rest(outcome)
    warned = printed.warned_lines(outcome.warned, outcome.cases)
    lines = [printed.table(found), *warned, *printed.left_out_lines(outcome.left_out)]
    typer.echo(printed.strict(result) if as_json else "\n".join(lines))
    check_outcome(outcome)


@app.command()
def readme(
    file: Annotated[
        Path, typer.Argument(help="Markdown with parts between <!-- card:NAME --> and <!-- end -->.")
    ] = Path("README.md"),
) -> None:
    """Write the tables of README anew from the weights' cards and the record of the benchmarks."""
    from cxrkit.card import WEIGHTS
    from cxrkit.report import with_cards, with_speed
    from cxrkit.speed import RESULTS

    if not os.path.isfile(file):
        raise InputError("There is no such file. Run this in the project's folder, or name the Markdown file.")
    text = with_speed(with_cards(_markdown(file), WEIGHTS), RESULTS)
    try:
        with whole_file(file.resolve()) as stream:
            shutil.copymode(file, stream.name)
            stream.write(text)
    except OSError:
        raise InputError(
            "The Markdown file could not be written, and is as it was. Check that its folder may be written to and "
            "that the disk is not full."
        ) from None


app.command()(samples)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: in place of the process's own.

    Returns:
        Exit status: 0; 2 after one line on stderr about what the user gave; 130 after Ctrl-C.
    """
    calm_helpers()
    try:
        status = app(arguments, prog_name="python -m cxrkit", standalone_mode=False)
    except (CxrkitError, typer.TyperException) as error:
        message = error.format_message() if isinstance(error, typer.TyperException) else str(error)
        typer.echo(f"Error: {' '.join(message.split())}", err=True)
        return 2
    return status or 0


def _markdown(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        raise InputError("The Markdown file cannot be opened. Check that it may be read.") from None
    except UnicodeDecodeError:
        raise InputError("The Markdown file is not text in UTF-8. Save it again with the encoding UTF-8.") from None


def _check_single(task: Task, paths: Sequence[Path], threshold: float | None, *, table: bool) -> None:
    """Refuse what is not one case; `table`: options were given that only many cases have."""
    if table or any(map(os.path.isdir, paths)) or is_table(paths):
        raise InputError("Many images are analysed into a table. Name it with --out, such as --out predictions.csv.")
    if len(paths) != len(task.inputs):
        needed = " and ".join(task.inputs)
        more = " For more cases name a table with --out." if len(paths) > len(task.inputs) else ""
        raise InputError(f"This task reads {len(task.inputs)} file(s), {needed}; {len(paths)} were given.{more}")
    if threshold is not None and not 0 <= threshold <= 1:
        raise InputError(f"The threshold is {threshold:g}; it has to lie between 0 and 1.")
    if not all(map(os.path.isfile, paths)):
        raise InputError("There is no such file. Check the path.")


def _analyse_one(
    task: Task,
    files: Sequence[Path],
    edits: ModelInput,
    frame: int | None,
    threshold: float | None,
    context: Mapping[str, object],
    *,
    force: bool,
    weights: Path | None,
) -> dict[str, Any]:
    """What --json prints of one case."""
    from cxrkit.batch_case import analyse as predicted
    from cxrkit.batch_case import guard
    from cxrkit.card import WEIGHTS
    from cxrkit.image_file import load_image
    from cxrkit.weights import load_model

    loaded = load_model(task, weights or WEIGHTS)
    start = time.perf_counter()
    images = [load_image(file, frame, task.read_file) for file in files]
    doubts = guard(task, images, stops=not force)
    prediction = predicted(loaded, images, edits, threshold, context)
    return printed.analysis(loaded, prediction, doubts, time.perf_counter() - start)


def _context(task: Task, given: Mapping[str, str | float | None]) -> dict[str, object]:
    """What is known of the patient, checked before the network is loaded.

    Raises:
        InputError: the task takes no such fact, or it is impossible.
    """
    stated = {name: value for name, value in given.items() if value is not None}
    foreign = [f"--{name.replace('_', '-')}" for name in stated if name not in (*task.context, *task.beside)]
    if foreign:
        raise InputError(f"This task does not take {' and '.join(foreign)}. Leave it out.")
    if "sex" in stated:
        check_sex(stated["sex"])
    if "age_months" in stated:
        check_age(float(stated["age_months"]))
    return dict(stated)


def _box(text: str) -> tuple[int, int, int, int]:
    try:
        left, top, right, bottom = (int(part) for part in text.split(","))
    except ValueError:
        raise InputError(
            "The crop box has to be four whole numbers: left,top,right,bottom, such as 10,20,400,420."
        ) from None
    return left, top, right, bottom
