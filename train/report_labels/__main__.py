"""`python -m train.report_labels reports.csv`: report texts to the four classes of the follow-up task."""

import sys
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from train.report_labels.rules import label_reports

_NEEDED = ("baseline", "followup")


def labelled(reports: pd.DataFrame) -> pd.DataFrame:
    """The table with the labels and the words behind each of them.

    Args:
        reports: columns baseline and followup with the texts; all others are kept.
    """
    labels = [label_reports(first, second) for first, second in zip(reports.baseline, reports.followup, strict=True)]
    table = reports.copy()
    table["class"] = [each.name for each in labels]
    for column, name in (("baseline_abnormal", "baseline"), ("followup_abnormal", "follow_up"), ("change", "change")):
        found = [getattr(each, name) for each in labels]
        table[column] = [int(bool(each.value)) for each in found]
        table[f"{column}_words"] = ["; ".join(each.words) for each in found]
    return table


def main(
    reports: Annotated[Path, typer.Argument(help="CSV with the columns baseline and followup: the reports' texts.")],
    output: Annotated[Path | None, typer.Option(help="CSV to write; the screen without it.")] = None,
) -> None:
    """Label pairs of reports; every decision's words are in the output."""
    if not reports.is_file():
        raise typer.BadParameter(f"There is no file {reports}.")
    table = pd.read_csv(reports, dtype=str, keep_default_na=False)
    missing = [name for name in _NEEDED if name not in table.columns]
    if missing:
        raise typer.BadParameter(
            f"{reports.name} lacks the column {' and '.join(missing)}; it has {', '.join(table.columns)}."
        )
    labelled(table).to_csv(output or sys.stdout, index=False)


if __name__ == "__main__":
    typer.run(main)
