"""The table of a run's epochs, progress.csv: one row an epoch, which a run that goes on writes again."""

import csv
from collections.abc import Mapping
from pathlib import Path

PROGRESS = "progress.csv"
"""Its name in a run's folder."""


def write_row(file: Path, row: Mapping[str, object]) -> None:
    """Put a row into the table, in place of one of the same stage and epoch, which a killed run may have left."""
    rows = [old for old in read_rows(file) if (old["stage"], old["epoch"]) != (str(row["stage"]), str(row["epoch"]))]
    rows.append({name: f"{value:.5g}" if isinstance(value, float) else str(value) for name, value in row.items()})
    columns = list(dict.fromkeys(name for each in rows for name in each))
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    with fresh.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)
    fresh.replace(file)


def earlier(file: Path, stage: int, epoch: int, column: str) -> list[float]:
    """A column of the epochs of a stage before this one."""
    return [float(row[column]) for row in read_rows(file) if row["stage"] == str(stage) and int(row["epoch"]) < epoch]


def read_rows(file: Path) -> list[dict[str, str]]:
    """All rows of a run's table; [] where there is none yet."""
    if not file.is_file():
        return []
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
