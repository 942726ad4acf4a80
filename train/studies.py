"""What the studies of all tasks share: their budget, and where a finished table goes (JSON, CSV, card)."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from cxrkit.card import read_card, write_card

Row = dict[str, Any]


class Budget(StrEnum):
    """How large a study is; what was used stands in its table."""

    FULL = "full"
    SMALL = "small"


def write_table(rows: Sequence[Row], stem: Path) -> None:
    """STEM.json and STEM.csv."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    stem.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    with stem.with_suffix(".csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def put_on_card(title: str, rows: list[Row], card: Path) -> None:
    """Put a table on a card, in place of an earlier one of this title.

    Raises:
        WeightsError: there is no card yet.
    """
    old = read_card(card)
    write_card(replace(old, tables={**old.tables, title: rows}), card)
