"""`make bench`: measure side by side, print the tables, and write them into README.

The record is benchmarks/results.json; README's part between <!-- bench --> and <!-- end --> is rendered from it.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.batch import archive, many, scan_archive
from benchmarks.images import Levels, chests, dicom, files, hands
from benchmarks.load import SESSIONS, measure_growth, measure_sessions
from benchmarks.machine import LOAD, busy_warning, facts
from benchmarks.network import age, findings, prediction
from benchmarks.pairs import pairs
from benchmarks.reading import packaged, reading
from benchmarks.scans import day_of_scans, table
from benchmarks.server import REPOSITORY, chromium
from benchmarks.workbench import pair_answers, workbench
from cxrkit.errors import CxrkitError, InputError
from cxrkit.finding_labels import several_labels
from cxrkit.image import read_image
from cxrkit.quality import check_image
from cxrkit.report import speed_markdown, with_speed
from cxrkit.speed import RESULTS, Measurement, Record, read_record, write_record
from cxrkit.task import Task
from cxrkit.tasks import TASKS, find_task
from cxrkit.tasks.tuberculosis import TUBERCULOSIS

README = REPOSITORY / "README.md"

CHEST, HAND, SCAN = "frontal chest", "hand", "planar lung scan"
"""What Task.reads says of tasks that read chests, hands and lung scans."""

AGE_GOAL, FINDINGS_GOAL = 0.6, 0.8
"""Seconds from upload to answer of a further hand, and of a further chest with all findings, of a session."""

_FILES = 26
"""Chests and hands, each different."""

_MEMORY = "memory after many uploads"


def measure(tasks: Sequence[Task], *, quick: bool, growth: bool) -> Iterator[Record]:
    """Each part in turn; after each the record of all parts so far, because the whole takes most of an hour.

    Args:
        tasks: to measure.
        quick: few rounds, to see that all of it works; its figures are not worth keeping.
        growth: also memory after many uploads, which takes as long as the rest of its task.
    """
    said = tuple(filter(None, [busy_warning(), "Measured with --quick: few rounds." if quick else ""]))
    for doubt in said:
        typer.echo(f"Warning: {doubt}", err=True)
    with chromium() as browser:
        machine = facts(browser.version)
    count = 4 if quick else _FILES
    pictures = chests(count)
    hand_pictures = hands(count)
    for task in (task for task in tasks if task.reads != SCAN):
        _check_guard(task, hand_pictures if task.reads == HAND else pictures)
    sections: dict[str, tuple[Measurement, ...]] = {}
    typer.echo("Reading ...", err=True)
    sections["Reading a file"] = tuple(reading(files(pictures[0]) | packaged(), 2 if quick else 10))
    with tempfile.TemporaryDirectory() as folder:
        chest_files = _written(pictures, Path(folder) / "chests")
        hand_files = _written(hand_pictures, Path(folder) / "hands")
        archives = {
            CHEST: archive(pictures * 2, Path(folder) / "chest_archive"),
            HAND: archive(hand_pictures * 2, Path(folder) / "hand_archive"),
            SCAN: scan_archive(day_of_scans(8 if quick else 40), Path(folder) / "scan_archive"),
        }
        for task in tasks:
            typer.echo(f"{task.title} ...", err=True)
            paths = hand_files if task.reads == HAND else chest_files
            for title, rows in _task_sections(task, paths, quick=quick, growth=growth).items():
                sections[f"{task.title}: {title}"] = tuple(rows)
            sections[f"{task.title}: many images"] = tuple(many(task, archives[task.reads], 1 if quick else 3))
            yield Record(machine, said, dict(sections))


def memory(before: Record) -> Record:
    """A record with memory after many uploads measured anew.

    Memory hardly depends on the machine, so this row may be of another one than the rest; its note says which.
    """
    with chromium() as browser:
        machine = facts(browser.version)
    with tempfile.TemporaryDirectory() as folder:
        rows = measure_growth(TUBERCULOSIS, _written(chests(_FILES), Path(folder) / "chests"))
    measured = f"measured by itself on {machine['date']}, on {machine['processor']}"
    rows = [replace(row, note=f"{row.note}; {measured}") for row in rows]
    return replace(before, sections={**before.sections, f"{TUBERCULOSIS.title}: {_MEMORY}": tuple(rows)})


def _written(pictures: Sequence[Levels], folder: Path) -> list[Path]:
    folder.mkdir()
    paths = [folder / f"{number}.dcm" for number in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        path.write_bytes(dicom(picture))
    return paths


def _check_guard(task: Task, pictures: Sequence[Levels]) -> None:
    """Refuse before minutes of measuring what the page would not analyse after them.

    Raises:
        InputError: the image guard stops a picture.
        WeightsError: there are no weights of the guard.
    """
    for picture in pictures[:2]:
        verdict = check_image(read_image(dicom(picture)), task.reads)
        if not verdict.ok:
            raise InputError(f"The image guard stops the benchmarks' own image: {' '.join(verdict.reasons)}")


def _task_sections(task: Task, paths: Sequence[Path], *, quick: bool, growth: bool) -> dict[str, list[Measurement]]:
    """Title -> rows of one task."""
    rounds = 3 if quick else 20
    if task.reads == SCAN:
        return {"a day's table": table(task, day_of_scans(8 if quick else 40), 1 if quick else 5)}
    if len(task.inputs) == 2:
        answers = pair_answers(task, paths, 1 if quick else 10)
        return {"the network": pairs(task, rounds), "from upload to answer": answers}
    if task.values:
        first = read_image(paths[0].read_bytes())
        return {"the network": age(task, first, rounds)} | workbench(task, paths, 1 if quick else 3, AGE_GOAL)
    if several_labels(task):
        first = read_image(paths[0].read_bytes())
        return {"the network": findings(task, first, rounds)} | workbench(task, paths, 1 if quick else 3, FINDINGS_GOAL)
    found = {"the network": prediction(task, read_image(paths[0].read_bytes()), rounds)}
    found |= workbench(task, paths, 1 if quick else 3)
    found["many sessions"] = measure_sessions(task, paths[: 2 if quick else SESSIONS], 1 if quick else 3)
    if growth and not quick:
        found[_MEMORY] = measure_growth(task, paths)
    return found


def added(before: Record, now: Record) -> Record:
    """What was measured before, and in its place or behind it what was measured now.

    What is of another day, machine or software is left out: figures of one table have to be comparable.
    """
    if _comparable(before) != _comparable(now):
        return now
    warnings = tuple(dict.fromkeys([*before.warnings, *now.warnings]))
    return Record(now.machine, warnings, {**before.sections, **now.sections})


def _comparable(record: Record) -> dict[str, str]:
    return {name: text for name, text in record.machine.items() if name != LOAD}


def main(
    quick: Annotated[bool, typer.Option(help="Few rounds; prints, and writes nothing.")] = False,
    growth: Annotated[bool, typer.Option(help="Also memory after 200 uploads: ten minutes.")] = True,
    task: Annotated[
        list[str] | None, typer.Option(help="Measure this task; of the others what was measured today is kept.")
    ] = None,
    only_memory: Annotated[
        bool, typer.Option(help="Memory after 200 uploads alone; the other figures stay, of whatever machine.")
    ] = False,
    results: Annotated[Path, typer.Option(help="JSON to write the record to.")] = RESULTS,
    readme: Annotated[
        Path, typer.Option(help="Markdown with a part between <!-- bench --> and <!-- end -->.")
    ] = README,
) -> None:
    """Measure, print, and write record and README."""
    try:
        if only_memory:
            write_record(memory(read_record(results)), results)
            readme.write_text(with_speed(readme.read_text(encoding="utf-8"), results), encoding="utf-8")
            return
        tasks = [find_task(name) for name in task] if task else TASKS
        before = read_record(results) if task and not quick else None
        for record in measure(tasks, quick=quick, growth=growth):
            whole = record if before is None else added(before, record)
            if not quick:
                write_record(whole, results)
        typer.echo(speed_markdown(whole))
        if not quick:
            readme.write_text(with_speed(readme.read_text(encoding="utf-8"), results), encoding="utf-8")
    except CxrkitError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    typer.run(main)
