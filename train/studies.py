"""What the studies of all tasks share: cells and budget, and where a finished table goes (JSON, CSV, card)."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from cxrkit.card import read_card, write_card
from cxrkit.errors import InputError
from cxrkit.metrics import Interval

Row = dict[str, Any]

FROM_IMAGENET = ", from ImageNet"
"""After the name of a network that started from timm's weights, where the others of its table did not."""

REFERENCE = "reference"
"""In the place of a comparison with itself."""

MEASURED_ON = "measured on"
"""Column of tables with a row for every network on every part."""


class Named(Protocol):
    """What has a name."""

    @property
    def name(self) -> str:
        """As the table gives it."""


Cell = TypeVar("Cell", bound=Named)
"""One network of a study, with the settings of its training."""


@dataclass(frozen=True)
class Study(Generic[Cell]):
    """Cells, and the name of the one that the others are compared with.

    Attributes:
        title: what is compared.
        reference: name of a cell.
        cells: each with a `name`.
        missing: names of cells that were left out.
    """

    title: str
    reference: str
    cells: tuple[Cell, ...]
    missing: tuple[str, ...] = ()

    def without(self, names: Sequence[str]) -> "Study[Cell]":
        """The study less some cells, such as networks too large for a machine; its table on a card says which.

        Raises:
            InputError: there is no cell of such a name, or it is the reference.
        """
        free = [cell.name for cell in self.cells if cell.name != self.reference]
        for name in names:
            if name not in free:
                raise InputError(f"The study cannot leave out “{name}”. It can leave out: {'; '.join(free)}.")
        cells = tuple(cell for cell in self.cells if cell.name not in names)
        return replace(self, cells=cells, missing=tuple(names))


Of = TypeVar("Of")
"""Settings of a training run."""


@dataclass(frozen=True)
class Scale(Generic[Of]):
    """A budget's settings.

    Attributes:
        settings: of training, which every cell starts from.
        repeats: with other seeds.
    """

    settings: Of
    repeats: int


class Budget(StrEnum):
    """From large to small: the source's size, what one GPU can do, what two cores can; it stands in the table."""

    FULL = "full"
    MEDIUM = "medium"
    SMALL = "small"


def words(interval: Interval, digits: int = 3) -> str:
    """ "0.812 (0.750 to 0.880)"."""
    return f"{interval.value:.{digits}f} ({interval.low:.{digits}f} to {interval.high:.{digits}f})"


def write_table(rows: Sequence[Row], stem: Path) -> None:
    """STEM.json and STEM.csv."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    stem.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    with stem.with_suffix(".csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def put_study_on_card(title: str, budget: Budget, rows: list[Row], card: Path, details: str = "") -> None:
    """Put a study's table on a card, in place of those of this and of smaller budgets.

    Args:
        title: of the study; the budget follows it.
        budget: how large the study was.
        rows: of the table.
        card: whose.
        details: what else the title says, after the budget.

    Raises:
        WeightsError: there is no card yet.
    """
    old, budgets = read_card(card), list(Budget)
    replaced = tuple(f"{title} ({one} budget" for one in budgets[budgets.index(budget) :])
    kept = {name: table for name, table in old.tables.items() if not name.startswith(replaced)}
    write_card(replace(old, tables={**kept, f"{title} ({budget} budget{details})": rows}), card)


def put_on_card(title: str, rows: list[Row], card: Path) -> None:
    """Put a table on a card, in place of an earlier one of this title.

    Raises:
        WeightsError: there is no card yet.
    """
    old = read_card(card)
    write_card(replace(old, tables={**old.tables, title: rows}), card)
