"""The commands of `python -m cxrkit`. torch is imported when a command runs, so that help and refusals are quick."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrkit import printed
from cxrkit.bone_age import check_age, check_sex
from cxrkit.errors import CxrkitError, InputError
from cxrkit.task import Task
from cxrkit.tasks import find_task

if TYPE_CHECKING:
    from cxrkit.image import Radiograph
    from cxrkit.weights import LoadedModel

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="See what a network sees in a radiograph. Research and teaching only; not for diagnosis.",
)

TaskName = Annotated[str, typer.Argument(metavar="TASK", help="Such as tuberculosis.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")]
Weights = Annotated[Path | None, typer.Option(help="Folder of weights to use in place of the shipped one.")]


@app.command()
def analyse(
    task: TaskName,
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="DICOM, PNG, JPEG or TIFF.")],
    frame: Annotated[int | None, typer.Option(help="Frame of a file with several, from 1.")] = None,
    threshold: Annotated[float | None, typer.Option(help="In [0, 1], in place of the card's.")] = None,
    crop: Annotated[
        str | None, typer.Option(help="L,T,R,B in pixels of the image; right and bottom exclusive.")
    ] = None,
    brightness: Annotated[float, typer.Option(help="Added to gray values, -0.5 to 0.5.")] = 0.0,
    contrast: Annotated[float, typer.Option(help="Factor about mid-gray, 0.5 to 2.")] = 1.0,
    sharpness: Annotated[float, typer.Option(help="-1 to 2.")] = 0.0,
    size: Annotated[int | None, typer.Option(help="Side of the network's input, a multiple of 32.")] = None,
    turn: Annotated[
        int | None, typer.Option(help="Quarter turns clockwise that bring the fingers up, of a hand.")
    ] = None,
    swap: Annotated[
        bool | None, typer.Option("--swap/--no-swap", help="Whether black and white of a hand are swapped first.")
    ] = None,
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

    The seconds are those of reading, preparing and predicting, without start-up.
    """
    chosen = find_task(task)
    if len(files) != len(chosen.inputs):
        needed = " and ".join(chosen.inputs)
        raise InputError(f"This task reads {len(chosen.inputs)} file(s), {needed}; {len(files)} were given.")
    if threshold is not None and not 0 <= threshold <= 1:
        raise InputError(f"The threshold is {threshold:g}; it has to lie between 0 and 1.")
    if not all(file.is_file() for file in files):
        raise InputError("There is no such file. Check the path.")
    box = None if crop is None else _box(crop)
    context = _context(chosen, {"sex": sex, "age_months": age_months})

    from cxrkit import evaluate as evaluation
    from cxrkit.task import ModelInput

    edits = ModelInput(box, brightness, contrast, sharpness, size, turn, swap)
    edits.check()
    loaded = _load(chosen, weights)
    start = time.perf_counter()
    images = [evaluation.load_image(file, frame, chosen.read_file) for file in files]
    doubts = _doubts(chosen, images, force)
    prediction = evaluation.analyse(loaded, images, edits, threshold, context)
    result = printed.analysis(loaded, prediction, doubts, time.perf_counter() - start)
    typer.echo(printed.strict(result) if as_json else printed.lines(result))


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
    root: Annotated[Path, typer.Option(help="Folder that the table's paths start in; nothing outside it is read.")],
    out: Annotated[Path, typer.Option(help="CSV to write the predictions to; an existing one is replaced.")],
    weights: Weights = None,
    as_json: AsJson = False,
) -> None:
    """Predict every case of a table and measure how good the predictions are, at the card's threshold or thresholds."""
    chosen = find_task(task)
    _check_out(out, manifest)

    from cxrkit import evaluate as evaluation
    from cxrkit.cases import read_manifest
    from cxrkit.predictions import check_columns, write_predictions

    cases = read_manifest(manifest, file_columns=chosen.file_columns, target_column=chosen.target_column)
    check_columns(chosen, cases)
    loaded = _load(chosen, weights)
    start = time.perf_counter()
    rows = evaluation.predict_cases(loaded, cases, root, progress=True)
    write_predictions(chosen, rows, out)
    limit = None if chosen.called is None else loaded.card.thresholds[chosen.called]
    found = evaluation.evaluate(chosen, rows, limit)
    result = printed.summary(found, loaded.card.sha256, time.perf_counter() - start)
    typer.echo(printed.strict(result) if as_json else printed.table(found))


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

    if not file.is_file():
        raise InputError("There is no such file. Run this in the project's folder, or name the Markdown file.")
    text = with_cards(file.read_text(encoding="utf-8"), WEIGHTS)
    file.write_text(with_speed(text, RESULTS), encoding="utf-8")


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: in place of the process's own.

    Returns:
        Exit status: 0; 2 after one line on stderr about what the user gave; 130 after Ctrl-C.
    """
    try:
        status = app(arguments, prog_name="python -m cxrkit", standalone_mode=False)
    except (CxrkitError, typer.TyperException) as error:
        message = error.format_message() if isinstance(error, typer.TyperException) else str(error)
        typer.echo(f"Error: {' '.join(message.split())}", err=True)
        return 2
    return status or 0


def _load(task: Task, folder: Path | None) -> "LoadedModel":
    from cxrkit.weights import load_model

    return load_model(task) if folder is None else load_model(task, folder)


def _doubts(task: Task, images: "Sequence[Radiograph]", force: bool) -> list[str]:
    """What the image guard says of images that are analysed all the same.

    Raises:
        InputError: an image is not of the kind that the task reads, and force is not set.
    """
    from cxrkit.quality import check_image

    doubts = []
    stopped = False
    for image, name in zip(images, task.inputs, strict=True):
        verdict = check_image(image, task.reads)
        stopped = stopped or not verdict.ok
        which = f"{name.capitalize()}: " if len(images) > 1 else ""
        doubts += [f"{which}{reason}" for reason in verdict.reasons]
    if stopped and not force:
        raise InputError(f"{' '.join(doubts)} Nothing was analysed; give --force to analyse it anyway.")
    return doubts


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


def _check_out(out: Path, manifest: Path) -> None:
    """Refuse a place for the predictions before hours of work, not after."""
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise InputError("The predictions need a file in a folder that exists. Name another file after --out.")
    if out.exists() and manifest.exists() and out.samefile(manifest):
        raise InputError("The predictions would replace the table of cases. Name another file after --out.")
